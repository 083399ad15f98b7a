import { LANGUAGES, speak, type Language } from './strings';
import { speakOfWork } from './strings.work';

const KEY = 'psn:language';

/** English or Spanish: by choice, else as the browser is set. */
class Tongue {
  now = $state<Language>('en');
  /** Whether this page speaks both. */
  offered = $state(false);

  #also: (language: Language) => void = () => undefined;

  /** To be called once, before anything is on the screen; `also`: sentences of this page alone. */
  begin(also?: (language: Language) => void): void {
    if (also) this.#also = also;
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
    this.#also(language);
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
