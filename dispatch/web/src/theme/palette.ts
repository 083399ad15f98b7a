/** Colours of the map. A chart by day (buff land, pale shoals), a dimmed bridge by night. */
export interface Palette {
  sea: string;
  shoal: string;
  land: string;
  abroad: string;
  coast: string;
  river: string;
  lake: string;
  border: string;
  district: string;
  road: string;
  roadEdge: string;
  reef: string;
  graticule: string;
  town: string;
  townFaint: string;
  seaText: string;
  landText: string;
  halo: string;
  seaHalo: string;
  fence: string;
  trail: string;
  symbolEdge: string;
  symbolTick: string;
  symbolHollow: string;
}

export const DAY: Palette = {
  sea: '#e3ecec',
  shoal: '#c5dedd',
  land: '#f6f0e0',
  abroad: '#e9e5d9',
  coast: '#93a29c',
  river: '#abc6c9',
  lake: '#d3e4e4',
  border: '#8d7f6b',
  district: '#c3b59b',
  road: '#d8bd8c',
  roadEdge: '#fffaf0',
  reef: '#5da39c',
  graticule: '#6f8a8c',
  town: '#2d2f2b',
  townFaint: '#5f5f57',
  seaText: '#48707a',
  landText: '#857a66',
  halo: '#f8f4e8',
  seaHalo: '#e3ecec',
  fence: '#8a4f7d',
  trail: '#0b5c6b',
  symbolEdge: 'rgba(40, 44, 42, 0.6)',
  symbolTick: '#26302d',
  symbolHollow: '#f4f1e8',
};

export const NIGHT: Palette = {
  sea: '#0d1519',
  shoal: '#17373a',
  land: '#282e29',
  abroad: '#1a201e',
  coast: '#566661',
  river: '#2b454a',
  lake: '#16292d',
  border: '#7b7361',
  district: '#4e564b',
  road: '#7a6c4b',
  roadEdge: '#1a1f1d',
  reef: '#2f6a63',
  graticule: '#5a7074',
  town: '#d5d8cf',
  townFaint: '#9ea49a',
  seaText: '#6f959b',
  landText: '#8d9486',
  halo: '#171c1a',
  seaHalo: '#0d1519',
  fence: '#b58aa9',
  trail: '#8fd3cd',
  symbolEdge: 'rgba(6, 9, 9, 0.85)',
  symbolTick: '#ffffff',
  symbolHollow: '#171d1c',
};
