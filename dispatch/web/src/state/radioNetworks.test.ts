import { expect, test } from 'vitest';
import type { ClientFrame, ServerFrame } from '../wire/frames';
import { RadioNetworks } from './radioNetworks.svelte';

function followed() {
  const sent: ClientFrame[] = [];
  let n = 0;
  const made = new RadioNetworks({
    send: (frame) => (sent.push(frame), true),
    next: () => (n += 1),
  });
  const news = (set: object[], more: object = {}) =>
    made.take({ t: 'news', topic: 'radio', set, ...more } as unknown as ServerFrame);
  return { made, sent, news };
}

test('radio networks are followed as long as somebody looks, after a lost connection too', () => {
  const { made, sent } = followed();
  made.resumed();
  expect(sent).toEqual([]);
  made.open();
  made.resumed();
  made.close();
  made.resumed();
  expect(sent.map(({ t }) => t)).toEqual(['follow', 'follow', 'unfollow']);
});

test('each network has its own gateways and radios, who was heard last first', () => {
  const { made, news } = followed();
  news(
    [
      { is: 'radio_network', id: 1, name: 'National', agency: 1 },
      { is: 'radio_network', id: 2, name: 'Customs', agency: 2 },
      { is: 'radio', id: 5, network: 1, number: 4711, unit: 1, callsign: 'P-1' },
      { is: 'radio_talkgroup', id: 3, network: 1, number: 91, group: 'group:7', name: 'Patrols' },
      { is: 'radio_state', id: 9, network: 1, gateway: 6, label: 'Bridge', online: true, since: 1 },
      {
        is: 'radio_heard',
        id: 11,
        network: 1,
        number: 4711,
        first: 1,
        last: 5,
        times: 1,
        what: 'call',
      },
      {
        is: 'radio_heard',
        id: 12,
        network: 1,
        number: 4799,
        first: 1,
        last: 8,
        times: 1,
        what: 'text',
      },
    ],
    { whole: true },
  );
  const [national, customs] = made.networks;
  expect(national?.heard.map(({ number }) => number)).toEqual([4799, 4711]);
  expect(national?.radios[0]?.callsign).toBe('P-1');
  expect(national?.talkgroups[0]).toMatchObject({ number: 91, group: 7, name: 'Patrols' });
  expect(national?.gateways.map(({ label }) => label)).toEqual(['Bridge']);
  expect(customs).toMatchObject({ name: 'Customs', gateways: [], heard: [] });
  news([], { gone: ['radio_network:2', 'radio_heard:12'] });
  expect(made.networks.map(({ name }) => name)).toEqual(['National']);
  expect(made.networks[0]?.heard).toHaveLength(1);
});
