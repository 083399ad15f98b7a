import type { Family } from './family';

/** Pixels of one symbol in the atlas, and of the body within it; the rest is for the tick. */
export const CELL = 96;
export const BODY = 60;

/**
 * What of its cell each of them covers at most: left, top, right, bottom, where the edges of the
 * cell are -1 and 1. (The tick before it is turned.)
 */
export const SPAN = {
  ring: [-1, -1, 1, 1],
  tick: [-0.36, -1, 0.36, -0.52],
  status: [-1, -1, 1, 1],
  symbol: [-0.8, -0.8, 0.8, 0.8],
  label: [-1, -1, 1, 1],
} as const;

export interface Ink {
  /** Around a symbol, to part it from the map and from its neighbours. */
  edge: string;
  /** The heading tick and the ring of the selected unit. */
  tick: string;
  /** Inside an offline symbol. */
  hollow: string;
}

/** Draw one unit symbol in the cell whose top left corner is (x, y). */
export function drawSymbol(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  look: { family: Family; colour: string; mark: string; online: boolean },
  ink: Ink,
): void {
  const { family, colour, mark, online } = look;
  context.save();
  context.translate(x + CELL / 2, y + CELL / 2);
  const shape = new Path2D(outline(family, BODY / 2 - 4));
  context.lineJoin = 'round';
  context.strokeStyle = ink.edge;
  context.lineWidth = 11;
  context.stroke(shape);
  context.fillStyle = online ? colour : ink.hollow;
  context.fill(shape);
  context.strokeStyle = online ? '#ffffff' : colour;
  context.lineWidth = online ? 4 : mark ? 8 : 13;
  context.stroke(shape);
  if (mark) {
    context.font = '700 33px "Atkinson Hyperlegible Next Variable", sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'alphabetic';
    context.fillStyle = online ? (light(colour) ? '#111' : '#fff') : colour;
    context.fillText(mark, 0, 12 + (family === 'air' ? 5 : family === 'boat' ? 4 : 0));
  }
  context.restore();
}

/** The tick that points where a unit heads: up, in its cell; the shader turns it. */
export function drawTick(context: CanvasRenderingContext2D, x: number, y: number, ink: Ink): void {
  context.save();
  context.translate(x + CELL / 2, y + CELL / 2);
  const shape = new Path2D('M 0 -46 L 13 -28 Q 0 -34 -13 -28 Z');
  context.lineJoin = 'round';
  context.strokeStyle = ink.edge;
  context.lineWidth = 4;
  context.stroke(shape);
  context.fillStyle = ink.tick;
  context.fill(shape);
  context.restore();
}

/** The ring around a selected unit. */
export function drawRing(context: CanvasRenderingContext2D, x: number, y: number, ink: Ink): void {
  context.save();
  context.translate(x + CELL / 2, y + CELL / 2);
  for (const [colour, width] of [
    [ink.edge, 7],
    [ink.tick, 3.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(0, 0, 42, 0, 7);
    context.stroke();
  }
  context.restore();
}

/** How many rings tell what a unit is doing. */
export const STATUSES = 4;
/** By number: dots, dashes, a whole ring, and a stroke beneath; different without any colour. */
const DASHES = [[], [1, 13], [18, 11], [], []] as const;

/** What a unit is doing, around its symbol: ordered, en route, on scene, not in service. */
export function drawStatus(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  number: number,
  ink: Ink,
): void {
  context.save();
  context.translate(x + CELL / 2, y + CELL / 2);
  context.lineCap = 'round';
  context.setLineDash([...(DASHES[number] ?? [])]);
  for (const [colour, width] of [
    [ink.edge, 8],
    [ink.tick, 4.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    if (number === 4) {
      context.moveTo(-26, 42);
      context.lineTo(26, 42);
    } else context.arc(0, 0, 41, 0, 7);
    context.stroke();
  }
  context.restore();
}

/** Whether dark letters read better on this colour (WCAG 2.2 relative luminance). */
export function light(colour: string): boolean {
  const value = Number.parseInt(colour.slice(1), 16);
  const [r, g, b] = [16, 8, 0].map((shift) => {
    const c = ((value >> shift) & 255) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3;
}

/** Outlines around the middle, half a body being 1. */
const OUTLINES: Record<Family, string> = {
  vehicle:
    'M -0.6 -0.9 H 0.6 Q 0.9 -0.9 0.9 -0.6 V 0.6 Q 0.9 0.9 0.6 0.9 H -0.6 Q -0.9 0.9 -0.9 0.6 V -0.6 Q -0.9 -0.9 -0.6 -0.9 Z',
  foot: 'M 0 -0.96 C 0.53 -0.96 0.96 -0.53 0.96 0 C 0.96 0.53 0.53 0.96 0 0.96 C -0.53 0.96 -0.96 0.53 -0.96 0 C -0.96 -0.53 -0.53 -0.96 0 -0.96 Z',
  boat: 'M 0 -1.18 Q 0.86 -0.55 0.86 0.2 L 0.66 0.95 L -0.66 0.95 L -0.86 0.2 Q -0.86 -0.55 0 -1.18 Z',
  air: 'M 0 -1.12 L 1.14 0.9 L -1.14 0.9 Z',
  post: 'M 0 -1.15 L 1.15 0 L 0 1.15 L -1.15 0 Z',
  other: 'M -0.55 -0.95 L 0.55 -0.95 L 1.08 0 L 0.55 0.95 L -0.55 0.95 L -1.08 0 Z',
};

/** The outline of a family as an SVG path around (0, 0); `r` is half the body's size. */
export function outline(family: Family, r: number): string {
  return OUTLINES[family].replace(/-?\d+(\.\d+)?/g, (number) => String(Number(number) * r));
}
