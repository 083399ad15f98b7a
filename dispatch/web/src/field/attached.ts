/** A photo or voice note, until the server has it and calls it good. */
export interface Attached {
  /** A UUID; also its id at the server. */
  id: string;
  kind: 'photo' | 'voice';
  type: string;
  blob: Blob;
  /** Hexadecimal, of all bytes. */
  sha256: string;
  /** When it was taken, by the server's clock (ms UTC). */
  taken: number;
  /** `incident:5`; none when there was no order. */
  about: string | null;
  /** Bytes that the server has, as far as is known. */
  sent: number;
  /** The server has all of it, and judges it. */
  arrived?: boolean;
  /** Why the server does not take it; it is not sent again by itself. */
  problem: string;
  /** The same as a code (`code` in docs/domain.md, DOM-FILE). */
  code?: string;
}

export async function sha256(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
