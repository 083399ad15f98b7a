import { texts, type Words } from './strings';

export type Language = keyof typeof texts;
const KEY = 'psn:language';

/** English or Spanish: by choice, or as the browser is set. */
class Tongue {
  choice = $state<Language>(kept());

  constructor() {
    this.#apply();
  }

  get words(): Words {
    return texts[this.choice];
  }

  next(): void {
    this.choice = this.choice === 'en' ? 'es' : 'en';
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // The choice then lasts until the page is closed.
    }
    this.#apply();
  }

  #apply(): void {
    document.documentElement.lang = this.choice;
  }
}

function kept(): Language {
  try {
    const value = localStorage.getItem(KEY);
    if (value === 'en' || value === 'es') return value;
  } catch {
    // As the browser is set, then.
  }
  return navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en';
}

export const tongue = new Tongue();
