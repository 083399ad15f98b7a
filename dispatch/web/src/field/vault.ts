import type { Fix } from '../wire/frames';
import type { Attached } from './attached';
import type { Piece } from './voice.svelte';

const NAME = 'psn-field';
const VERSION = 2;
const STORES = ['device', 'texts', 'fixes', 'files', 'pieces'] as const;
type Store = (typeof STORES)[number];

/** Who this tablet is: its keys, and what the server made of them. */
export interface Device {
  keys: CryptoKeyPair;
  /** None before the server has answered; the keys are kept before the code is spent. */
  enrolled: Enrolled | null;
}
export interface Enrolled {
  device: number;
  unit: number;
  agency: number;
  label: string;
}

/**
 * What the tablet must not forget, in IndexedDB. Everything but files is read once, when the page
 * opens; from then on it is known here, and each change is written behind, in order.
 */
export class Vault {
  device: Device | null = null;
  fixes: Fix[] = [];
  files: Attached[] = [];
  /** Of voice notes that are no files yet. */
  pieces: Piece[] = [];
  /** Called when the disk does not take what is to be kept. */
  onTrouble: () => void = () => undefined;
  #texts = new Map<string, string>();
  #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(): Promise<Vault> {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const { objectStoreNames: there } = request.result;
      for (const store of STORES)
        if (!there.contains(store)) request.result.createObjectStore(store);
    };
    const vault = new Vault(await settled(request));
    await vault.#load();
    return vault;
  }

  async #load(): Promise<void> {
    const read = this.#database.transaction(STORES, 'readonly');
    const all = <T>(store: Store): Promise<T[]> =>
      settled(read.objectStore(store).getAll() as IDBRequest<T[]>);
    const [device, names, texts, fixes, files, pieces] = await Promise.all([
      all<Device>('device'),
      settled(read.objectStore('texts').getAllKeys()),
      all<string>('texts'),
      all<Fix>('fixes'),
      all<Attached>('files'),
      all<Piece>('pieces'),
    ]);
    this.device = device[0] ?? null;
    names.forEach((name, index) => this.#texts.set(String(name), texts[index] ?? ''));
    this.fixes = fixes;
    this.files = files;
    this.pieces = pieces;
  }

  // -- texts, as `Storage` has them

  getItem(name: string): string | null {
    return this.#texts.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    this.#texts.set(name, value);
    this.#write(['texts'], (store) => store.put(value, name));
  }

  removeItem(name: string): void {
    this.#texts.delete(name);
    this.#write(['texts'], (store) => store.delete(name));
  }

  // -- the rest

  async keepDevice(device: Device): Promise<void> {
    this.device = device;
    await this.#write(['device'], (store) => store.put(device, 'this'));
  }

  keepFix(fix: Fix): void {
    this.#write(['fixes'], (store) => store.put(fix, fix[1]));
  }

  dropFixes(times: readonly number[]): void {
    if (times.length === 0) return;
    this.#write(['fixes'], (store) => times.forEach((time) => store.delete(time)));
  }

  /** False when the disk has no room. It takes the place of the pieces it was made of. */
  keepFile(file: Attached): Promise<boolean> {
    return this.#write(['files', 'pieces'], (files, pieces) => {
      files.put(file, file.id);
      pieces.delete(allOf(file.id));
    });
  }

  dropFile(id: string): void {
    this.#write(['files'], (store) => store.delete(id));
  }

  keepPiece(piece: Piece): void {
    this.#write(['pieces'], (store) => store.put(piece, [piece.note, piece.n]));
  }

  dropPieces(note: string): void {
    this.#write(['pieces'], (store) => store.delete(allOf(note)));
  }

  /** Nothing of what there was is kept. */
  async wipe(): Promise<void> {
    this.#texts.clear();
    this.device = null;
    const write = this.#database.transaction(STORES, 'readwrite', { durability: 'strict' });
    for (const store of STORES) write.objectStore(store).clear();
    await finished(write);
    this.#database.close();
    // Another window that still has it open keeps it from going, but it is empty.
    indexedDB.deleteDatabase(NAME);
  }

  async #write(
    stores: readonly Store[],
    change: (...open: IDBObjectStore[]) => void,
  ): Promise<boolean> {
    try {
      const write = this.#database.transaction(stores, 'readwrite', { durability: 'strict' });
      change(...stores.map((store) => write.objectStore(store)));
      // Asked for at once, it is kept also when the page is gone before the disk has answered.
      write.commit();
      await finished(write);
      return true;
    } catch {
      this.onTrouble();
      return false;
    }
  }
}

/** The keys of all pieces of a voice note: `[note, 0]`, `[note, 1]` … */
const allOf = (note: string): IDBKeyRange => IDBKeyRange.bound([note], [note, []]);

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () =>
      reject(transaction.error ?? new Error('IndexedDB'));
  });
}
