/** What crews fill in. A form is data: a new one needs no code. */

interface Label {
  en: string;
  es: string;
}
export interface Field {
  name: string;
  label: Label;
  kind: 'line' | 'text' | 'number' | 'choice';
  choices?: readonly (Label & { value: string })[];
}
export interface Form {
  name: string;
  title: Label;
  fields: readonly Field[];
}
export type Values = Record<string, string>;

const line = (name: string, en: string, es: string): Field => ({
  name,
  label: { en, es },
  kind: 'line',
});
const text = (name: string, en: string, es: string): Field => ({
  ...line(name, en, es),
  kind: 'text',
});
const number = (name: string, en: string, es: string): Field => ({
  ...line(name, en, es),
  kind: 'number',
});
const choice = (
  name: string,
  en: string,
  es: string,
  ...choices: readonly [value: string, en: string, es: string][]
): Field => ({
  ...line(name, en, es),
  kind: 'choice',
  choices: choices.map(([value, english, spanish]) => ({ value, en: english, es: spanish })),
});

export const FORMS: readonly Form[] = [
  {
    name: 'note',
    title: { en: 'Incident note', es: 'Nota del incidente' },
    fields: [text('text', 'What happened', 'Qué pasó')],
  },
  {
    name: 'boat',
    title: { en: 'Use of boat', es: 'Uso de lancha' },
    fields: [
      line('boat', 'Boat', 'Lancha'),
      line('skipper', 'Skipper', 'Capitán'),
      number('persons', 'Persons on board', 'Personas a bordo'),
      line('from', 'From', 'Desde'),
      line('to', 'To', 'Hasta'),
      number('hours', 'Engine hours', 'Horas de motor'),
      number('fuel', 'Fuel used (gallons)', 'Combustible usado (galones)'),
      text('remarks', 'Damage, remarks', 'Daños, observaciones'),
    ],
  },
  {
    name: 'damage',
    title: { en: 'Damage assessment', es: 'Evaluación de daños' },
    fields: [
      line('place', 'Place', 'Lugar'),
      choice(
        'what',
        'What',
        'Qué',
        ['House', 'House', 'Casa'],
        ['Road', 'Road', 'Camino'],
        ['Bridge', 'Bridge', 'Puente'],
        ['Power', 'Power', 'Electricidad'],
        ['Water', 'Water', 'Agua'],
        ['Other', 'Other', 'Otro'],
      ),
      choice(
        'degree',
        'Damage',
        'Daño',
        ['None', 'None', 'Ninguno'],
        ['Minor', 'Minor', 'Leve'],
        ['Major', 'Major', 'Grave'],
        ['Destroyed', 'Destroyed', 'Destruido'],
      ),
      number('hurt', 'Injured', 'Heridos'),
      number('homeless', 'Need shelter', 'Necesitan refugio'),
      text('needs', 'What is needed', 'Qué se necesita'),
    ],
  },
];

/** A form as the log of an incident shows it: English, the language of the control rooms. */
export function readable(form: Form, values: Values): string {
  const said = form.fields
    .map((field) => ({ label: field.label.en, value: (values[field.name] ?? '').trim() }))
    .filter(({ value }) => value !== '');
  if (form.fields.length === 1) return said[0]?.value ?? '';
  if (said.length === 0) return '';
  return [form.title.en, ...said.map(({ label, value }) => `${label}: ${value}`)].join('\n');
}
