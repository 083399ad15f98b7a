import { describe, expect, it } from 'vitest';
import type { SmsCampaign } from './answers';
import { campaignDoubts, campaignSays } from './campaign';

const ALL: SmsCampaign = {
  telephones: 8_200,
  messages: 12_300,
  languages: [{ language: 'en-BZ', telephones: 8_200, parts: 2 }],
  cost: 246,
  minutes: 10.25,
  rate: 20,
  centres: 1,
  away: [],
};

describe('what an SMS to everybody takes', () => {
  it('is said before it is sent', () => {
    expect(campaignSays(ALL, 'en')).toBe(
      'For 8,200 telephones: 12,300 short messages. It costs 246.00. It takes 11 minutes at least.',
    );
    expect(campaignSays(ALL, 'es')).toContain('Tarda 11 minutos por lo menos.');
    expect(campaignDoubts(ALL)).toBe(false);
  });
  it('is in hours when it is long, and a minute when it is nothing', () => {
    expect(campaignSays({ ...ALL, minutes: 124.2 }, 'en')).toContain('2:05 hours');
    expect(campaignSays({ ...ALL, minutes: 0.02 }, 'en')).toContain('a minute at least');
  });
  it('says no price where a centre has none', () => {
    expect(campaignSays({ ...ALL, cost: null }, 'en')).not.toContain('costs');
  });
  it('warns of centres that cannot be reached, and of nobody who is told', () => {
    const some = { ...ALL, away: ['smsc:btl'] };
    expect(campaignSays(some, 'en')).toContain('Cannot be reached now: btl.');
    expect(campaignDoubts(some)).toBe(true);
    const none = { ...some, minutes: null, centres: 0 };
    expect(campaignSays(none, 'en')).toContain('No SMS centre can be reached: it waits for one.');
    const nobody = { ...none, telephones: 0, messages: 0 };
    expect(campaignSays(nobody, 'en')).toBe('No telephone is named for this area.');
    expect(campaignDoubts(nobody)).toBe(false);
  });
});
