import type { Attached } from './attached';

/** What became of one step of sending a file. */
export type Step =
  | { is: 'on'; sent: number }
  | { is: 'done' }
  /** Not now: no network, or a server that cannot. */
  | { is: 'later' }
  /** This server takes no files. */
  | { is: 'nowhere' }
  | Refused;
export interface Refused {
  is: 'refused';
  code: string;
  text: string;
}
/** What the server makes of a file that it has. */
export type Verdict = { is: 'ready' } | { is: 'later' } | Refused;
interface Details {
  state: 'receiving' | 'checking' | 'ready' | 'refused';
  code: string | null;
  reason: string | null;
}

export interface Line {
  fetch(path: string, init: RequestInit): Promise<Response>;
}

const PATH = '/api/attachments';
const PIECE = 256 * 1024;
const VERSION = { 'Tus-Resumable': '1.0.0' };

/**
 * Send the next piece of a file: begin it, ask where it stands, or go on (tus 1.0.0,
 * https://tus.io/protocols/resumable-upload). Whatever is repeated is done once: the id is made
 * here. `known`: the place is known on this connection.
 */
export async function sendPiece(file: Attached, known: boolean, line: Line): Promise<Step> {
  try {
    if (!known) return await standing(file, line);
    const body = file.blob.slice(file.sent, file.sent + PIECE);
    const answer = await line.fetch(`${PATH}/${file.id}`, {
      method: 'PATCH',
      headers: {
        ...VERSION,
        'Upload-Offset': String(file.sent),
        'Content-Type': 'application/offset+octet-stream',
      },
      body,
    });
    return await outcome(file, answer);
  } catch {
    return { is: 'later' };
  }
}

/** Ask whether a file that has arrived is shown, or refused (DOM-FILE-6, DOM-FILE-7). */
export async function verdict(id: string, line: Line): Promise<Verdict> {
  try {
    const answer = await line.fetch(`${PATH}/${id}`, { method: 'GET' });
    if (passing(answer.status)) return { is: 'later' };
    // It had it, and has it no more: its time was over.
    if (!answer.ok) return { is: 'ready' };
    const { state, code, reason } = (await answer.json()) as Details;
    if (state === 'refused') return { is: 'refused', code: code ?? '', text: reason ?? '' };
    return { is: state === 'ready' ? 'ready' : 'later' };
  } catch {
    return { is: 'later' };
  }
}

const passing = (status: number): boolean => [401, 408, 423, 429].includes(status) || status >= 500;

async function standing(file: Attached, line: Line): Promise<Step> {
  const answer = await line.fetch(`${PATH}/${file.id}`, { method: 'HEAD', headers: VERSION });
  if (answer.status !== 404 && answer.status !== 405) return outcome(file, answer);
  const said: Record<string, string> = { id: file.id, kind: file.kind, sha256: file.sha256 };
  said['type'] = file.type;
  if (file.about) said['about'] = file.about;
  const begun = await line.fetch(PATH, {
    method: 'POST',
    headers: {
      ...VERSION,
      'Upload-Length': String(file.blob.size),
      'Upload-Metadata': Object.entries(said)
        .map(([key, value]) => `${key} ${btoa(value)}`)
        .join(','),
    },
  });
  if (begun.status === 404 || begun.status === 405) return { is: 'nowhere' };
  return begun.ok ? { is: 'on', sent: 0 } : outcome(file, begun);
}

/** 409 and the like name the place from where to go on. */
async function outcome(file: Attached, answer: Response): Promise<Step> {
  const at = answer.headers.get('Upload-Offset');
  if (at !== null) {
    const sent = Number(at);
    return answer.ok && sent >= file.blob.size ? { is: 'done' } : { is: 'on', sent };
  }
  if (answer.ok || passing(answer.status)) return { is: 'later' };
  return { is: 'refused', ...(await why(answer)) };
}

async function why(answer: Response): Promise<Omit<Refused, 'is'>> {
  try {
    // What to do is for programs here; a crew is told by the tablet.
    const { error } = (await answer.json()) as { error: { code: string; text: string } };
    return { code: error.code, text: error.text };
  } catch {
    return { code: '', text: answer.statusText };
  }
}
