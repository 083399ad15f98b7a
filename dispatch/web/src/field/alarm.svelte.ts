import { ManDown, type Armed } from './manDown';
import { RedButton, type Counting, type Stage } from './redButton';

const LOOK_EVERY = 100;
/** Of what moves all the time the disk is told only so often. */
const KEEP_EVERY = 10_000;

/** How long it is told that the button must be held, ms. */
const TELL_FOR = 5_000;

/** Where it is kept that the timer is armed, and that it counts down. */
export interface Keep {
  load(): Armed | null;
  save(armed: Armed | null): void;
  loadCounting(): Counting | null;
  saveCounting(counting: Counting | null): void;
}
/** `at`: when it was over, milliseconds of this device's clock. */
type Press = (how: Counting['how'], at: number) => void;

/** The red button and the man-down timer of this tablet, with clock, sensors and screen. */
export class Alarm {
  stage = $state<Stage>('rest');
  /** How far the button is held, from 0 to 1. */
  held = $state(0);
  /** Seconds until it is an emergency. */
  left = $state(0);
  /** What began the countdown. */
  how = $state<Counting['how']>('button');
  /** The button was let go too soon: it is told that it must be held. */
  short = $state(false);
  /** Of the man-down timer; 0 when it is not armed. */
  minutes = $state(0);
  #button = new RedButton();
  #manDown = new ManDown();
  #press: Press;
  #keep: Keep;
  #kept: Armed | null = null;
  /** What is on disk of the countdown. */
  #counting: Counting | null = null;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #wake: WakeLockSentinel | null = null;

  constructor(press: Press, keep: Keep) {
    this.#press = press;
    this.#keep = keep;
    this.#kept = keep.load();
    if (this.#kept) this.#manDown.resume(this.#kept, Date.now());
    this.minutes = this.#kept?.minutes ?? 0;
    this.#resume();
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
    if (this.#button.up(performance.now())) this.#tell();
    this.#show();
  }

  cancel(): void {
    this.#button.cancel();
    this.#show();
  }

  now(): void {
    // Pressed before it is forgotten: whatever dies in between, it is an emergency.
    this.#press(this.how, Date.now());
    this.cancel();
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

  /** A countdown that nobody cancelled before a restart goes on, or is over. */
  #resume(): void {
    this.#counting = this.#keep.loadCounting();
    if (!this.#counting) return;
    this.how = this.#counting.how;
    const now = performance.now();
    this.#button.resume(now + this.#counting.ends - Date.now(), now);
    this.#follow();
  }

  #tell(): void {
    this.short = true;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => (this.short = false), TELL_FOR);
  }

  /** What counts down is on disk as long as it does. */
  #note(now: number): void {
    if ((this.stage === 'counting') === (this.#counting !== null)) return;
    const ends = Math.round(Date.now() + this.#button.ends - now);
    this.#counting = this.stage === 'counting' ? { how: this.how, ends } : null;
    this.#keep.saveCounting(this.#counting);
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
      if (this.#button.tick(performance.now()))
        this.#press(this.how, this.#counting?.ends ?? Date.now());
      this.#show();
    }, LOOK_EVERY);
  }

  #show(): void {
    const now = performance.now();
    this.stage = this.#button.stage;
    this.held = this.#button.held(now);
    this.left = this.stage === 'counting' ? Math.ceil((this.#button.ends - now) / 1000) : 0;
    this.#note(now);
    if (this.stage === 'counting') this.short = false;
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
