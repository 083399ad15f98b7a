import { ManDown, type Armed } from './manDown';
import { RedButton, type Stage } from './redButton';

const LOOK_EVERY = 100;
/** Of what moves all the time the disk is told only so often. */
const KEEP_EVERY = 10_000;

/** Where it is kept that the timer is armed. */
export interface Keep {
  load(): Armed | null;
  save(armed: Armed | null): void;
}

/** The red button and the man-down timer of this tablet, with clock, sensors and screen. */
export class Alarm {
  stage = $state<Stage>('rest');
  /** How far the button is held, from 0 to 1. */
  held = $state(0);
  /** Seconds until it is an emergency. */
  left = $state(0);
  /** What began the countdown. */
  how = $state<'button' | 'man_down'>('button');
  /** Of the man-down timer; 0 when it is not armed. */
  minutes = $state(0);
  #button = new RedButton();
  #manDown = new ManDown();
  #press: (how: 'button' | 'man_down') => void;
  #keep: Keep;
  #kept: Armed | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #wake: WakeLockSentinel | null = null;

  constructor(press: (how: 'button' | 'man_down') => void, keep: Keep) {
    this.#press = press;
    this.#keep = keep;
    this.#kept = keep.load();
    if (this.#kept) this.#manDown.resume(this.#kept, Date.now());
    this.minutes = this.#kept?.minutes ?? 0;
    void this.#keepScreenOn();
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
    this.minutes = minutes;
    if (minutes > 0) this.#manDown.arm(minutes, Date.now());
    else this.#manDown.disarm();
    this.#save();
    void this.#keepScreenOn();
  }

  travelled(metres: number): void {
    this.#manDown.travelled(metres, Date.now());
  }

  #save(): void {
    this.#kept = this.#manDown.armed;
    this.#keep.save(this.#kept);
  }

  #watch(): void {
    // What counts down is kept as it was: a restart in the middle of it puts nothing off.
    if (this.stage !== 'rest') return;
    if (!this.#manDown.due(Date.now())) {
      const { armed } = this.#manDown;
      if (armed && Math.abs(armed.moved - (this.#kept?.moved ?? 0)) >= KEEP_EVERY) this.#save();
      return;
    }
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
      if (this.minutes > 0 && !document.hidden) {
        this.#wake ??= (await navigator.wakeLock?.request('screen')) ?? null;
        this.#wake?.addEventListener('release', () => (this.#wake = null), { once: true });
      } else if (this.minutes === 0) await this.#wake?.release();
    } catch {
      // Refused with an empty battery; the timer then runs while the screen is on by itself.
    }
  }
}
