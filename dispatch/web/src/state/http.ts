/** What an interface call said, or why it failed; never throws. */
export type Answer<T> = { ok: true; value: T } | { ok: false; text: string };

/** GET a JSON resource with the session's token. `text` of a failure is for a person. */
export async function getJson<T>(path: string, token: string | null): Promise<Answer<T>> {
  try {
    const headers: HeadersInit = token ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(path, { headers, cache: 'no-store' });
    const body = (await response.json()) as unknown;
    if (response.ok) return { ok: true, value: body as T };
    return { ok: false, text: errorText(body) ?? response.statusText };
  } catch {
    return { ok: false, text: '' };
  }
}

function errorText(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('text' in error)) return null;
  return typeof error.text === 'string' ? error.text : null;
}
