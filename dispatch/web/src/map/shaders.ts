/** Units in a row of the texture that holds them, and texels of one (see motion.ts). */
export const UNITS_A_ROW = 256;
export const TEXELS = 3;
/** Vertices of a unit's quad, and the two triangles they make. */
export const CORNERS = 4;
export const TRIANGLES = [0, 1, 2, 2, 1, 3] as const;

/** What is drawn of a unit, one after the other; the shader tells them apart by number. */
export const PASS = { ring: 0, tick: 1, symbol: 2, label: 3, status: 4 } as const;

/**
 * Four vertices are one unit, whose numbers are fetched from a texture. Not instances: without a
 * graphics card each of those costs as much as a draw call of its own. For the same reason a quad
 * is no larger than what is on it, and all that is the same for a whole quad is found here.
 */
export const VERTEX = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D units;
uniform vec2 centre;
uniform vec2 viewport;
uniform float world;
uniform float now;
uniform float clock;
uniform float body;       // size of a symbol's body, CSS pixels
uniform float lettered;   // 1: symbols with letters
uniform vec2 fade;        // seconds: stale after, old after
uniform int pass;
uniform vec4 span;        // of the cell: left, top, right, bottom; its edges are -1 and 1
uniform vec3 atlas;       // columns, rows, cell in bodies
uniform vec4 labels;      // columns, rows, width, height in CSS pixels
out vec2 at;
flat out vec2 look;       // strength, greyness

void main() {
  int slot = gl_VertexID / ${CORNERS};
  vec2 unit = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1);
  ivec2 first = ivec2(slot % ${UNITS_A_ROW} * ${TEXELS}, slot / ${UNITS_A_ROW});
  // Time of the fix (s), sprite, how it is looked at (see motion.ts), slot of the label.
  vec4 face = texelFetch(units, first + ivec2(2, 0), 0);
  // Start and length (s), heading from and to (degrees).
  vec4 timing = texelFetch(units, first + ivec2(1, 0), 0);
  float status = floor(face.z / 4.0);
  float shown = face.z - status * 4.0;
  bool skip = shown < 0.5
    || (pass == ${PASS.ring} && shown < 1.5)
    || (pass == ${PASS.status} && status < 0.5)
    || (pass == ${PASS.tick} && timing.w < -900.0)
    || (pass == ${PASS.label} && face.w < -0.5);
  if (skip) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  // From and to, in worlds from the origin.
  vec4 path = texelFetch(units, first, 0);
  float part = timing.y <= 0.0 ? 1.0 : clamp((now - timing.x) / timing.y, 0.0, 1.0);
  vec2 place = (mix(path.xy, path.zw, part) - centre) * world;

  vec2 corner = mix(span.xy, span.zw, unit);
  vec2 offset = corner * 0.5 * body * atlas.z;
  float sprite = pass == ${PASS.ring} ? 1.0
    : pass == ${PASS.tick} ? 0.0
    : pass == ${PASS.status} ? 1.0 + status
    : face.y + lettered;
  if (pass == ${PASS.tick}) {
    float turn = mod(timing.w - timing.z + 540.0, 360.0) - 180.0;
    float heading = timing.z < -900.0 ? timing.w : timing.z + turn * part;
    float a = radians(heading);
    offset = vec2(offset.x * cos(a) - offset.y * sin(a), offset.x * sin(a) + offset.y * cos(a));
  }
  at = (vec2(mod(sprite, atlas.x), floor(sprite / atlas.x)) + corner * 0.5 + 0.5) / atlas.xy;
  if (pass == ${PASS.label}) {
    offset = vec2(body * 0.62 + 1.0 + unit.x * labels.z, (unit.y - 0.5) * labels.w);
    place = floor(place) + fract(viewport * 0.5);
    at = (vec2(mod(face.w, labels.x), floor(face.w / labels.x)) + unit) / labels.xy;
  }
  vec2 clip = (place + offset) / (viewport * 0.5);
  gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);

  float age = clock - face.x;
  float stale = smoothstep(fade.x, fade.x + 10.0, age);
  float old = smoothstep(fade.y, fade.y + 30.0, age);
  bool inked = pass == ${PASS.ring} || pass == ${PASS.label};
  look = vec2(
    pass == ${PASS.ring} ? 1.0 : 1.0 - 0.35 * stale - 0.3 * old,
    inked ? 0.0 : 0.35 * stale + 0.4 * old);
}`;

export const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 at;
flat in vec2 look;
uniform sampler2D image;
out vec4 colour;

void main() {
  vec4 texel = texture(image, at);
  if (look.y > 0.0) {
    float grey = dot(texel.rgb, vec3(0.299, 0.587, 0.114));
    texel.rgb = mix(texel.rgb, vec3(grey) * 0.9, look.y);
  }
  colour = texel * look.x;
}`;
