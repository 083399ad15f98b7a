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
