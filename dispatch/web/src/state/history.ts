/** What was typed before: arrow up goes back, arrow down forward to what is being typed. */
export class History {
  #lines: string[];
  #at: number;
  /** What was being typed when going back began. */
  #present = '';

  constructor(lines: readonly string[] = []) {
    this.#lines = [...lines];
    this.#at = this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    if (line && this.#lines.at(-1) !== line) this.#lines = [...this.#lines, line].slice(-100);
    this.#at = this.#lines.length;
    this.#present = '';
  }

  up(current: string): string {
    if (this.#at === this.#lines.length) this.#present = current;
    if (this.#at > 0) this.#at -= 1;
    return this.#lines[this.#at] ?? current;
  }

  down(current: string): string {
    if (this.#at === this.#lines.length) return current;
    this.#at += 1;
    return this.#lines[this.#at] ?? this.#present;
  }
}
