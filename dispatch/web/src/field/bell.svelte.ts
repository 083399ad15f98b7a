import { AlarmTone } from '../state/tone.svelte';

const SHAKE: Record<'ring' | 'alarm', number[]> = {
  ring: [400, 200, 400],
  alarm: [900, 100, 900, 100, 900],
};
const EVERY = 2_200;

/** Rings and vibrates, or vibrates alone, until it is told to be still. */
export class Bell {
  readonly tone = new AlarmTone();
  #how: 'ring' | 'alarm' | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    addEventListener('pointerdown', () => this.tone.allow(), { capture: true });
  }

  /** `alarm` makes no sound: who is in danger may be hiding. */
  be(how: 'ring' | 'alarm' | null): void {
    if (how === this.#how) return;
    this.#how = how;
    clearInterval(this.#timer);
    if (how === 'ring') this.tone.start();
    else this.tone.stop();
    if (!how) return;
    const shake = (): void => void navigator.vibrate?.(SHAKE[how]);
    this.#timer = setInterval(shake, EVERY);
    shake();
  }
}
