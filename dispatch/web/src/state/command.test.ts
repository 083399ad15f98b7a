import { describe, expect, it, test } from 'vitest';
import { LANGUAGES, type Language } from '../strings';
import { read, type Deed } from './command';
import { History } from './history';
import { Lexicon, type World } from './lexicon';
import { timeIn } from './span';
import { COMMANDS, STATUSES } from './vocabulary';

const NOW = Date.UTC(2026, 10, 28, 18, 0); // noon in Belize
const world: World = {
  now: NOW,
  units: [
    { id: 1, callsign: 'CAR-1', agency: 'BPD', own: true },
    { id: 2, callsign: 'CAR-2', agency: 'BPD', own: true },
    { id: 10, callsign: 'CAR-10', agency: 'BPD', own: true },
    { id: 3, callsign: 'K9 Unit', agency: 'BPD', own: true },
    { id: 4, callsign: 'Peña', agency: 'BPD', own: true },
    { id: 5, callsign: 'B-7', agency: 'BCG', own: false },
    { id: 6, callsign: 'CAR-2', agency: 'CED', own: false },
    { id: 7, callsign: 'X-1', agency: 'BDF', own: false },
    { id: 8, callsign: 'X-1', agency: 'CED', own: false },
  ],
  incidents: [
    { id: 41, number: 'BPD-26-00012', title: 'Hit and run', own: true },
    { id: 42, number: 'CED-26-00012', title: 'Road block', own: false },
    { id: 43, number: 'BCG-26-00007', title: 'Boat adrift', own: false },
  ],
};
const lexicons = { en: new Lexicon(world, 'en'), es: new Lexicon(world, 'es') };
const at = (line: string, language: Language = 'en') =>
  read(line, lexicons[language], LANGUAGES[language]);

const DEEDS: readonly (readonly [string, Deed, string])[] = [
  [
    'a CAR-1 CAR-2 BPD-26-12',
    { do: 'assign', incident: 41, units: [1, 2], text: '' },
    'Send CAR-1 and CAR-2 to BPD-26-00012 Hit and run.',
  ],
  [
    'a bpd-26-00012 car-10 k9 unit Bring the dog',
    { do: 'assign', incident: 41, units: [10, 3], text: 'Bring the dog' },
    'Send CAR-10 and K9 Unit to BPD-26-00012 Hit and run, with the words “Bring the dog”.',
  ],
  [
    'send pena CAR-1 CAR-1 7',
    { do: 'assign', incident: 43, units: [4, 1], text: '' },
    'Send Peña and CAR-1 to BCG-26-00007 Boat adrift.',
  ],
  [
    'a CAR-1 12 12 people are there',
    { do: 'assign', incident: 41, units: [1], text: '12 people are there' },
    'Send CAR-1 to BPD-26-00012 Hit and run, with the words “12 people are there”.',
  ],
  ['s CAR-1 en route', { do: 'status', unit: 1, status: 'en_route' }, 'CAR-1 is en route.'],
  ['S car-1 ER', { do: 'status', unit: 1, status: 'en_route' }, 'CAR-1 is en route.'],
  ['s CAR-1 clear', { do: 'status', unit: 1, status: 'clear' }, 'CAR-1 is clear.'],
  [
    's CAR-1 out of service',
    { do: 'status', unit: 1, status: 'out_of_service' },
    'CAR-1 is out of service.',
  ],
  ['f B-7', { do: 'find_unit', unit: 5 }, 'Show unit B-7.'],
  ['B-7', { do: 'find_unit', unit: 5 }, 'Show unit B-7.'],
  ['bdf/x-1', { do: 'find_unit', unit: 7 }, 'Show unit X-1.'],
  ['f 7', { do: 'find_incident', incident: 43 }, 'Show incident BCG-26-00007 Boat adrift.'],
  [
    'f  Hattieville market',
    { do: 'find_place', text: 'Hattieville market' },
    'Look for the place “Hattieville market”.',
  ],
  [
    'm B-7  come  home ',
    { do: 'message', unit: 5, text: 'come  home' },
    'Write to B-7: “come  home”',
  ],
  [
    'n 12 white Toyota',
    { do: 'note', incident: 41, text: 'white Toyota' },
    'Note in BPD-26-00012 Hit and run: “white Toyota”',
  ],
  ['c', { do: 'call' }, 'Take a new call.'],
  [
    'i Fire at the market',
    { do: 'open', title: 'Fire at the market' },
    'Open a new incident: “Fire at the market”',
  ],
  [
    'cl BPD-26-12 done driver found',
    { do: 'close', incident: 41, outcome: 'done', text: 'driver found' },
    'Close BPD-26-00012 Hit and run as done, with the words “driver found”.',
  ],
  [
    'cl 12 false alarm',
    { do: 'close', incident: 41, outcome: 'false_alarm', text: '' },
    'Close BPD-26-00012 Hit and run as false alarm.',
  ],
  ['e CAR-1', { do: 'emergency', unit: 1 }, 'EMERGENCY for CAR-1: every console is alarmed.'],
  [
    'r 10m call back',
    { do: 'remind', at: NOW + 600_000, text: 'call back' },
    'Remind me at 12:10: “call back”',
  ],
  [
    'w CAR-1 15m',
    { do: 'welfare', unit: 1, every: 900 },
    'Ask CAR-1 every 15 min whether it is well.',
  ],
  ['?', { do: 'help' }, 'Show all commands.'],
];

