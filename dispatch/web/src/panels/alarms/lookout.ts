import type { Lookout } from '../../wire/items';

/** A lookout that is being typed. */
export interface NewLookout {
  open: boolean;
  subject: Lookout['subject'];
  title: string;
  plate: string;
  text: string;
  hours: number;
  /** Agencies that are told. */
  told: number[];
}
export const NO_LOOKOUT: NewLookout = {
  open: false,
  subject: 'vehicle',
  title: '',
  plate: '',
  text: '',
  hours: 12,
  told: [],
};
