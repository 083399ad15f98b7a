import type { Spoken } from './strings';

/** What is said of voice groups. */
const en = {
  radio: {
    title: 'Radio',
    talk: 'Talk',
    talkIn: (group: string) => `Talk in ${group}`,
    talking: 'You talk',
    asked: 'Asking…',
    queued: (position: number) => (position === 1 ? 'You are next' : `${position}th in line`),
    ending: 'Your time is nearly over',
    quiet: 'Quiet',
    calls: { peril: 'Imminent peril', emergency: 'Emergency' },
    mute: (group: string) => `Mute ${group}`,
    unmute: (group: string) => `Hear ${group}`,
    ear: (group: string) => `Ear for ${group}`,
    ears: { both: 'Both', left: 'Left', right: 'Right' },
    leave: (group: string) => `Leave ${group}`,
    choose: (group: string) => `F8 talks in ${group}`,
    add: 'Listen to…',
    none: 'No group is heard here.',
    incident: (number: string) => `Incident ${number}`,
    call: 'Call',
    blocked: 'Click once, and this browser lets you hear.',
    lacks: {
      no_opus: 'This browser cannot talk: it has no Opus. Use a present Chromium or Edge.',
      not_allowed: 'The microphone is not allowed here. Allow it in the address bar.',
      no_microphone: 'There is no microphone, or it was unplugged. Plug it in and press again.',
      insecure: 'Voice needs a secure address (https).',
    },
    shortcut: 'Talk in the chosen group, as long as it is held',
  },
};

const es: Spoken<typeof en> = {
  radio: {
    title: 'Radiocomunicación',
    talk: 'Hablar',
    talkIn: (group) => `Hablar en ${group}`,
    talking: 'Usted habla',
    asked: 'Pidiendo…',
    queued: (position) =>
      position === 1 ? 'Usted es el siguiente' : `Número ${position} en la cola`,
    ending: 'Su tiempo casi termina',
    quiet: 'En silencio',
    calls: { peril: 'Peligro inminente', emergency: 'Emergencia' },
    mute: (group) => `Silenciar ${group}`,
    unmute: (group) => `Oír ${group}`,
    ear: (group) => `Oído para ${group}`,
    ears: { both: 'Ambos', left: 'Izquierdo', right: 'Derecho' },
    leave: (group) => `Dejar ${group}`,
    choose: (group) => `F8 habla en ${group}`,
    add: 'Escuchar…',
    none: 'Aquí no se oye ningún grupo.',
    incident: (number) => `Incidente ${number}`,
    call: 'Llamada',
    blocked: 'Haga clic una vez para que este navegador le deje oír.',
    lacks: {
      no_opus: 'Este navegador no puede hablar: le falta Opus. Use un Chromium o Edge actual.',
      not_allowed: 'El micrófono no está permitido aquí. Permítalo en la barra de direcciones.',
      no_microphone: 'No hay micrófono, o se desconectó. Conéctelo y pulse de nuevo.',
      insecure: 'La voz necesita una dirección segura (https).',
    },
    shortcut: 'Hablar en el grupo elegido mientras se mantiene pulsada',
  },
};

export const voiceWords = { en, es };
