/** One instance is one unit (see motion.ts); `pass` chooses which quad of it is drawn. */
export const VERTEX = `#version 300 es
precision highp float;
precision highp int;
layout(location = 0) in vec2 corner;
layout(location = 1) in vec4 path;    // from, to: worlds from the origin
layout(location = 2) in vec4 timing;  // start, length (s); heading from, to (degrees)
layout(location = 3) in vec4 face;    // fix time (s), sprite, look, label slot
uniform vec2 centre;
uniform vec2 viewport;
uniform float world;
uniform float now;
uniform float clock;
uniform float body;       // size of a symbol's body, CSS pixels
uniform float lettered;   // 1: symbols with letters
uniform int pass;         // 0 ring, 1 tick, 2 symbol, 3 label
uniform vec4 atlas;       // columns, rows, cell in bodies, unused
uniform vec4 labels;      // columns, rows, width, height in CSS pixels
out vec2 at;
out float age;

void main() {
  float look = face.z;
  float part = timing.y <= 0.0 ? 1.0 : clamp((now - timing.x) / timing.y, 0.0, 1.0);
  vec2 place = (mix(path.xy, path.zw, part) - centre) * world;
  age = clock - face.x;
  bool skip = look < 0.5
    || (pass == 0 && look < 1.5)
    || (pass == 1 && timing.w < -900.0)
    || (pass == 3 && face.w < -0.5);
  if (skip) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); at = vec2(0.0); return; }
  vec2 offset = corner * 0.5 * body * atlas.z;
  float sprite = pass == 0 ? 1.0 : pass == 1 ? 0.0 : face.y + lettered;
  if (pass == 1) {
    float turn = mod(timing.w - timing.z + 540.0, 360.0) - 180.0;
    float heading = timing.z < -900.0 ? timing.w : timing.z + turn * part;
    float a = radians(heading);
    offset = vec2(offset.x * cos(a) - offset.y * sin(a), offset.x * sin(a) + offset.y * cos(a));
  }
  vec2 unit = corner * 0.5 + 0.5;
  at = (vec2(mod(sprite, atlas.x), floor(sprite / atlas.x)) + unit) / atlas.xy;
  if (pass == 3) {
    offset = vec2(body * 0.62 + 1.0 + unit.x * labels.z, corner.y * 0.5 * labels.w);
    place = floor(place) + fract(viewport * 0.5);
    at = (vec2(mod(face.w, labels.x), floor(face.w / labels.x)) + unit) / labels.xy;
  }
  vec2 clip = (place + offset) / (viewport * 0.5);
  gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
in vec2 at;
in float age;
uniform sampler2D image;
uniform vec2 fade;        // seconds: stale after, old after
uniform int pass;
out vec4 colour;

void main() {
  vec4 texel = texture(image, at);
  float stale = smoothstep(fade.x, fade.x + 10.0, age);
  float old = smoothstep(fade.y, fade.y + 30.0, age);
  float strength = 1.0 - 0.35 * stale - 0.3 * old;
  if (pass != 0 && pass != 3) {
    float grey = dot(texel.rgb, vec3(0.299, 0.587, 0.114));
    texel.rgb = mix(texel.rgb, vec3(grey) * 0.9, 0.35 * stale + 0.4 * old);
  }
  colour = pass == 0 ? texel : texel * strength;
}`;
