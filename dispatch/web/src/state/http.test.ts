import { afterEach, expect, test } from 'vitest';
import { failureText } from './http';
import { speak, strings } from '../strings';

afterEach(() => speak('en'));

test('a failure is said in the language of who reads it, then as the server says it', () => {
  const full = { code: 'no_room_for_export', text: 'The disk has no room.' };
  expect(failureText(full)).toBe('The disk has no room.');
  expect(failureText({ code: 'unreachable', text: '' })).toBe(strings.unreachable);
  speak('es');
  expect(failureText(full)).toMatch(/^El disco .* incidente\. The disk has no room\.$/);
});
