export type Act =
  | 'held' | 'message' | 'new' | 'conversations' | 'acknowledge' | 'silence' | 'home' | 'closer'
  | 'farther' | 'glass' | 'theme' | 'help' | 'back' | 'command' | 'call' | 'next_call'
  | 'incidents' | 'units' | 'alarms' | 'assign' | 'write' | 'finish' | 'own'
  | 'emergencies' | 'requests'; // prettier-ignore

/** Held, it talks on the radio; in text fields too. */
export const TALK_KEY = 'F7';

const KEYS: Record<string, Act> = {
  '/': 'command',
  ';': 'command',
  m: 'message',
  n: 'new',
  c: 'conversations',
  a: 'acknowledge',
  s: 'silence',
  r: 'held',
  h: 'home',
  '+': 'closer',
  '=': 'closer',
  '-': 'farther',
  g: 'glass',
  t: 'theme',
  '?': 'help',
  i: 'incidents',
  u: 'units',
  l: 'alarms',
  d: 'assign',
  w: 'write',
  x: 'finish',
  o: 'own',
  e: 'emergencies',
  q: 'requests',
};

/** Keys that write nothing: they work in text fields too, since a call does not wait. */
const ALWAYS: Record<string, Act> = { Escape: 'back', F2: 'call', F4: 'next_call' };

/** What a key asks for: single keys only outside text fields, never with Ctrl, Alt or Meta. */
export function shortcut(event: {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  defaultPrevented: boolean;
  target: unknown;
}): Act | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return null;
  const always = ALWAYS[event.key];
  if (always) return always;
  if (isTextField(event.target)) return null;
  return KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
}

/** Whether letters that are typed there are written there. */
export function isTextField(target: unknown): boolean {
  if (typeof target !== 'object' || target === null || !('tagName' in target)) return false;
  if (target.tagName === 'INPUT') {
    const type = 'type' in target ? String(target.type) : 'text';
    return !['radio', 'checkbox', 'button'].includes(type);
  }
  return target.tagName === 'TEXTAREA' || target.tagName === 'SELECT';
}
