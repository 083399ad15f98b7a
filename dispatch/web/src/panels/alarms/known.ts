import type { Console } from '../../state/console.svelte';
import type { Known, Target } from './about';

/** What this console knows of what alarms are about. */
export function knownBy(desk: Console): Known {
  return {
    item: (address) => desk.board?.items.get(address),
    unit: (id) => desk.picture.unit(id)?.callsign,
    agency: (id) => desk.name(`agency:${id}`),
    fence: (id) => desk.picture.fenceNames.get(id),
  };
}

/** Open what an alarm is about, and let the map look there. */
export function go(desk: Console, target: Target): void {
  if (target.kind === 'unit') {
    desk.select(target.id);
    desk.show({ unit: target.id });
  } else if (target.kind === 'call') {
    desk.showCalls();
  } else {
    desk.openIncident(target.id);
    const incident = desk.board?.get('incident', target.id);
    if (incident?.lon != null && incident.lat != null) {
      desk.show({ place: { lon: incident.lon / 1e7, lat: incident.lat / 1e7 } });
    }
  }
}
