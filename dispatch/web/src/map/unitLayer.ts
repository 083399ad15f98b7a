import type { CustomLayerInterface, Map as MapLibre } from 'maplibre-gl';
import { OLD_AFTER, STALE_AFTER } from '../state/units';
import type { Atlas } from './atlas';
import { LABEL, type LabelSheet } from './labelSheet';
import type { View } from './mercator';
import { STRIDE, type Motion } from './motion';
import { FRAGMENT, VERTEX } from './shaders';
import { BODY, CELL } from './symbols';

const UNIFORMS = [
  'centre',
  'viewport',
  'world',
  'now',
  'clock',
  'body',
  'lettered',
  'pass',
  'atlas',
  'labels',
  'fade',
  'image',
] as const;
type Uniform = (typeof UNIFORMS)[number];

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
  /** Slots of units that lie on top of all others, the topmost last. */
  top(): readonly number[];
}

/**
 * All units in one instanced draw call a pass: ring, heading tick, symbol, callsign. The graphics
 * card moves them, so that thousands cost the page nothing between two fixes.
 */
export class UnitLayer implements CustomLayerInterface {
  readonly id = 'units';
  readonly type = 'custom' as const;
  readonly renderingMode = '2d' as const;
  /** Set when instances changed and must be sent to the card. */
  stale = true;
  #scene: Scene;
  #map: MapLibre | null = null;
  #program: WebGLProgram | null = null;
  #vao: WebGLVertexArrayObject | null = null;
  #instances: WebGLBuffer | null = null;
  #places: Partial<Record<Uniform, WebGLUniformLocation | null>> = {};
  #atlasTexture: WebGLTexture | null = null;
  #labelTexture: WebGLTexture | null = null;
  #shownAtlas: Atlas | null = null;
  #shownSheet: LabelSheet | null = null;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Other symbols, or another sheet of labels: the theme or the agencies changed. */
  dress(atlas: Atlas | null, sheet: LabelSheet): void {
    this.#scene.atlas = atlas;
    this.#scene.sheet = sheet;
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#program = link(gl);
    for (const name of UNIFORMS) this.#places[name] = gl.getUniformLocation(this.#program, name);
    this.#vao = gl.createVertexArray();
    gl.bindVertexArray(this.#vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.#instances = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#instances);
    for (const index of [1, 2, 3]) {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribDivisor(index, 1);
    }
    this.#instancesFrom(gl, 0);
    gl.bindVertexArray(null);
    this.#atlasTexture = gl.createTexture();
    this.#labelTexture = gl.createTexture();
    this.#shownAtlas = null;
    this.#shownSheet = null;
    this.stale = true;
  }

  onRemove(_map: MapLibre, gl: WebGL2RenderingContext): void {
    gl.deleteProgram(this.#program);
    gl.deleteVertexArray(this.#vao);
    gl.deleteBuffer(this.#instances);
    gl.deleteTexture(this.#atlasTexture);
    gl.deleteTexture(this.#labelTexture);
    this.#map = null;
  }

  render(gl: WebGL2RenderingContext): void {
    const { motion, atlas, sheet } = this.#scene;
    if (!this.#program || !this.#map || !atlas || motion.count === 0) return;
    gl.useProgram(this.#program);
    gl.bindVertexArray(this.#vao);
    if (this.stale) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#instances);
      gl.bufferData(
        gl.ARRAY_BUFFER,
        motion.data.subarray(0, motion.count * STRIDE),
        gl.DYNAMIC_DRAW,
      );
      this.stale = false;
    }
    this.#textures(gl, atlas, sheet);
    this.#uniforms(gl, atlas);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    this.#draw(gl, 0, motion.count);
    // Drawn once more: whatever they are covered by, these are seen whole.
    for (const slot of this.#scene.top()) this.#draw(gl, slot, 1);
    gl.bindVertexArray(null);
  }

  /** All passes of some instances. */
  #draw(gl: WebGL2RenderingContext, slot: number, count: number): void {
    this.#instancesFrom(gl, slot);
    for (const pass of [0, 1, 2, 3]) {
      gl.bindTexture(gl.TEXTURE_2D, pass === 3 ? this.#labelTexture : this.#atlasTexture);
      gl.uniform1i(this.#places.pass ?? null, pass);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
    }
  }

  /** WebGL 2 has no first instance to name, so the attributes begin at it. */
  #instancesFrom(gl: WebGL2RenderingContext, slot: number): void {
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#instances);
    for (const index of [1, 2, 3]) {
      const offset = (slot * STRIDE + (index - 1) * 4) * 4;
      gl.vertexAttribPointer(index, 4, gl.FLOAT, false, STRIDE * 4, offset);
    }
  }

  #uniforms(gl: WebGL2RenderingContext, atlas: Atlas): void {
    const view = this.#scene.view();
    const body = this.#scene.body();
    const u = this.#places;
    gl.uniform2f(u.centre ?? null, view.x, view.y);
    gl.uniform2f(u.viewport ?? null, view.width, view.height);
    gl.uniform1f(u.world ?? null, view.world);
    gl.uniform1f(u.now ?? null, this.#scene.now());
    gl.uniform1f(u.clock ?? null, this.#scene.clock());
    gl.uniform1f(u.body ?? null, body);
    gl.uniform1f(u.lettered ?? null, body >= 14 ? 1 : 0);
    gl.uniform4f(u.atlas ?? null, atlas.columns, atlas.rows, CELL / BODY, 0);
    gl.uniform4f(u.labels ?? null, LABEL.columns, LABEL.rows, LABEL.width, LABEL.height);
    gl.uniform2f(u.fade ?? null, STALE_AFTER / 1000, OLD_AFTER / 1000);
    gl.uniform1i(u.image ?? null, 0);
    gl.activeTexture(gl.TEXTURE0);
  }

  #textures(gl: WebGL2RenderingContext, atlas: Atlas, sheet: LabelSheet): void {
    if (atlas !== this.#shownAtlas) {
      upload(gl, this.#atlasTexture, atlas.canvas, true);
      this.#shownAtlas = atlas;
    }
    if (sheet !== this.#shownSheet || sheet.dirty) {
      upload(gl, this.#labelTexture, sheet.canvas, false);
      this.#shownSheet = sheet;
      sheet.dirty = false;
    }
  }
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
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  const smaller = mipmaps ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR;
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
