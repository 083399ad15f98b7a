import { strings } from '../strings';

/** What an interface call said, or why it failed; never throws. */
export type Answer<T> = { ok: true; value: T } | { ok: false; text: string; todo: string };

/** GET a JSON resource with the session's token. `text` of a failure is for a person. */
export function getJson<T>(path: string, token: string | null): Promise<Answer<T>> {
  return ask<T>(path, token, {});
}

/** Have something done: POST or DELETE, perhaps with a JSON body. */
export function sendJson<T>(
  method: 'POST' | 'DELETE',
  path: string,
  token: string | null,
  body?: unknown,
): Promise<Answer<T>> {
  if (body === undefined) return ask<T>(path, token, { method });
  const headers = { 'Content-Type': 'application/json' };
  return ask<T>(path, token, { method, headers, body: JSON.stringify(body) });
}

async function ask<T>(path: string, token: string | null, more: RequestInit): Promise<Answer<T>> {
  try {
    const headers = new Headers(more.headers);
    if (token) headers.set('Authorization', `Bearer ${token}`);
    const response = await fetch(path, { ...more, headers, cache: 'no-store' });
    const body = (await response.json()) as unknown;
    if (response.ok) return { ok: true, value: body as T };
    return {
      ok: false,
      text: said(body, 'text') ?? response.statusText,
      todo: said(body, 'todo') ?? '',
    };
  } catch {
    return { ok: false, text: '', todo: '' };
  }
}

function said(body: unknown, what: 'text' | 'todo'): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const error = body.error as Partial<Record<'text' | 'todo', unknown>> | null;
  const value = error?.[what];
  return typeof value === 'string' ? value : null;
}

/** A failure in words, for a person. */
export function problemText(answer: { text: string; todo: string }): string {
  return answer.text ? `${answer.text} ${answer.todo}` : strings.unreachable;
}
