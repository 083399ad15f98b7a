import type { Attached } from './attached';

/** What became of one step of sending a file. */
export type Step =
  | { is: 'on'; sent: number }
  | { is: 'done' }
  /** Not now: no network, or a server that cannot. */
  | { is: 'later' }
  /** This server takes no files. */
  | { is: 'nowhere' }
  | { is: 'refused'; text: string };

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
  const passing = [401, 408, 423, 429].includes(answer.status) || answer.status >= 500;
  if (answer.ok || passing) return { is: 'later' };
  return { is: 'refused', text: await sentence(answer) };
}

async function sentence(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error: { text: string; todo: string } };
    return `${error.text} ${error.todo}`;
  } catch {
    return answer.statusText;
  }
}
