import { describe, expect, it } from 'vitest';
import { arrival } from './arrival';

const at = (rest: string) => arrival(new URL(`https://psn.example.bz/sign-in/${rest}`));

describe('an arrival from a provider', () => {
  it('brings what the provider said, and nothing else', () => {
    expect(at('bpd?code=a%20b&state=s&iss=https%3A%2F%2Fid&token=x')).toEqual({
      agency: 'bpd',
      proof: null,
      brought: { state: 's', code: 'a b', iss: 'https://id' },
    });
    expect(at('bpd?error=access_denied&state=s').brought).toEqual({
      state: 's',
      error: 'access_denied',
    });
  });

  it('is none without a state', () => {
    expect(at('bpd?code=x').brought).toBeNull();
    expect(at('%zz').agency).toBe('%zz');
  });

  it('asks for a proof only under a mark of ours', () => {
    const mark = '0123456789abcdef0123456789abcdef';
    expect(at(`bpd#prove-${mark}`).proof).toBe(mark);
    expect(at(`bpd?state=s#prove-${mark}`).proof).toBeNull();
    expect(at('bpd#prove-x').proof).toBeNull();
  });
});
