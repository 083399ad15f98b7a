import type { Address } from '../wire/frames';

const TOKEN = 'psn:session';

interface Kept {
  token: string;
  /** None when it was begun elsewhere, and has not been used here yet. */
  me: Address | null;
}

/** Kept for this tab only, so that a reload does not ask for the password again. */
export function keepSession(kept: Kept): void {
  try {
    sessionStorage.setItem(TOKEN, JSON.stringify(kept));
  } catch {
    // Without storage a reload signs out; nothing else is lost.
  }
}

/** The session of this tab before a reload, if there was one. */
export function keptSession(): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(TOKEN) ?? 'null') as Kept | null;
  } catch {
    return null;
  }
}

export function forgetSession(): void {
  try {
    sessionStorage.removeItem(TOKEN);
  } catch {
    // Nothing was kept either.
  }
}
