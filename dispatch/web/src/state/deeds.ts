import { strings } from '../strings';
import { work } from '../strings.work';
import type { Deed } from './command';

/** The action that a deed asks the server for; none for what is done on the page alone. */
export function actionOf(deed: Deed): { what: string; with: Record<string, unknown> } | null {
  switch (deed.do) {
    case 'assign': {
      const { incident, units, text } = deed;
      return { what: 'incident.assign', with: { incident, units, ...(text && { text }) } };
    }
    case 'status':
      return { what: 'unit.status', with: { unit: deed.unit, status: deed.status } };
    case 'note':
      return { what: 'incident.note', with: { incident: deed.incident, text: deed.text } };
    case 'open':
      return { what: 'incident.open', with: { title: deed.title } };
    case 'close': {
      const { incident, outcome, text } = deed;
      return { what: 'incident.close', with: { incident, outcome, ...(text && { text }) } };
    }
    case 'emergency':
      return { what: 'emergency.press', with: { unit: deed.unit } };
    case 'remind':
      return { what: 'reminder.set', with: { text: deed.text, at: deed.at } };
    case 'welfare':
      return { what: 'welfare.start', with: { unit: deed.unit, every: deed.every } };
    default:
      return null;
  }
}

/** What ids in actions are called. */
export interface Named {
  unit(id: number): string;
  incident(id: number): string;
}

/** What was asked for, for the person who asked; other actions are named as the server does. */
export function deedText(
  action: { what: string; with: Record<string, unknown> },
  named: Named,
): string {
  const { what, with: body } = action;
  const words = strings.command;
  const text = String(body['text'] ?? '');
  const incident = (): string => named.incident(Number(body['incident']));
  switch (what) {
    case 'incident.assign': {
      const units = (body['units'] as number[]).map((id) => named.unit(id));
      const said = words.assign(units.join(', '), incident());
      return text ? `${said}, ${words.withText(text)}` : said;
    }
    case 'incident.note':
      return words.note(incident(), text);
    case 'unit.status': {
      const status = String(body['status']) as keyof typeof work.statuses;
      return words.status(named.unit(Number(body['unit'])), work.statuses[status] ?? status);
    }
    case 'reminder.set':
      return `“${text}”`;
    default:
      return otherText(what, body, named);
  }
}

/** What any other action is called, and what of it says which one it is. */
function otherText(what: string, body: Record<string, unknown>, named: Named): string {
  const called: Partial<Record<string, string>> = strings.held.deeds;
  const { incident, unit, now } = body;
  const words = ['title', 'text', 'reason', 'outcome'].map((field) => body[field]);
  const outcomes: Partial<Record<string, string>> = work.outcomes;
  const about = [
    typeof incident === 'number' ? named.incident(incident) : '',
    typeof unit === 'number' ? named.unit(unit) : '',
    ...[...words, now].map((word) =>
      typeof word === 'string' && word ? `“${outcomes[word] ?? word}”` : '',
    ),
  ].filter(Boolean);
  const name = called[what] ?? what.replaceAll(/[._]/g, ' ');
  return about.length > 0 ? `${name}: ${about.join(', ')}` : name;
}
