import { DAY, NIGHT, type Palette } from '../theme/palette';
import { en, es, type Words } from './strings';
import type { Vault } from './vault';

export interface Choices {
  language: 'en' | 'es';
  light: 'day' | 'night';
  hand: 'right' | 'left';
}
const FIRST: Choices = { language: 'en', light: 'day', hand: 'right' };
const NAME = 'psn:tablet:settings';

/** How this tablet is held and read. */
export class Settings {
  choices = $state.raw<Choices>(FIRST);
  words = $derived<Words>(this.choices.language === 'es' ? es : en);
  palette = $derived<Palette>(this.choices.light === 'night' ? NIGHT : DAY);
  #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
    const spanish = navigator.language.startsWith('es');
    const kept = JSON.parse(vault.getItem(NAME) ?? '{}') as Partial<Choices>;
    this.choices = { ...FIRST, ...(spanish ? { language: 'es' } : {}), ...kept };
    this.#apply();
  }

  set(changed: Partial<Choices>): void {
    this.choices = { ...this.choices, ...changed };
    this.#vault.setItem(NAME, JSON.stringify(this.choices));
    this.#apply();
  }

  #apply(): void {
    const { dataset } = document.documentElement;
    dataset['theme'] = this.choices.light === 'night' ? 'dark' : 'light';
    dataset['hand'] = this.choices.hand;
    document.documentElement.lang = this.choices.language;
  }
}
