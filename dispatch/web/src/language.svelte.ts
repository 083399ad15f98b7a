import { LANGUAGES, speak, type Language } from './strings';
import { speakOfWork } from './strings.work';

const KEY = 'psn:language';

/** English or Spanish: by choice, else as the browser is set. */
class Tongue {
  now = $state<Language>('en');
  /** Whether this page speaks both; administration speaks English alone. */
  offered = $state(false);

  /** To be called once, before anything is on the screen. */
  begin(): void {
    this.offered = true;
    this.#take(kept());
  }

  choose(language: Language): void {
    try {
      localStorage.setItem(KEY, language);
    } catch {
      // The choice then lasts until the page is closed.
    }
    this.#take(language);
  }

  #take(language: Language): void {
    speak(language);
    speakOfWork(language);
    document.documentElement.lang = language;
    this.now = language;
  }
}

function kept(): Language {
  try {
    const value = localStorage.getItem(KEY);
    if (value && value in LANGUAGES) return value as Language;
  } catch {
    // As the browser is set, then.
  }
  return navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en';
}

export const language = new Tongue();
