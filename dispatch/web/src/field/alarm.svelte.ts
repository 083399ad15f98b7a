import { ManDown } from './manDown';
import { RedButton, type Stage } from './redButton';

const LOOK_EVERY = 100;

/** The red button and the man-down timer of this tablet, with clock, sensors and screen. */
export class Alarm {
  stage = $state<Stage>('rest');
  /** How far the button is held, from 0 to 1. */
  held = $state(0);
  /** Seconds until it is an emergency. */
  left = $state(0);
  /** What began the countdown. */
  how = $state<'button' | 'man_down'>('button');
  armed = $state(false);
  #button = new RedButton();
  #manDown = new ManDown();
  #press: (how: 'button' | 'man_down') => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #wake: WakeLockSentinel | null = null;

  constructor(press: (how: 'button' | 'man_down') => void) {
    this.#press = press;
    setInterval(() => this.#watch(), 1_000);
    addEventListener('pointerdown', () => this.#manDown.moved(Date.now()), { capture: true });
    addEventListener('keydown', () => this.#manDown.moved(Date.now()), { capture: true });
    addEventListener('devicemotion', ({ accelerationIncludingGravity: felt }) => {
      if (felt) this.#manDown.felt(Math.hypot(felt.x ?? 0, felt.y ?? 0, felt.z ?? 0), Date.now());
    });
    document.addEventListener('visibilitychange', () => void this.#keepScreenOn());
  }

  down(): void {
    if (this.stage === 'rest') this.how = 'button';
    this.#button.down(performance.now());
    this.#follow();
  }

  up(): void {
    this.#button.up(performance.now());
    this.#show();
  }

  cancel(): void {
    this.#button.cancel();
    this.#show();
  }

  now(): void {
    const { how } = this;
    this.cancel();
    this.#press(how);
  }

  arm(minutes: number): void {
    this.armed = minutes > 0;
    if (this.armed) this.#manDown.arm(minutes, Date.now());
    else this.#manDown.disarm();
    void this.#keepScreenOn();
  }

  travelled(metres: number): void {
    this.#manDown.travelled(metres, Date.now());
  }

  #watch(): void {
    if (this.stage !== 'rest' || !this.#manDown.due(Date.now())) return;
    this.how = 'man_down';
    this.#button.count(performance.now());
    this.#follow();
  }

  #follow(): void {
    this.#show();
    this.#timer ??= setInterval(() => {
      if (this.#button.tick(performance.now())) this.#press(this.how);
      this.#show();
    }, LOOK_EVERY);
  }

  #show(): void {
    const now = performance.now();
    this.stage = this.#button.stage;
    this.held = this.#button.held(now);
    this.left = this.stage === 'counting' ? Math.ceil((this.#button.ends - now) / 1000) : 0;
    if (this.stage !== 'rest') return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A page whose screen went off is stopped by the system, and its timers with it. */
  async #keepScreenOn(): Promise<void> {
    try {
      if (this.armed && !document.hidden) {
        this.#wake ??= (await navigator.wakeLock?.request('screen')) ?? null;
        this.#wake?.addEventListener('release', () => (this.#wake = null), { once: true });
      } else if (!this.armed) await this.#wake?.release();
    } catch {
      // Refused with an empty battery; the timer then runs while the screen is on by itself.
    }
  }
}
