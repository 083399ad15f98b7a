/** What the server gave this browser at a good sign-in of each name: it is no stranger with it. */
const PLACES = 'psn:known';
const MOST = 50;

type Places = Record<string, string>;

export function knownPlace(name: string): string | undefined {
  return read()[name];
}

export function keepKnownPlace(name: string, token: string): void {
  const { [name]: _, ...others } = read();
  const kept = Object.entries(others).slice(1 - MOST);
  try {
    localStorage.setItem(PLACES, JSON.stringify({ ...Object.fromEntries(kept), [name]: token }));
  } catch {
    // Without it this browser is a stranger the next time; nothing else is lost.
  }
}

function read(): Places {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACES) ?? '{}') as unknown;
    return typeof kept === 'object' && kept !== null ? (kept as Places) : {};
  } catch {
    return {};
  }
}
