import { strings } from '../strings';
import { work } from '../strings.work';
import { TALK_KEY } from './keys';

/** All keys of the console and what they do, in the language that is spoken now. */
export function shortcuts(): readonly (readonly [key: string, what: string])[] {
  const { shortcut, alertShortcut, perilShortcut } = strings.radio;
  return [
    ...strings.shortcuts.list,
    ...work.shortcuts,
    [TALK_KEY, shortcut],
    [`Shift+${TALK_KEY}`, alertShortcut],
    [`Ctrl+${TALK_KEY}`, perilShortcut],
  ];
}
