/** The controls that turn the words around them (UAX 9): embeddings, overrides, isolates, their ends. */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * What people write, as the server keeps it (DOM-REC-12): without the invisible controls that would
 * turn what stands beside it.
 */
export function withoutControls<T>(value: T): T {
  if (typeof value === 'string') return value.replace(CONTROLS, '') as T;
  if (Array.isArray(value)) return value.map(withoutControls) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, withoutControls(each)]);
  return Object.fromEntries(entries) as T;
}
