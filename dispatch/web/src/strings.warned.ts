import type { Spoken } from './strings';

/** What is said of warnings that are in force, on consoles and tablets. */
const en = {
  warned: {
    title: 'Warnings',
    statuses: { Actual: 'Actual', Exercise: 'Exercise', Test: 'Test' },
    states: { in_force: 'In force', cancelled: 'Cancelled', expired: 'Over' },
    until: (time: string) => `until ${time}`,
    left: (left: string) => `${left} left`,
    from: (sender: string) => `From ${sender}`,
    confirm: 'I have read it',
    confirmThis: (what: string) => `I have read it: ${what}`,
    unfold: (what: string) => `Read again: ${what}`,
    blocked: 'Click anywhere to hear the signal',
  },
};
const es: Spoken<typeof en> = {
  warned: {
    title: 'Avisos',
    statuses: { Actual: 'Real', Exercise: 'Simulacro', Test: 'Prueba' },
    states: { in_force: 'Vigente', cancelled: 'Cancelado', expired: 'Terminado' },
    until: (time) => `hasta ${time}`,
    left: (left) => `quedan ${left}`,
    from: (sender) => `De ${sender}`,
    confirm: 'Lo he leído',
    confirmThis: (what) => `Lo he leído: ${what}`,
    unfold: (what) => `Leer de nuevo: ${what}`,
    blocked: 'Haga clic en cualquier parte para oír la señal',
  },
};

export const warnedWords = { en, es };
export type WarnedWords = (typeof en)['warned'];
