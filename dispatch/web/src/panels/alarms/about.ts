import { work } from '../../strings.work';
import type { Alarm, Assignment, BoardItem } from '../../wire/items';
import { undeliverable, whyUndeliverable } from '../units/undeliverable';

/** Where the eye is to go: to an incident, a unit, or a call. */
export type Target = { kind: 'incident' | 'unit' | 'call'; id: number };

/** What the board and the roster tell of what alarms are about. */
export interface Known {
  item(address: string): BoardItem | undefined;
  unit(id: number): string | undefined;
  agency(id: number): string;
  fence(id: number): string | undefined;
}

/** What has raised itself, in words; what is gone meanwhile is named as well as may be. */
export function alarmText(alarm: Alarm, known: Known): string {
  const words = work.alarms;
  const details = alarm.details ?? {};
  if (alarm.kind === 'fence') return words.kinds.fence(crossing(alarm, known));
  if (alarm.kind === 'invitation_answered') {
    const answer = String(details['answer'] ?? '') as keyof typeof work.partners.answers;
    const who = known.agency(Number(details['agency']));
    return words.kinds.invitation_answered(
      `${who} ${work.partners.answers[answer] ?? answer}. ${said(details['text'])}`.trim(),
    );
  }
  const about = known.item(alarm.about);
  if (alarm.kind === 'order_undelivered' && about?.is === 'assignment' && undeliverable(about)) {
    return `${subject(alarm.about, details, known)}: ${whyUndeliverable(about)}`;
  }
  const sentence = words.kinds[alarm.kind](subject(alarm.about, details, known));
  const reason = said(details['reason']);
  return reason ? `${sentence} ${words.reason(reason)}` : sentence;
}

/** The assignment whose crew an alarm asks to be reached in another way. */
export function unreached(alarm: Alarm, known: Known): Assignment | null {
  if (alarm.kind !== 'order_undelivered' && alarm.kind !== 'order_unacknowledged') return null;
  const item = known.item(alarm.about);
  return item?.is === 'assignment' ? item : null;
}

/** What there is to look at; null when it cannot be told. */
export function target(alarm: Alarm, known: Known): Target | null {
  const [kind, id] = parts(alarm.about);
  if (kind === 'incident' || kind === 'unit' || kind === 'call') return { kind, id };
  const item = known.item(alarm.about);
  const details = alarm.details ?? {};
  if (item?.is === 'assignment') return { kind: 'incident', id: item.incident };
  if (item?.is === 'invitation') return { kind: 'incident', id: item.incident };
  if (item?.is === 'welfare' || item?.is === 'emergency') return { kind: 'unit', id: item.unit };
  if (item?.is === 'reminder' && item.incident != null) {
    return { kind: 'incident', id: item.incident };
  }
  if (typeof details['incident'] === 'number') return { kind: 'incident', id: details['incident'] };
  if (typeof details['unit'] === 'number') return { kind: 'unit', id: details['unit'] };
  return null;
}

function subject(about: string, details: Record<string, unknown>, known: Known): string {
  const words = work.alarms;
  const [kind, id] = parts(about);
  const item = known.item(about);
  const unit = (number: unknown): string => known.unit(Number(number)) ?? words.unit;
  switch (kind) {
    case 'call':
      return item?.is === 'call' ? words.callOf(item.number) : words.call;
    case 'incident':
      return item?.is === 'incident' ? `${item.title} (${item.number})` : words.incident;
    case 'assignment': {
      if (item?.is !== 'assignment') return unit(details['unit']);
      const incident = known.item(`incident:${item.incident}`);
      const number = incident?.is === 'incident' ? incident.number : '';
      return number ? words.at(unit(item.unit), number) : unit(item.unit);
    }
    case 'invitation':
      return item?.is === 'invitation' ? `${item.title} (${item.incident_number})` : words.incident;
    case 'welfare':
    case 'emergency':
      return item?.is === 'welfare' || item?.is === 'emergency' ? unit(item.unit) : words.unit;
    case 'reminder':
      return item?.is === 'reminder' ? item.text : '';
    case 'unit':
      return unit(id);
    default:
      return about;
  }
}

function crossing(alarm: Alarm, known: Known): string {
  const words = work.alarms;
  const details = alarm.details ?? {};
  const unit = known.unit(Number(details['unit'])) ?? words.unit;
  const fence = said(details['name']) || known.fence(Number(details['fence'])) || words.fence;
  const what = String(details['what'] ?? 'in') as keyof typeof words.fences;
  return (words.fences[what] ?? words.fences.in)(unit, fence);
}

function parts(about: string): [kind: string, id: number] {
  const [kind = '', id] = about.split(':');
  return [kind, Number(id)];
}

function said(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
