import type { Answered, Board, Refusal } from './board.svelte';
import type { Draft } from './drafts.svelte';

/** Something that is asked for at one place of the page: that it was taken, and why it was refused. */
export class Doing {
  #busy = $state<string | null>(null);
  #refused = $state.raw<Refusal | null>(null);

  constructor(
    private readonly board: () => Board | null,
    /** What is typed for it: that stays until it is done, and so does the refusal. */
    private readonly draft: Pick<
      Draft<object>,
      'sent' | 'refused' | 'send' | 'refuse' | 'unsent'
    > | null = null,
  ) {}

  /** What is under way, by the name of its action; what was sent before a reload too. */
  get busy(): string | null {
    const sent = this.draft?.sent ?? null;
    const waits = sent === null ? [] : (this.board()?.waiting ?? []);
    return this.#busy ?? waits.find(({ id }) => id === sent)?.what ?? null;
  }

  get refused(): Refusal | null {
    return this.draft ? this.draft.refused : this.#refused;
  }

  set refused(refusal: Refusal | null) {
    if (this.draft) this.draft.refused = refusal;
    else this.#refused = refusal;
  }

  /** Whether it was done. What was refused stays here to be read. */
  async run(what: string, body: Record<string, unknown>): Promise<boolean> {
    return (await this.ask(what, body)).ok;
  }

  /** The same, with the answer. */
  async ask(what: string, body: Record<string, unknown>): Promise<Answered> {
    const board = this.board();
    if (!board) return { ok: false, code: 'signed_out', text: '', todo: '' };
    this.#busy = what;
    this.refused = null;
    const answer = await board.do(what, body, this.draft?.send());
    this.#busy = null;
    if (answer.ok) return answer;
    if (answer.code === 'discarded') this.draft?.unsent();
    else this.#refuse(answer);
    return answer;
  }

  #refuse(why: Refusal): void {
    if (this.draft) this.draft.refuse(why);
    else this.#refused = why;
  }
}
