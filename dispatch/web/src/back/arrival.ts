/** What a browser arrives with at `/sign-in/AGENCY` (RFC 6749, section 4.1.2; RFC 9207). */
export interface Arrival {
  agency: string;
  /** Another window asks for a proof under this mark, and nothing has been begun yet. */
  proof: string | null;
  /** What the provider brings; none: nobody sent the browser here. */
  brought: { state: string; code?: string; error?: string; iss?: string } | null;
}

const MARK = /^#prove-([0-9a-f]{32})$/;

export function arrival(address: URL): Arrival {
  const agency = decoded(address.pathname.split('/').pop() ?? '');
  const proof = MARK.exec(address.hash)?.[1] ?? null;
  const said = address.searchParams;
  const state = said.get('state');
  if (state === null) return { agency, proof, brought: null };
  const brought: Arrival['brought'] = { state };
  for (const name of ['code', 'error', 'iss'] as const) {
    const value = said.get(name);
    if (value !== null) brought[name] = value;
  }
  return { agency, proof: null, brought };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
