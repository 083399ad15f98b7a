/**
 * The words of the command line, English and Spanish. Either is understood whatever language the
 * page speaks; the first of each list is how it is written and offered.
 */
import type { Language } from '../strings';

type Words = Readonly<Record<Language, readonly string[]>>;

export const COMMANDS = {
  assign: { en: ['a', 'assign', 'send'], es: ['as', 'asignar', 'enviar'] },
  status: { en: ['s', 'status'], es: ['es', 'estado'] },
  find: { en: ['f', 'find'], es: ['b', 'buscar'] },
  message: { en: ['m', 'message', 'tell'], es: ['me', 'mensaje'] },
  note: { en: ['n', 'note'], es: ['no', 'nota'] },
  call: { en: ['c', 'call'], es: ['ll', 'llamada'] },
  open: { en: ['i', 'incident'], es: ['in', 'incidente'] },
  close: { en: ['cl', 'close'], es: ['ce', 'cerrar'] },
  emergency: { en: ['e', 'emergency'], es: ['em', 'emergencia'] },
  remind: { en: ['r', 'remind'], es: ['re', 'recordar'] },
  welfare: { en: ['w', 'welfare'], es: ['bi', 'bienestar'] },
  layout: { en: ['lay', 'layout'], es: ['di', 'disposición'] },
  requests: { en: ['q', 'requests'], es: ['pe', 'peticiones'] },
  help: { en: ['?', 'help'], es: ['ay', 'ayuda'] },
} as const satisfies Record<string, Words>;
export type CommandName = keyof typeof COMMANDS;

/** What may be said of a unit, as `unit.status` takes it. */
export const STATUSES = {
  acknowledged: { en: ['acknowledged', 'ack'], es: ['confirmado', 'conf'] },
  en_route: { en: ['en route', 'er', 'enroute'], es: ['en camino', 'ec'] },
  on_scene: { en: ['on scene', 'os', 'onscene'], es: ['en el lugar', 'lugar', 'el'] },
  clear: { en: ['clear', 'cl'], es: ['libre', 'li'] },
  available: { en: ['available', 'av'], es: ['disponible', 'di'] },
  busy: { en: ['busy', 'bu'], es: ['ocupado', 'ocupada', 'oc'] },
  out_of_service: { en: ['out of service', 'oos'], es: ['fuera de servicio', 'fs'] },
  off_duty: { en: ['off duty', 'od'], es: ['fuera de turno', 'ft'] },
} as const satisfies Record<string, Words>;
export type SaidStatus = keyof typeof STATUSES;

/** How an incident ended, as `incident.close` takes it. */
export const OUTCOMES = {
  done: { en: ['done'], es: ['resuelto'] },
  nothing_found: { en: ['nothing found', 'nf'], es: ['sin novedad', 'sn'] },
  handed_on: { en: ['handed on', 'ho'], es: ['transferido', 'tr'] },
  false_alarm: { en: ['false alarm', 'fa'], es: ['falsa alarma'] },
  duplicate: { en: ['duplicate', 'dup'], es: ['duplicado'] },
  cancelled: { en: ['cancelled', 'can'], es: ['cancelado'] },
} as const satisfies Record<string, Words>;
export type IncidentOutcome = keyof typeof OUTCOMES;

/** What is done with a layout besides choosing it. */
export const LAYOUT_ACTS = {
  save: { en: ['save'], es: ['guardar'] },
  drop: { en: ['delete'], es: ['borrar'] },
} as const satisfies Record<string, Words>;
export type LayoutAct = keyof typeof LAYOUT_ACTS;

/** How one of them is written in a language. */
export const written = (words: Words, language: Language): string => words[language][0] ?? '';