test.each(DEEDS)('%s', (line, deed, says) => {
  expect(at(line)).toMatchObject({ deed, says, wrong: false });
});

const MISSING: readonly (readonly [string, string, boolean])[] = [
  ['a', 'Which units, and to which incident?', false],
  ['a CAR-1', 'Which incident?', false],
  ['a BPD-26-12', 'Which units, and to which incident?', false],
  ['a CAR-1 nowhere', 'No unit and no open incident is called “nowhere”.', true],
  ['a CAR-1 BPD-26-0', 'No unit and no open incident is called “BPD-26-0”.', false],
  ['a B-7 12', 'B-7 is a unit of BCG; only its own agency can do that.', true],
  ['s', 'Which unit?', false],
  ['s CAR-1', 'Which status?', false],
  ['s CAR-1 en', '“en” is no status.', false],
  ['s CAR-1 asleep', '“asleep” is no status.', true],
  ['s CAR-1 clear now', '“now” is too much here.', true],
  ['s NOBODY clear', 'No unit is called “NOBODY”.', true],
  ['f', 'Find what?', false],
  ['f X-1', '“X-1” may be several: BDF/X-1, CED/X-1. Type one of these.', true],
  ['n 12', 'What is the text?', false],
  ['n 99 text', 'There is no open incident “99”.', true],
  ['cl 12', 'How did it end?', false],
  ['i  ', 'What is its title?', false],
  ['r 10 ', 'What is the text?', false],
  ['r soon text', '“soon” is no time. Type it so: 10m, 2h, 14:30.', true],
  ['w CAR-1 5s', 'A welfare check is made every 1 minute to every 24 hours.', true],
  ['/s CAR-1 en', '“en” is no status.', false],
  ['zap CAR-1', 'There is no command “zap”. Type ? to see all of them.', true],
];

test.each(MISSING)('%s is not ready', (line, says, wrong) => {
  expect(at(line)).toMatchObject({ deed: null, says, wrong });
});

describe('Spanish', () => {
  it.each([
    ['as CAR-1 BPD-26-12', { do: 'assign', incident: 41, units: [1], text: '' }],
    ['es CAR-1 en camino', { do: 'status', unit: 1, status: 'en_route' }],
    ['estado CAR-1 en el lugar', { do: 'status', unit: 1, status: 'on_scene' }],
    ['b B-7', { do: 'find_unit', unit: 5 }],
    ['ll', { do: 'call' }],
    [
      'ce 12 sin novedad nadie',
      { do: 'close', incident: 41, outcome: 'nothing_found', text: 'nadie' },
    ],
    ['a CAR-1 BPD-26-12', { do: 'assign', incident: 41, units: [1], text: '' }],
  ] as const)('%s', (line, deed) => {
    const reading = at(line, 'es');
    expect(reading.deed).toEqual(deed);
    expect(reading.says).not.toBe(at(line, 'en').says);
  });

  it('offers its own words', () => {
    expect(at('es CAR-1 ', 'es').offers.map(({ label }) => label)).toContain('en camino');
    expect(at('es CAR-1 ', 'en').offers.map(({ label }) => label)).toContain('en route');
  });
});

