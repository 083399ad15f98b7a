/** Where things are, and how far from each other. Pure. */
import type { Assignment, Emergency, Incident, Place } from '../wire/items';
import type { Board } from './board.svelte';
import { nearBelize } from './coordinates';

const RADIUS = 6_371_008.8;
/** Closer is the same place, rounded elsewhere; metres. */
const SAME = 1;

export interface Point {
  /** Degrees, WGS 84. */
  lon: number;
  lat: number;
}

/** Metres between two points on a sphere (haversine; IUGG mean radius). */
export function metres(a: Point, b: Point): number {
  const rad = Math.PI / 180;
  const half = (degrees: number): number => Math.sin((degrees * rad) / 2) ** 2;
  const h =
    half(b.lat - a.lat) + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * half(b.lon - a.lon);
  return 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** A place of the board, in degrees; null when it is not on the map. */
export function pointOf(item: { lon?: number | null; lat?: number | null }): Point | null {
  return item.lon == null || item.lat == null ? null : { lon: item.lon / 1e7, lat: item.lat / 1e7 };
}

/**
 * A place as an action takes it: a point outside Belize is on the page only where somebody chose it,
 * or where it was said to him that it is outside (DOM-PLACE-2).
 */
export function meant<P extends Place>(place: P): P | (P & { anywhere: true }) {
  const point = pointOf(place);
  return point === null || nearBelize(point) ? place : { ...place, anywhere: true };
}

/** Where a red button was pressed; null where that is not known here, or not shown (DOM-EMG-5). */
export function pressedAt(board: Board | null, emergency: Emergency): Point | null {
  return pointOf(board?.get('emergency_place', emergency.id) ?? {});
}

/** Where an emergency is, and since when that is known. */
export interface Sighting extends Point {
  /** Milliseconds UTC. */
  time: number;
  /** It is where the button was pressed, not what the unit has reported since. */
  pressed: boolean;
}

/**
 * Where an emergency is, as far as it is known: the newer of the unit's own place and of where its
 * button was pressed, which may have been said by a voice on the radio while the unit was silent.
 */
export function whereabouts(
  emergency: Emergency,
  pressed: Point | null,
  seat: (Point & { time: number }) | null | undefined,
): Sighting | null {
  // Pressed without a place of its own it is the unit's last one, and no newer than that.
  const apart = pressed && (!seat || metres(pressed, seat) > SAME);
  if (pressed && apart && (!seat || seat.time < emergency.said)) {
    return { lon: pressed.lon, lat: pressed.lat, time: emergency.pressed, pressed: true };
  }
  return seat ? { lon: seat.lon, lat: seat.lat, time: seat.time, pressed: false } : null;
}

/** Where a unit is sent. */
export interface Goal {
  text: string;
  point: Point | null;
  /** That is not where the incident is. */
  elsewhere: boolean;
}

/** Where an assignment leads: to a place of its own, or to the incident (DOM-ASG-8). */
export function goalOf(assignment: Assignment, incident: Incident | undefined): Goal {
  if (assignment.place)
    return { text: assignment.place, point: pointOf(assignment), elsewhere: true };
  return {
    text: incident?.place ?? '',
    point: incident ? pointOf(incident) : null,
    elsewhere: false,
  };
}

/** So near is perhaps there, metres. */
const THERE = 150;
/** A fix less certain than this says nothing. */
const DOUBTFUL = 300;

/**
 * Whether a unit that has not said so is perhaps where it was sent: how far it is, metres; else
 * null. It is only a question to whoever sees it: the crew or the desk says that it has arrived.
 */
export function arrived(
  assignment: Assignment,
  goal: Goal,
  here: (Point & { accuracy: number | null }) | null,
): number | null {
  if (!here || !goal.point || assignment.on_scene || assignment.ended) return null;
  const doubt = here.accuracy ?? 0;
  const far = metres(here, goal.point);
  return doubt <= DOUBTFUL && far <= Math.max(THERE, doubt) ? far : null;
}
