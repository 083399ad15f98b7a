import { strings } from '../strings';

/** What an interface call said, or why it failed; never throws. */
export type Answer<T> = { ok: true; value: T } | { ok: false; text: string; code: string };

/** GET a JSON resource with the session's token. `text` of a failure is for a person. */
export function getJson<T>(path: string, token: string | null): Promise<Answer<T>> {
  return ask<T>('GET', path, token);
}

/** GET a file with the session's token. */
export async function getFile(path: string, token: string | null): Promise<Answer<Blob>> {
  try {
    const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(path, { headers, cache: 'no-store' });
    if (response.ok) return { ok: true, value: await response.blob() };
    return { ok: false, ...errorOf((await response.json()) as unknown, response.statusText) };
  } catch {
    return { ok: false, text: '', code: 'unreachable' };
  }
}

/** POST or DELETE with a body, JSON or a file, and the session's token if there is one. */
export async function ask<T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  token: string | null,
  body?: unknown,
): Promise<Answer<T>> {
  try {
    const headers: Record<string, string> = {};
    if (token) headers['Authorization'] = `Bearer ${token}`;
    const init: RequestInit = { method, headers, cache: 'no-store' };
    if (body instanceof Blob) {
      headers['Content-Type'] = 'application/octet-stream';
      init.body = body;
    } else if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    const response = await fetch(path, init);
    const said = (await response.json()) as unknown;
    if (response.ok) return { ok: true, value: said as T };
    return { ok: false, ...errorOf(said, response.statusText) };
  } catch {
    return { ok: false, text: '', code: 'unreachable' };
  }
}

function errorOf(body: unknown, otherwise: string): { text: string; code: string } {
  const error = field(body, 'error');
  const text = field(error, 'text');
  const todo = field(error, 'todo');
  const code = field(error, 'code');
  return {
    text: typeof text === 'string' ? `${text} ${typeof todo === 'string' ? todo : ''}` : otherwise,
    code: typeof code === 'string' ? code : '',
  };
}

function field(of: unknown, name: string): unknown {
  if (typeof of !== 'object' || of === null) return undefined;
  return (of as Record<string, unknown>)[name];
}

/** A failure in words, for a person. */
export function problemText(answer: { text: string }): string {
  return answer.text || strings.unreachable;
}

/** Why a request failed, for a person: in his language, then as the server says it. */
export function failureText(answer: { text: string; code: string }): string {
  return refusalText({ ...answer, text: problemText(answer), todo: '' });
}

/** Why an action was refused, for a person: in his language, then as the server says it. */
export function refusalText(refusal: { code: string; text: string; todo: string }): string {
  const known = Object.entries(strings.refusals).find(([code]) => code === refusal.code)?.[1];
  return [known, refusal.text, refusal.todo].filter(Boolean).join(' ');
}
