/** Size of a label in CSS pixels, and how many fit on the sheet. */
export const LABEL = { width: 128, height: 18, columns: 8, rows: 64 } as const;
const SLOTS = LABEL.columns * LABEL.rows;
const FONT = '600 12px "Atkinson Hyperlegible Next Variable", sans-serif';

/**
 * Callsigns drawn into one texture, a slot each. The oldest unused slot is given to the next
 * label, so that a sheet of {@link SLOTS} serves any number of units.
 */
export class LabelSheet {
  readonly canvas: HTMLCanvasElement;
  readonly capacity = SLOTS;
  dirty = true;
  #context: CanvasRenderingContext2D | null;
  #slots = new Map<string, number>();
  #widths = new Map<string, number>();

  constructor(
    readonly ratio: number,
    readonly ink: { text: string; halo: string },
  ) {
    this.canvas = document.createElement('canvas');
    this.canvas.width = LABEL.width * LABEL.columns * ratio;
    this.canvas.height = LABEL.height * LABEL.rows * ratio;
    this.#context = this.canvas.getContext('2d');
    this.#context?.scale(ratio, ratio);
  }

  /** Width of a label in CSS pixels. */
  width(text: string): number {
    const known = this.#widths.get(text);
    if (known !== undefined) return known;
    if (this.#context) this.#context.font = FONT;
    const width = Math.min(LABEL.width, (this.#context?.measureText(text).width ?? 60) + 6);
    this.#widths.set(text, width);
    return width;
  }

  /** Slot of each text, drawing those that are new. At most {@link capacity} texts. */
  slots(texts: readonly string[]): number[] {
    const wanted = new Set(texts);
    const missing = [...wanted].filter((text) => !this.#slots.has(text));
    if (missing.length > 0) {
      const free = this.#free(missing.length, wanted);
      missing.forEach((text, index) => {
        const slot = free[index];
        if (slot !== undefined) this.#draw(text, slot);
      });
      this.dirty = true;
    }
    return texts.map((text) => this.#slots.get(text) ?? -1);
  }

  #free(count: number, wanted: ReadonlySet<string>): number[] {
    const free: number[] = [];
    for (let slot = this.#slots.size; slot < SLOTS && free.length < count; slot++) free.push(slot);
    for (const [text, slot] of this.#slots) {
      if (free.length >= count) break;
      if (wanted.has(text)) continue;
      this.#slots.delete(text);
      free.push(slot);
    }
    return free;
  }

  #draw(text: string, slot: number): void {
    const context = this.#context;
    this.#slots.set(text, slot);
    if (!context) return;
    const x = (slot % LABEL.columns) * LABEL.width;
    const y = Math.floor(slot / LABEL.columns) * LABEL.height;
    context.clearRect(x, y, LABEL.width, LABEL.height);
    context.save();
    context.beginPath();
    context.rect(x, y, LABEL.width, LABEL.height);
    context.clip();
    context.font = FONT;
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 3.5;
    context.strokeStyle = this.ink.halo;
    context.strokeText(text, x + 2, y + LABEL.height / 2 + 0.5);
    context.fillStyle = this.ink.text;
    context.fillText(text, x + 2, y + LABEL.height / 2 + 0.5);
    context.restore();
  }
}
