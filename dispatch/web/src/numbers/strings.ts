import type { By, IntervalName } from './answers';
import type { Preset } from './periods';

/** Everything that the page of numbers says. */
export interface Words {
  title: string;
  console: string;
  loading: string;
  noRights: string;
  noRightsHelp: string;
  choose: string;
  period: string;
  presets: Record<Preset, string>;
  from: string;
  to: string;
  badDays: string;
  by: string;
  bys: Record<By, string>;
  csv: string;
  print: string;
  printed(from: string, to: string): string;
  altogether: string;
  byGroup: Record<Exclude<By, 'agency'>, string>;
  interval: string;
  intervals: Record<IntervalName, [name: string, meaning: string]>;
  measured: string;
  percentile(percent: number): string;
  spread: string;
  spreadHelp: string;
  target: string;
  met: string;
  missed: string;
  open: string;
  noTarget: string;
  share(share: string, limit: string, wanted: number): string;
  priorities(all: string): string;
  priority(one: string): string;
  running(count: number): string;
  unmeasured(count: number): string;
  nothing: string;
  network: string;
  networkHelp: string;
  agencies: string;
  crossAgency: string;
  heat: string;
  heatHelp: string;
  heatNone: string;
  heatMissing: string;
  incidents(count: number): string;
  square: string;
  count: string;
  most: string;
  elsewhere(count: number): string;
  unplaced(count: number): string;
  zoomIn: string;
  zoomOut: string;
}

const en: Words = {
  title: 'Numbers',
  console: 'Console',
  loading: 'Loading…',
  noRights: 'There are no numbers for you here.',
  noRightsHelp: 'They are for supervisors, commanders, administrators and auditors.',
  choose: 'What is shown',
  period: 'Period',
  presets: {
    today: 'Today',
    week: 'Last 7 days',
    month: 'Last 30 days',
    quarter: 'Last 13 weeks',
    year: 'Last 365 days',
    days: 'From day to day',
  },
  from: 'From',
  to: 'To',
  badDays: 'Choose two days, the first not after the last.',
  by: 'Grouped by',
  bys: { agency: 'Agency', district: 'District', priority: 'Priority', type: 'Type' },
  csv: 'Save as CSV',
  print: 'Print',
  printed: (from, to) => `${from} to ${to}, Belize time`,
  altogether: 'Altogether',
  byGroup: { district: 'By district', priority: 'By priority', type: 'By type of incident' },
  interval: 'Interval',
  intervals: {
    call_to_dispatch: ['Call to dispatch', 'from the call’s receipt to the first unit sent'],
    dispatch_to_acknowledge: ['Dispatch to acknowledge', 'from the order to the crew’s word'],
    turnout: ['Turnout', 'from acknowledged to en route'],
    travel: ['Travel', 'from en route to on scene'],
    on_scene: ['On scene', 'from arrival until clear'],
  },
  measured: 'Measured',
  percentile: (percent) => `${percent} % within`,
  spread: 'Spread',
  spreadHelp: 'Full dot: 50 %. Ring: 90 %. Stroke: 95 %. Dashed line: target.',
  target: 'Target',
  met: 'Met',
  missed: 'Missed',
  open: 'Nothing to judge',
  noTarget: 'none set',
  share: (share, limit, wanted) => `${share} % within ${limit}; wanted ${wanted} %`,
  priorities: (all) => `priorities ${all}`,
  priority: (one) => `priority ${one}`,
  running: (count) => `${count} running`,
  unmeasured: (count) => `${count} not measurable`,
  nothing: 'Nothing in this period.',
  network: 'The whole network',
  networkHelp: 'Of all agencies, in this period.',
  agencies: 'agencies on the network',
  crossAgency: 'incidents with more than one agency',
  heat: 'Where incidents were',
  heatHelp: 'Incidents of the agency in squares of one kilometre (UTM 16N).',
  heatNone: 'No incident with a place on the map.',
  heatMissing: 'This browser cannot draw the map. The table has its busiest squares.',
  incidents: (count) => (count === 1 ? '1 incident' : `${count} incidents`),
  square: 'Square',
  count: 'Incidents',
  most: 'Busiest squares',
  elsewhere: (count) => `${count} far from the country.`,
  unplaced: (count) => `${count} without a place on the map.`,
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
};

const es: Words = {
  title: 'Cifras',
  console: 'Consola',
  loading: 'Cargando…',
  noRights: 'Aquí no hay cifras para usted.',
  noRightsHelp: 'Son para supervisores, comandantes, administradores y auditores.',
  choose: 'Qué se muestra',
  period: 'Período',
  presets: {
    today: 'Hoy',
    week: 'Últimos 7 días',
    month: 'Últimos 30 días',
    quarter: 'Últimas 13 semanas',
    year: 'Últimos 365 días',
    days: 'De un día a otro',
  },
  from: 'Desde',
  to: 'Hasta',
  badDays: 'Elija dos días, el primero no después del último.',
  by: 'Agrupado por',
  bys: { agency: 'Agencia', district: 'Distrito', priority: 'Prioridad', type: 'Tipo' },
  csv: 'Guardar como CSV',
  print: 'Imprimir',
  printed: (from, to) => `${from} a ${to}, hora de Belice`,
  altogether: 'En conjunto',
  byGroup: { district: 'Por distrito', priority: 'Por prioridad', type: 'Por tipo de incidente' },
  interval: 'Intervalo',
  intervals: {
    call_to_dispatch: ['De la llamada al despacho', 'hasta la primera unidad enviada'],
    dispatch_to_acknowledge: ['Del despacho al acuse', 'de la orden a la palabra del equipo'],
    turnout: ['Salida', 'del acuse a en camino'],
    travel: ['Traslado', 'de en camino a en el lugar'],
    on_scene: ['En el lugar', 'de la llegada a libre'],
  },
  measured: 'Medidos',
  percentile: (percent) => `${percent} % en`,
  spread: 'Dispersión',
  spreadHelp: 'Punto lleno: 50 %. Anillo: 90 %. Raya: 95 %. Línea discontinua: meta.',
  target: 'Meta',
  met: 'Cumplida',
  missed: 'No cumplida',
  open: 'Nada que juzgar',
  noTarget: 'sin meta',
  share: (share, limit, wanted) => `${share} % en ${limit}; se quiere ${wanted} %`,
  priorities: (all) => `prioridades ${all}`,
  priority: (one) => `prioridad ${one}`,
  running: (count) => `${count} en curso`,
  unmeasured: (count) => `${count} no medibles`,
  nothing: 'Nada en este período.',
  network: 'Toda la red',
  networkHelp: 'De todas las agencias, en este período.',
  agencies: 'agencias en la red',
  crossAgency: 'incidentes con más de una agencia',
  heat: 'Dónde hubo incidentes',
  heatHelp: 'Incidentes de la agencia en cuadros de un kilómetro (UTM 16N).',
  heatNone: 'Ningún incidente con lugar en el mapa.',
  heatMissing: 'Este navegador no puede dibujar el mapa. La tabla tiene los cuadros principales.',
  incidents: (count) => (count === 1 ? '1 incidente' : `${count} incidentes`),
  square: 'Cuadro',
  count: 'Incidentes',
  most: 'Cuadros con más incidentes',
  elsewhere: (count) => `${count} lejos del país.`,
  unplaced: (count) => `${count} sin lugar en el mapa.`,
  zoomIn: 'Acercar',
  zoomOut: 'Alejar',
};

export const texts = { en, es };
