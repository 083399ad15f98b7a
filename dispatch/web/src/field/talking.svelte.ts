import type { Hearing } from '../voice/ears';
import { isCall } from '../voice/calls.svelte';
import { Radio, type Hold, type RadioLine } from '../voice/radio.svelte';
import { Sound } from '../voice/sound.svelte';
import { talkedIn } from '../voice/standing';
import type { Floor } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';

/** What the radio of a tablet needs of the tablet. */
export interface Crew {
  line: RadioLine;
  load(): { heard: Hearing[]; chosen: VoiceAddress | null } | null;
  save(kept: { heard: Hearing[]; chosen: VoiceAddress | null }): void;
  /** The groups that the unit belongs to, by their names. */
  groups(): readonly { id: number; name: string }[];
  /** The incident of its order. */
  incident(): { id: number; number: string } | null;
  /** Its own emergency is on: what it says is said in an emergency call. */
  emergency(): boolean;
}

/**
 * A crew's radio: it hears all groups of its unit, also those that come later, but for what it has
 * muted, and that of the incident it is sent to as long as it is; there it talks meanwhile, unless
 * it chooses otherwise.
 */
export class Talking {
  readonly radio: Radio;
  #wanted = $state.raw<VoiceAddress | null>(null);
  #heard: Hearing[];
  /** Groups of the unit that were joined since the start: one that refuses is not asked again. */
  #joined = new Set<VoiceAddress>();
  /** The group of its order; `undefined`: since the start nothing was said of one. */
  #incident: VoiceAddress | null | undefined;
  readonly #crew: Crew;

  constructor(crew: Crew, sound = new Sound()) {
    this.#crew = crew;
    const kept = crew.load();
    this.#heard = kept?.heard ?? [];
    this.#wanted = kept?.chosen ?? null;
    this.radio = new Radio(crew.line, sound, this.#heard, (heard) => {
      this.#heard = heard;
      this.#keep();
    });
  }

  /** Take a call that rings; one talks there until it is over. */
  answer(group: VoiceAddress): void {
    this.radio.calls.answer(group);
    this.choose(group);
  }

  groups = $derived.by<VoiceAddress[]>(() => {
    const incident = this.#crew.incident();
    const own = this.#crew.groups().map(({ id }): VoiceAddress => `group:${id}`);
    const calls = this.radio.calls.within;
    return incident ? [...calls, `incident:${incident.id}`, ...own] : [...calls, ...own];
  });

  /**
   * Where the key talks. In its own emergency never in a call: whoever is in it would hear the crew
   * alone, and no console would join.
   */
  chosen = $derived.by<VoiceAddress | null>(() => {
    const groups = this.#crew.emergency()
      ? this.groups.filter((group) => !isCall(group))
      : this.groups;
    const open = (group: VoiceAddress | null): boolean =>
      group !== null && this.radio.heard.has(group) && groups.includes(group);
    if (open(this.#wanted)) return this.#wanted;
    return groups.find(open) ?? null;
  });

  /** Who talks elsewhere where one hears: each talk once, the gravest call first. */
  elsewhere = $derived.by<Floor[]>(() => {
    const { floors, heard, patches } = this.radio;
    const here = this.chosen;
    /** It is told of the group that this one is patched with. */
    const twice = (group: VoiceAddress): boolean => {
      const other = patches.of(group)?.other;
      if (!other) return false;
      return other === here || (other < group && heard.get(other)?.muted === false);
    };
    const oneself = (group: VoiceAddress): boolean =>
      floors.get(group)?.talker === this.#crew.line.me();
    return talkedIn(
      floors.values(),
      (group) => group !== here && !heard.get(group)?.muted && !twice(group) && !oneself(group),
    );
  });

  name(group: VoiceAddress): string {
    const by = this.radio.calls.by(group);
    if (by) return by;
    const incident = this.#crew.incident();
    if (incident && group === `incident:${incident.id}`) return incident.number;
    return this.#crew.groups().find(({ id }) => group === `group:${id}`)?.name ?? group;
  }

  /** Talk in a group from now on; it is heard as well. */
  choose(group: VoiceAddress): void {
    this.radio.join(group);
    this.radio.hearing(group, { muted: false });
    this.#wanted = group;
    this.#keep();
  }

  toggle(group: VoiceAddress): void {
    const heard = this.radio.heard.get(group);
    if (heard) this.radio.hearing(group, { muted: !heard.muted });
    else this.radio.join(group);
  }

  press(hold: Hold): void {
    this.radio.touched();
    const group = this.chosen;
    if (group)
      void this.radio.press(group, hold, { call: this.#crew.emergency() ? 'emergency' : 'normal' });
  }

  /**
   * The red button was pressed: the emergency call begins by itself, and the microphone is open for
   * a while, unless somebody presses the key and so holds it himself.
   */
  callForHelp(): void {
    this.press('open');
  }

  /** Nobody needs to hear more. */
  calm(): void {
    this.radio.release('open');
  }

  /** The groups of the unit are known now, or others than before. */
  known(): void {
    const groups = this.#crew.groups().map(({ id }): VoiceAddress => `group:${id}`);
    for (const group of groups) if (!this.#joined.has(group)) this.radio.join(group);
    this.#joined = new Set(groups);
  }

  /** It is sent somewhere, or no longer. */
  sent(): void {
    const incident = this.#crew.incident();
    const group: VoiceAddress | null = incident && `incident:${incident.id}`;
    if (group === this.#incident) return;
    // The order from before the start: where to talk was chosen then.
    const before = this.#incident === undefined && group !== null && this.radio.heard.has(group);
    for (const heard of [...this.radio.heard.keys()])
      if (heard.startsWith('incident:') && heard !== group) this.radio.leave(heard);
    this.#incident = group;
    if (group && !before) this.choose(group);
  }

  #keep(): void {
    this.#crew.save({ heard: this.#heard, chosen: this.#wanted });
  }
}
