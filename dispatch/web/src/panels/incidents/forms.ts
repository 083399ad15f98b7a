/** What is asked before something is done with an incident: one form of it at a time is shown. */
export const FORMS = ['invite', 'handOver', 'link', 'leave', 'close', 'reopen'] as const;
export type Form = (typeof FORMS)[number];

/** What is typed in one of them. */
export interface Asked {
  open: boolean;
  /** Whom, which or what of a list. */
  chosen: string;
  text: string;
}
export const NOTHING: Asked = { open: false, chosen: '', text: '' };
