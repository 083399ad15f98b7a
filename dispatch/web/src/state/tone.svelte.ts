const HIGH = 988;
const LOW = 740;
const STEP = 0.22;
const EVERY = 2_200;
const LOUDNESS = 0.18;

/**
 * The sound of an emergency: two notes, twice, every two seconds until it is stopped. Made by the
 * browser itself, so it needs no file and sounds the same everywhere.
 */
export class AlarmTone {
  /** The browser plays nothing before the first click or key on the page. */
  blocked = $state(false);
  #sounding = false;
  #context: AudioContext | null = null;
  #timer = 0;

  start(): void {
    if (this.#sounding) return;
    this.#sounding = true;
    this.#context ??= new AudioContext();
    this.#timer = setInterval(() => this.#play(), EVERY) as unknown as number;
    this.#play();
  }

  stop(): void {
    this.#sounding = false;
    this.blocked = false;
    clearInterval(this.#timer);
  }

  /** Somebody touched the page: from now on sound is allowed. */
  allow(): void {
    if (!this.#sounding || !this.blocked) return;
    this.#play();
  }

  #play(): void {
    const context = this.#context;
    if (!context) return;
    if (context.state === 'running') {
      this.blocked = false;
      [HIGH, LOW, HIGH, LOW].forEach((pitch, index) => note(context, pitch, index * STEP));
      return;
    }
    this.blocked = true;
    void context.resume().then(() => {
      if (this.#sounding && this.blocked) this.#play();
    });
  }
}

function note(context: AudioContext, pitch: number, after: number): void {
  const begin = context.currentTime + after;
  const source = context.createOscillator();
  const volume = context.createGain();
  source.type = 'triangle';
  source.frequency.value = pitch;
  // Ramps, because a tone that is cut clicks.
  volume.gain.setValueAtTime(0, begin);
  volume.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.02);
  volume.gain.setValueAtTime(LOUDNESS, begin + STEP - 0.04);
  volume.gain.linearRampToValueAtTime(0, begin + STEP);
  source.connect(volume).connect(context.destination);
  source.start(begin);
  source.stop(begin + STEP);
}
