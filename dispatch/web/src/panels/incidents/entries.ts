import { work } from '../../strings.work';

/** One entry of an incident's log, as `GET /api/incidents/{id}/log` gives it. */
export interface LogEntry {
  seq: number;
  /** Milliseconds UTC. */
  at: number;
  author: string;
  author_name: string;
  agency: number | null;
  kind: string;
  private: boolean;
  details: Record<string, unknown>;
}

/** What ids in entries are called. */
export interface Names {
  agency(id: number): string;
  unit(id: number): string | undefined;
  type(id: number): string | undefined;
}

/** An entry in words. A kind that is not known shows what it brought, so that nothing is hidden. */
export function entryText(entry: LogEntry, names: Names): string {
  const words = work.entries;
  const said = entry.details;
  const text = (field: string): string => plain(said[field]);
  const unit = (): string => names.unit(Number(said['unit'])) ?? text('callsign');
  const agency = (): string => names.agency(Number(said['agency']));
  const more = (sentence: string, field: string): string =>
    text(field) ? `${sentence}. ${text(field)}` : sentence;
  switch (entry.kind) {
    case 'opened':
      return words.opened(text('title'));
    case 'call':
      return words.call(text('number'));
    case 'changed':
      return changed(said, names);
    case 'note':
      return text('text');
    case 'checked':
      return said['done'] === false ? words.unchecked(text('text')) : words.checked(text('text'));
    case 'handed_over':
      return more(words.handedOver(text('to_name')), 'text');
    case 'linked':
      return words.linked(text('number'), text('reason'));
    case 'unit_ordered':
      if (text('sms')) return `${words.orderedSms(unit())}: ${text('sms')}`;
      if (said['again'] === true) return words.orderedAgain(unit());
      return text('place') ? words.orderedTo(unit(), text('place')) : words.ordered(unit());
    case 'unit_status':
      return more(words.status(unit(), word(work.statuses, text('status'))), 'note');
    case 'unit_left':
      return more(words.left(unit(), word(work.left, text('outcome'))), 'reason');
    case 'emergency':
      return words.emergency(unit());
    case 'invited':
      return words.invited(agency(), text('text'));
    case 'answered':
      return more(words.answered(agency(), word(work.partners.answers, text('answer'))), 'text');
    case 'attached':
      return words.attached(text('kind').replaceAll('_', ' '));
    case 'withdrawn':
      return words.withdrawn(agency());
    case 'left':
      return more(words.leftIt(agency()), 'text');
    case 'closed':
      return more(words.closed(word(work.outcomes, text('outcome'))), 'text');
    case 'reopened':
      return words.reopened(text('reason'));
    default:
      return `${entry.kind.replaceAll('_', ' ')} ${JSON.stringify(said)}`;
  }
}

function changed(said: Record<string, unknown>, names: Names): string {
  const field = plain(said['field']);
  const shown = (value: unknown): string => {
    if (field === 'type' && typeof value === 'number') return names.type(value) ?? `${value}`;
    return plain(value) || work.entries.nothing;
  };
  const words = work.entries;
  const name = word(work.incident.fields, field);
  const was = field === 'details' ? '' : shown(said['was']);
  return words.changed(name, was, shown(said['now']));
}

function word(words: Readonly<Record<string, string>>, key: string): string {
  return words[key] ?? key.replaceAll('_', ' ');
}

function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
