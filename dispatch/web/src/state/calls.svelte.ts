import { withoutControls } from './bidi';
import type { Call } from '../wire/items';
import type { Answered, Board } from './board.svelte';
import { newActionId } from './board.svelte';
import {
  fieldsOf,
  NO_ENDING,
  noFields,
  toSend,
  type Ending,
  type Field,
  type Fields,
  type Kept,
} from './callDraft';
import type { Shelf } from './storage';

/** The server gets what is typed this often, milliseconds. */
export const SEND_EVERY = 400;
/** What was typed here is not replaced by what comes for so long, milliseconds. */
const OWN_FOR = 5_000;
/** Where the key of the call on the screen is kept. */
const OPEN = 'call-open';

export type Standing = 'mine' | 'lost' | 'ended' | 'refused';

/** A call that I have: kept here at every key, on the server half a second later. */
export class Draft {
  fields = $state.raw<Fields>(noFields('911'));
  ending = $state.raw<Ending>(NO_ENDING);
  /** None until the server has answered that it is taken. */
  call = $state<number | null>(null);
  number = $state('');
  /** What the server has yet to be sent. */
  unsent = $state.raw<readonly Field[]>([]);
  /** Whether the call is still mine. */
  standing = $state<Standing>('mine');
  /** Who has it now. */
  with = $state('');
  /** Why the last thing that was asked was not done. */
  problem = $state.raw<Extract<Answered, { ok: false }> | null>(null);
  /** Its end is asked for, and not answered yet. */
  closing = $state(false);
  /** False when the browser could not keep what was typed last. */
  stored = $state(true);
  /** Another window of mine keeps it. */
  borrowed = false;
  /** It has stood on the board; when it does no more, it has ended. */
  seen = false;
  /** The field that is being typed into. */
  focused: Field | null = null;
  /** When each field was last typed into. */
  readonly typed = new Map<Field, number>();
  timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** Also the id of the action that took it. */
    readonly key: string,
    readonly line: Call['line'],
  ) {}

  kept(): Kept {
    const { call, line, fields, unsent, ending } = this;
    return { call, line, fields, unsent: [...unsent], ending };
  }
}

/** The calls that I have, and how they are typed, kept and ended. */
export class Calls {
  drafts = $state.raw<readonly Draft[]>([]);
  /** The one on the screen; none: those that wait. */
  open = $state.raw<Draft | null>(null);
  /** Counts calls that were taken: the form then begins. */
  begun = $state(0);
  /** What became of the last call, in words. */
  said = $state('');
  /** The call that was picked up last: it is shown as soon as it is mine. */
  #wanted = 0;

  constructor(
    private readonly board: Board,
    private readonly shelf: Shelf,
    private readonly me: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    for (const key of this.#keys()) {
      const kept = this.#kept(key);
      if (kept) this.#restore(key, kept);
    }
    const [was] = this.shelf.own<string>(OPEN);
    this.open = this.drafts.find(({ key }) => key === was) ?? this.drafts[0] ?? null;
  }

  /** False when something that is typed of a call is not kept in this browser. */
  kept = $derived(this.drafts.every(({ stored }) => stored));

  /** Nobody is here any more: what was typed stays where it is kept. */
  stop(): void {
    for (const draft of this.drafts) clearTimeout(draft.timer);
  }

  /** A new call: it goes out before anything is typed. By the same key it is the same call. */
  take(line: Call['line'] = '911', key = newActionId()): Draft {
    const draft = new Draft(key, line);
    draft.fields = noFields(line);
    this.#add(draft);
    this.#save(draft);
    this.#ask(draft);
    this.show(draft);
    return draft;
  }

  show(draft: Draft | null): void {
    this.#open(draft);
    this.said = '';
    this.begun += 1;
  }

  /** The next of my calls. */
  next(): void {
    const at = this.open ? this.drafts.indexOf(this.open) : -1;
    this.show(this.drafts[(at + 1) % Math.max(1, this.drafts.length)] ?? null);
  }

  change<F extends Field>(draft: Draft, field: F, value: Fields[F]): void {
    draft.fields = { ...draft.fields, [field]: withoutControls(value) };
    draft.typed.set(field, this.now());
    if (!draft.unsent.includes(field)) draft.unsent = [...draft.unsent, field];
    this.#save(draft);
    draft.timer ??= setTimeout(() => this.send(draft), SEND_EVERY);
  }

  end(draft: Draft, ending: Partial<Ending>): void {
    draft.ending = { ...draft.ending, ...withoutControls(ending) };
    this.#save(draft);
  }

  /** Send what is unsent, without waiting any longer. */
  send(draft: Draft): void {
    clearTimeout(draft.timer);
    draft.timer = undefined;
    if (draft.call === null || draft.standing !== 'mine') return;
    const body = toSend(draft.fields, draft.unsent);
    if (Object.keys(body).length === 0) return;
    // The board keeps it before it counts as sent.
    const answer = this.board.do('call.change', { call: draft.call, ...body });
    draft.unsent = draft.unsent.filter((field) => !(field in body));
    this.#save(draft);
    void answer.then((answered) => (draft.problem = answered.ok ? null : answered));
  }

  /** Whether everything that was typed has been answered. */
  settled(draft: Draft): boolean {
    return draft.unsent.length === 0 && draft.call !== null && !this.#underWay(draft);
  }

  /** End a call by an action of its own; it stays with all that was typed when it is refused. */
  async finish(draft: Draft, what: string, body: Record<string, unknown>): Promise<Answered> {
    this.send(draft);
    draft.closing = true;
    const answer = await this.board.do(what, { call: draft.call, ...body });
    draft.closing = false;
    if (answer.ok) this.#remove(draft);
    else draft.problem = answer;
    return answer;
  }

