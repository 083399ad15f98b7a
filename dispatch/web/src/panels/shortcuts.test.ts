import { afterEach, expect, test } from 'vitest';
import { speak } from '../strings';
import { speakOfWork } from '../strings.work';
import { shortcut, TALK_KEY } from './keys';
import { shortcuts } from './shortcuts';

afterEach(() => {
  speak('en');
  speakOfWork('en');
});

test.each(['en', 'es'] as const)('no key has two meanings (%s)', (language) => {
  speak(language);
  speakOfWork(language);
  const keys = shortcuts().flatMap(([key]) => key.split(/\s+/));
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  expect(keys).toContain(TALK_KEY);
});

test('the key to talk asks for nothing else', () => {
  const plain = { ctrlKey: false, altKey: false, metaKey: false, defaultPrevented: false };
  expect(shortcut({ key: TALK_KEY, ...plain, target: null })).toBeNull();
});
