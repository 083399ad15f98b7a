import { DAY, NIGHT, type Palette } from '../theme/palette';

export type Choice = 'auto' | 'dark' | 'light';
const NEXT: Record<Choice, Choice> = { auto: 'dark', dark: 'light', light: 'auto' };
const KEY = 'psn:theme';

/** Dark or light: by choice, or as the machine is set. */
class Theme {
  choice = $state<Choice>(kept());
  #machine = $state(matchMedia('(prefers-color-scheme: light)').matches);

  constructor() {
    matchMedia('(prefers-color-scheme: light)').addEventListener('change', (event) => {
      this.#machine = event.matches;
      this.#apply();
    });
    this.#apply();
  }

  get light(): boolean {
    return this.choice === 'light' || (this.choice === 'auto' && this.#machine);
  }

  get palette(): Palette {
    return this.light ? DAY : NIGHT;
  }

  next(): void {
    this.choose(NEXT[this.choice]);
  }

  choose(choice: Choice): void {
    this.choice = choice;
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // The choice then lasts until the page is closed.
    }
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.light ? 'light' : 'dark';
  }
}

function kept(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'dark' || value === 'light' ? value : 'auto';
  } catch {
    return 'auto';
  }
}

export const theme = new Theme();