describe('offers', () => {
  const lines = (line: string) => at(line).offers.map((offer) => offer.line);

  it('names that begin like what is there', () => {
    expect(lines('a CAR-1')).toEqual(['a CAR-10 ']);
    expect(lines('a CAR-1 B')).toEqual(['a CAR-1 BPD-26-00012 ', 'a CAR-1 BCG-26-00007 ']);
    expect(lines('s k9')).toEqual(['s K9 Unit ']);
    expect(lines('s K9 ')).toEqual(['s K9 Unit ']);
    expect(lines('s CAR-1 en')).toEqual(['s CAR-1 en route ']);
    expect(lines('s CAR-1 en ')).toEqual(['s CAR-1 en route ']);
    expect(lines('cl 12 f')).toEqual(['cl 12 false alarm ']);
    expect(lines('f B-')).toEqual(['f B-7 ']);
  });

  it('commands at the beginning, and nothing inside texts', () => {
    expect(lines('').length).toBeGreaterThan(4);
    expect(lines('n 12 CAR')).toEqual([]);
    expect(lines('i CAR')).toEqual([]);
  });

  it('units of one callsign with their agency, unless the own one is meant', () => {
    expect(lines('f X-')).toEqual(['f BDF/X-1 ', 'f CED/X-1 ']);
    expect(lines('f X-1')).toEqual(['f BDF/X-1 ', 'f CED/X-1 ']);
    expect(lines('f bdf/')).toEqual(['f BDF/X-1 ']);
    expect(at('f CED/X-1 ').deed).toEqual({ do: 'find_unit', unit: 8 });
    expect(lines('f CAR-2')).toEqual(['f CED/CAR-2 ']);
    expect(lines('m CAR')).toEqual(['m CAR-1 ', 'm CAR-2 ', 'm CAR-10 ', 'm CED/CAR-2 ']);
  });

  it('only own units where only those may be meant', () => {
    expect(lines('s B')).toEqual([]);
    expect(lines('m B-')).toEqual(['m B-7 ']);
  });
});

test('no name of a command or a status means two things', () => {
  for (const of of [COMMANDS, STATUSES]) {
    const names = Object.values(of).flatMap(({ en, es }) => [...new Set<string>([...en, ...es])]);
    expect(names.length).toBe(new Set(names).size);
  }
});

/** Lines of all kinds of pieces, the same ones at every run. */
function* lines(count: number): Generator<string> {
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const pieces = [
    'a', 's', 'f', 'm', 'n', 'c', 'i', 'cl', 'e', 'r', 'w', '?', 'es', 'CAR-1', 'car', 'K9', 'Unit',
    'CAR-2', 'B-7', 'X-1', 'BDF/X-1', 'BPD-26-12', '12', '7', '99', 'en', 'route', 'done', 'clear',
    '10m', '25:99', '99999999999', '', ' ', '\t', '\u0000', '\u202e', '🚓', 'İ', 'ﬁ', 'constructor',
    '__proto__', 'toString', '"', '$&', '\\', 'x'.repeat(5000),
  ]; // prettier-ignore
  for (let n = 0; n < count; n++) {
    const size = next(8);
    let line = '';
    for (let k = 0; k < size; k++)
      line += (pieces[next(pieces.length)] ?? '') + ' '.repeat(next(3));
    yield line;
  }
}

test('whatever is typed is answered, and every offer leads on', () => {
  let ready = 0;
  for (const line of lines(4000)) {
    for (const language of ['en', 'es'] as const) {
      const reading = at(line, language);
      if (line.trim()) expect(reading.says, line).not.toBe('');
      if (reading.wrong) expect(reading.deed, line).toBeNull();
      if (reading.deed) ready += 1;
      const once = new Set(reading.offers.map((offer) => offer.line));
      expect(once.size, line).toBe(reading.offers.length);
      for (const offer of reading.offers) {
        expect(offer.line.length).toBeGreaterThan(line.trimEnd().length - 1);
        expect(at(offer.line, language).says).not.toBe('');
      }
    }
  }
  expect(ready).toBeGreaterThan(200);
});

test('times as people type them', () => {
  expect(timeIn('10m', NOW)).toMatchObject({ seconds: 600, words: '10 min', clock: '12:10' });
  expect(timeIn('15', NOW)?.seconds).toBe(900);
  expect(timeIn('1h30', NOW)).toMatchObject({ seconds: 5400, words: '1 h 30 min' });
  expect(timeIn('90s', NOW)?.words).toBe('90 s');
  expect(timeIn('14:30', NOW)?.seconds).toBe(9000);
  expect(timeIn('11:00', NOW)?.seconds).toBe(23 * 3600);
  for (const bad of ['', '0', '0m', '25:00', '12:60', '-5m', '1e3', '99999d', 'm']) {
    expect(timeIn(bad, NOW), bad).toBeNull();
  }
});

test('arrow up goes back, arrow down comes back to what was begun', () => {
  const history = new History(['one', 'two']);
  expect(history.up('half')).toBe('two');
  expect(history.up('two')).toBe('one');
  expect(history.up('one')).toBe('one');
  expect(history.down('one')).toBe('two');
  expect(history.down('two')).toBe('half');
  expect(history.down('half')).toBe('half');
  history.add('two');
  expect(history.lines).toEqual(['one', 'two']);
});
