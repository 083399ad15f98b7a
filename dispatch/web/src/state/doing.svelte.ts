import type { Answered, Board } from './board.svelte';

export interface Refusal {
  code: string;
  text: string;
  todo: string;
}

/** Something that is asked for at one place of the page: that it was taken, and why it was refused. */
export class Doing {
  /** What is under way, by the name of its action. */
  busy = $state<string | null>(null);
  refused = $state.raw<Refusal | null>(null);
  /** What was asked for last, to ask for it again another way. */
  last: { what: string; body: Record<string, unknown> } | null = null;

  constructor(private readonly board: () => Board | null) {}

  /** Whether it was done. What was refused stays here to be read. */
  async run(what: string, body: Record<string, unknown>): Promise<boolean> {
    return (await this.ask(what, body)).ok;
  }

  /** The same, with the answer. */
  async ask(what: string, body: Record<string, unknown>): Promise<Answered> {
    const board = this.board();
    if (!board) return { ok: false, code: 'signed_out', text: '', todo: '' };
    this.busy = what;
    this.refused = null;
    this.last = { what, body };
    const answer = await board.do(what, body);
    this.busy = null;
    if (!answer.ok && answer.code !== 'discarded')
      this.refused = { code: answer.code, text: answer.text, todo: answer.todo };
    return answer;
  }
}
