import { OLD_AFTER, STALE_AFTER } from '../state/units';
import type { Atlas } from './atlas';
import { LABEL, type LabelSheet } from './labelSheet';
import type { View } from './mercator';
import { STRIDE, type Motion } from './motion';
import { CORNERS, FRAGMENT, PASS, TEXELS, TRIANGLES, UNITS_A_ROW, VERTEX } from './shaders';
import { BODY, CELL, SPAN } from './symbols';

const UNIFORMS = [
  'units',
  'centre',
  'viewport',
  'world',
  'now',
  'clock',
  'body',
  'lettered',
  'fade',
  'pass',
  'span',
  'atlas',
  'labels',
  'image',
] as const;
type Uniform = (typeof UNIFORMS)[number];
type Pass = keyof typeof PASS;

export interface Scene {
  motion: Motion;
  atlas: Atlas | null;
  sheet: LabelSheet;
  view(): View;
  /** Seconds, the page's clock that movements run by. */
  now(): number;
  /** Seconds, the server's clock that fixes are dated by. */
  clock(): number;
  /** Size of a symbol's body in CSS pixels. */
  body(): number;
  /** Whether any unit has its callsign beside it. */
  labelled(): boolean;
  /** Whether rings tell what units are doing. */
  ringed(): boolean;
  /** Slots of units that lie on top of all others, the topmost last. */
  top(): readonly number[];
}

/**
 * All units, on a canvas of their own over the map, in one draw call a pass: heading tick, symbol,
 * callsign. The graphics card moves them, so that thousands cost the page nothing between two
 * fixes; and the map below is not drawn again because something on it has moved, which without a
 * graphics card would take longest.
 */
export class UnitCanvas {
  readonly canvas = document.createElement('canvas');
  /** Set when units changed and must be sent to the card. */
  stale = true;
  #scene: Scene;
  #gl: WebGL2RenderingContext;
  #places: Partial<Record<Uniform, WebGLUniformLocation | null>> = {};
  #triangles: WebGLBuffer | null = null;
  #unitTexture: WebGLTexture | null = null;
  #rows = 0;
  #atlasTexture: WebGLTexture | null = null;
  #labelTexture: WebGLTexture | null = null;
  #shownAtlas: Atlas | null = null;
  #shownSheet: LabelSheet | null = null;

