/** `0:58`, `12:05`, `1:02:09`: hours, minutes and seconds; a part of a second counts as one. */
export function durationText(milliseconds: number | null): string {
  if (milliseconds === null) return '–';
  const seconds = Math.ceil(milliseconds / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** The end of a scale that has room for everything that is there, at least a second. */
export function scaleEnd(values: readonly (number | null)[]): number {
  return Math.max(1000, ...values.map((value) => value ?? 0)) * 1.06;
}

/**
 * How many of a hundred, to a tenth, as the file of numbers has it; cut off where rounding would
 * let what misses a target of `percent` read like it.
 */
export function shareText(within: number, counted: number, percent: number): string {
  const cut = Math.floor((1000 * within) / counted);
  const rounded = Math.floor((2000 * within + counted) / (2 * counted));
  return ((cut < 10 * percent && rounded >= 10 * percent ? cut : rounded) / 10).toFixed(1);
}