  /** Put a call away that is no longer mine. */
  dismiss(draft: Draft): void {
    this.#remove(draft);
  }

  /** Take a call that waits, or with `over` one that somebody else has. */
  pickUp(call: number, over = false): Promise<Answered> {
    this.#wanted = call;
    return this.board.do('call.pick_up', { call, over });
  }

  /** The board has changed. */
  look(): void {
    for (const draft of this.drafts) {
      const call = this.board.get('call', draft.call);
      if (call) this.#compare(draft, call);
      else if (draft.seen && this.board.complete) this.#over(draft, 'ended', '');
    }
    // A call that has just been taken here is known by its answer first.
    if (this.drafts.some((draft) => draft.call === null && draft.standing === 'mine')) return;
    for (const call of this.board.all('call')) {
      const mine = call.state === 'taken' && call.taken_by === this.me;
      if (mine && !this.drafts.some((draft) => draft.call === call.id)) this.#adopt(call);
    }
  }

  #compare(draft: Draft, call: Call): void {
    draft.number = call.number;
    draft.seen = true;
    if (call.state !== 'taken') this.#over(draft, 'ended', '');
    else if (call.taken_by !== this.me) this.#over(draft, 'lost', call.taken_by_name ?? '');
    else {
      draft.standing = 'mine';
      this.#merge(draft, call);
    }
  }

  /** What came from elsewhere, into fields that nobody is typing into here. */
  #merge(draft: Draft, call: Call): void {
    if (this.#underWay(draft)) return;
    const theirs = fieldsOf(call);
    const fields = { ...draft.fields };
    let any = false;
    for (const field of Object.keys(theirs) as Field[]) {
      const recent = this.now() - (draft.typed.get(field) ?? -Infinity) < OWN_FOR;
      if (recent || draft.unsent.includes(field) || draft.focused === field) continue;
      if (JSON.stringify(fields[field]) === JSON.stringify(theirs[field])) continue;
      Object.assign(fields, { [field]: theirs[field] });
      any = true;
    }
    if (any) draft.fields = fields;
  }

  #over(draft: Draft, standing: Standing, name: string): void {
    if (draft.closing) return;
    // Ended in another window of mine, with all that was typed: nothing to say.
    if (standing === 'ended' && draft.unsent.length === 0 && !this.#underWay(draft)) {
      this.#remove(draft);
      return;
    }
    draft.standing = standing;
    draft.with = name;
  }

  #adopt(call: Call): void {
    // What another window of mine keeps of it is not kept twice, nor written over.
    const key = this.#keys().find((one) => this.#kept(one)?.call === call.id);
    const draft = new Draft(key ?? newActionId(), call.line);
    draft.call = call.id;
    draft.number = call.number;
    draft.seen = true;
    draft.borrowed = key !== undefined;
    draft.fields = fieldsOf(call);
    draft.ending = { ...NO_ENDING, ...(key && this.#kept(key)?.ending) };
    this.#add(draft);
    if (!draft.borrowed) this.#save(draft);
    if (!this.open || this.#wanted === call.id) this.show(draft);
  }

  #restore(key: string, kept: Kept): void {
    // Two windows of mine heard of it at once, and both have kept it.
    const twice = kept.call !== null && this.drafts.some(({ call }) => call === kept.call);
    if (twice && kept.unsent.length === 0) {
      this.#forget(key);
      return;
    }
    const draft = new Draft(key, kept.line);
    draft.call = kept.call;
    draft.seen = kept.call !== null;
    draft.fields = kept.fields;
    draft.ending = { ...NO_ENDING, ...kept.ending };
    draft.unsent = kept.unsent;
    this.drafts = [...this.drafts, draft];
    if (draft.call === null) this.#ask(draft);
    else this.send(draft);
  }

  /** Take it; asked again after a reload it is done once, and answered alike. */
  #ask(draft: Draft): void {
    void this.board.do('call.take', { line: draft.line }, draft.key).then((answer) => {
      if (answer.ok) {
        draft.call = (answer.result as { id: number }).id;
        this.#save(draft);
        this.send(draft);
        this.look();
      } else {
        draft.standing = 'refused';
        draft.problem = answer;
      }
    });
  }

  #underWay(draft: Draft): boolean {
    return this.board.waiting.some((action) => action.with['call'] === draft.call);
  }

  /** After a reload it is on the screen of this window again. */
  #open(draft: Draft | null): void {
    this.open = draft;
    this.shelf.setOwn(OPEN, draft ? [draft.key] : []);
  }

  #add(draft: Draft): void {
    this.drafts = [...this.drafts, draft];
  }

  #remove(draft: Draft): void {
    clearTimeout(draft.timer);
    this.drafts = this.drafts.filter((one) => one !== draft);
    if (this.open === draft) this.#open(null);
    if (!draft.borrowed) this.#forget(draft.key);
  }

  #forget(key: string): void {
    const others = this.#keys().filter((one) => one !== key);
    this.shelf.set('calls', others);
    this.shelf.drop(`call:${key}`);
  }

  #kept(key: string): Kept | null {
    return this.shelf.get<Kept | null>(`call:${key}`, null);
  }

  #save(draft: Draft): void {
    // Whoever types into it keeps it.
    draft.borrowed = false;
    const keys = this.#keys();
    const listed = keys.includes(draft.key) || this.shelf.set('calls', [...keys, draft.key]);
    draft.stored = this.shelf.set(`call:${draft.key}`, draft.kept()) && listed;
  }

  /** Read anew each time: another window of mine writes there too. */
  #keys(): string[] {
    return this.shelf.get<string[]>('calls', []);
  }
}