  /** Throws when there is no WebGL 2. */
  constructor(scene: Scene) {
    this.#scene = scene;
    const gl = this.canvas.getContext('webgl2', { antialias: false, depth: false });
    if (!gl) throw new Error('There is no WebGL 2.');
    this.#gl = gl;
    this.canvas.style.cssText = 'position: absolute; inset: 0; pointer-events: none';
    this.canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    this.canvas.addEventListener('webglcontextrestored', () => this.#prepare());
    this.#prepare();
  }

  /** Other symbols, or another sheet of labels: the theme or the agencies changed. */
  dress(atlas: Atlas | null, sheet: LabelSheet): void {
    this.#scene.atlas = atlas;
    this.#scene.sheet = sheet;
  }

  /** As large as the map, in CSS pixels. */
  resize(width: number, height: number): void {
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  draw(): void {
    const { motion, atlas, sheet } = this.#scene;
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!atlas || motion.count === 0) return;
    this.#send(motion);
    this.#textures(atlas, sheet);
    this.#uniforms(atlas);
    const ringed = this.#scene.ringed();
    if (ringed) this.#pass('status', 0, motion.count);
    this.#pass('tick', 0, motion.count);
    this.#pass('symbol', 0, motion.count);
    if (this.#scene.labelled()) this.#pass('label', 0, motion.count);
    // Drawn once more: whatever they are covered by, these are seen whole.
    for (const slot of this.#scene.top()) {
      if (ringed) this.#pass('status', slot, 1);
      for (const pass of ['ring', 'tick', 'symbol', 'label'] as const) this.#pass(pass, slot, 1);
    }
  }

  remove(): void {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
    this.canvas.remove();
  }

  #prepare(): void {
    const gl = this.#gl;
    const program = link(gl);
    for (const name of UNIFORMS) this.#places[name] = gl.getUniformLocation(program, name);
    this.#triangles = gl.createBuffer();
    this.#unitTexture = gl.createTexture();
    this.#atlasTexture = gl.createTexture();
    this.#labelTexture = gl.createTexture();
    this.#rows = 0;
    this.#shownAtlas = null;
    this.#shownSheet = null;
    this.stale = true;
    gl.useProgram(program);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#triangles);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** One pass of some units. */
  #pass(pass: Pass, slot: number, count: number): void {
    const gl = this.#gl;
    const { length } = TRIANGLES;
    gl.bindTexture(gl.TEXTURE_2D, pass === 'label' ? this.#labelTexture : this.#atlasTexture);
    gl.uniform1i(this.#places.pass ?? null, PASS[pass]);
    gl.uniform4fv(this.#places.span ?? null, SPAN[pass]);
    const from = slot * length * Uint32Array.BYTES_PER_ELEMENT;
    gl.drawElements(gl.TRIANGLES, count * length, gl.UNSIGNED_INT, from);
  }

  /** What the shader reads of the units, to the card when it has changed; bound as texture 1. */
  #send(motion: Motion): void {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#unitTexture);
    if (!this.stale) return;
    const width = UNITS_A_ROW * TEXELS;
    const rows = motion.data.length / (UNITS_A_ROW * STRIDE);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    if (rows !== this.#rows) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, rows, 0, gl.RGBA, gl.FLOAT, motion.data);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles(rows * UNITS_A_ROW), gl.STATIC_DRAW);
      this.#rows = rows;
    } else {
      const used = Math.ceil(motion.count / UNITS_A_ROW);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, used, gl.RGBA, gl.FLOAT, motion.data);
    }
    this.stale = false;
  }

  #uniforms(atlas: Atlas): void {
    const gl = this.#gl;
    const view = this.#scene.view();
    const body = this.#scene.body();
    const u = this.#places;
    gl.uniform1i(u.units ?? null, 1);
    gl.uniform2f(u.centre ?? null, view.x, view.y);
    gl.uniform2f(u.viewport ?? null, view.width, view.height);
    gl.uniform1f(u.world ?? null, view.world);
    gl.uniform1f(u.now ?? null, this.#scene.now());
    gl.uniform1f(u.clock ?? null, this.#scene.clock());
    gl.uniform1f(u.body ?? null, body);
    gl.uniform1f(u.lettered ?? null, body >= 14 ? 1 : 0);
    gl.uniform2f(u.fade ?? null, STALE_AFTER / 1000, OLD_AFTER / 1000);
    gl.uniform3f(u.atlas ?? null, atlas.columns, atlas.rows, CELL / BODY);
    gl.uniform4f(u.labels ?? null, LABEL.columns, LABEL.rows, LABEL.width, LABEL.height);
    gl.uniform1i(u.image ?? null, 0);
    gl.activeTexture(gl.TEXTURE0);
  }

  #textures(atlas: Atlas, sheet: LabelSheet): void {
    if (atlas !== this.#shownAtlas) {
      upload(this.#gl, this.#atlasTexture, atlas.canvas, true);
      this.#shownAtlas = atlas;
    }
    if (sheet !== this.#shownSheet || sheet.dirty) {
      upload(this.#gl, this.#labelTexture, sheet.canvas, false);
      this.#shownSheet = sheet;
      sheet.dirty = false;
    }
  }
}

/** The triangles of so many units, as numbers of vertices. */
function triangles(units: number): Uint32Array {
  const { length } = TRIANGLES;
  return Uint32Array.from(
    { length: units * length },
    (_, n) => Math.floor(n / length) * CORNERS + (TRIANGLES[n % length] ?? 0),
  );
}

function upload(
  gl: WebGL2RenderingContext,
  texture: WebGLTexture | null,
  canvas: HTMLCanvasElement,
  mipmaps: boolean,
): void {
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  const smaller = mipmaps ? gl.LINEAR_MIPMAP_NEAREST : gl.LINEAR;
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, smaller);
  if (mipmaps) gl.generateMipmap(gl.TEXTURE_2D);
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error('The graphics context was lost.');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The unit shader does not link: ${gl.getProgramInfoLog(program) ?? ''}`);
  }
  return program;
}
