import type { Answer } from '../../state/http';
import type { LogEntry } from './entries';

const MOST = 500;

/** The log of one incident, read on from where it had got to whenever it has grown. */
export class IncidentLog {
  entries = $state.raw<readonly LogEntry[]>([]);
  problem = $state('');
  #through = 0;
  #wanted = 0;
  #reading = false;

  constructor(
    private readonly incident: number,
    private readonly get: (path: string) => Promise<Answer<{ events: LogEntry[] }>>,
  ) {}

  /** Entries up to this sequence are there, as far as they are shown to one's agency. */
  async upTo(head: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, head);
    if (this.#reading) return;
    this.#reading = true;
    while (this.#through < this.#wanted) {
      const until = this.#wanted;
      const path = `/api/incidents/${this.incident}/log?after=${this.#through}`;
      const answer = await this.get(path);
      this.problem = answer.ok ? '' : answer.text;
      if (!answer.ok) break;
      const { events } = answer.value;
      const newest = events.at(-1)?.seq ?? 0;
      this.entries = [...this.entries, ...events.filter(({ seq }) => seq > this.#through)];
      // Private entries of other agencies are numbers that never come.
      this.#through = events.length < MOST ? Math.max(until, newest) : newest;
    }
    this.#reading = false;
  }
}
