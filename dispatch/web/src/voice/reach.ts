/** What is told of a group that radios do not hear now as others do (docs/wire.md, `reach`). */

import type { Reached } from '../wire/frames';

type Words = Readonly<Record<Exclude<Reached, 'heard'>, { brief: string; whole: string }>>;

const en: Words = {
  partly: {
    brief: 'Radios: some wait',
    whole:
      'Some radios do not hear you yet: at their site the channel is taken. They hear you as soon as it is free.',
  },
  busy: {
    brief: 'Radios: wait',
    whole:
      'Radios do not hear you yet: their channel is taken. They hear you as soon as it is free.',
  },
  voiceless: {
    brief: 'Radios: no voice',
    whole: 'Radios do not hear this group: the radio bridge has no vocoder. Send them a message.',
  },
  lost: {
    brief: 'Radios: no link',
    whole: 'Radios do not hear this group: there is no link to them. Reach them another way.',
  },
};

const es: Words = {
  partly: {
    brief: 'Radios: algunos esperan',
    whole:
      'Algunos radios aún no le oyen: en su sitio el canal está ocupado. Le oirán en cuanto se libere.',
  },
  busy: {
    brief: 'Radios: espere',
    whole: 'Los radios aún no le oyen: su canal está ocupado. Le oirán en cuanto se libere.',
  },
  voiceless: {
    brief: 'Radios: sin voz',
    whole: 'Los radios no oyen este grupo: el puente no tiene vocodificador. Envíeles un mensaje.',
  },
  lost: {
    brief: 'Radios: sin enlace',
    whole: 'Los radios no oyen este grupo: no hay enlace con ellos. Avíseles por otro medio.',
  },
};

/** `brief` beside a group's name; `whole` while one looks at it, or talks there. */
export const reachWords = { en, es };
