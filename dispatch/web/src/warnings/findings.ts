import type { Language } from '../strings';
import type { Finding } from './answers';
import { spanishFindings } from './findings.es';

/** Where a finding is, of its path: `/text[es-BZ]/sms` is of Spanish, and of SMS. */
export interface Where {
  /** A language as its tag, or nothing. */
  tongue: string;
  /** A field or a channel. */
  field: string;
}

const PATH = /^\/(?:text\[([^\]]*)\]\/?)?(.*)$/;

export function whereOf(path: string): Where {
  const found = PATH.exec(path);
  return { tongue: found?.[1] ?? '', field: found?.[2] ?? '' };
}

/** What a finding says, and what to do, in the language of the page; else as the server says it. */
export function foundIn(language: Language, finding: Finding): string {
  const own = language === 'es' ? spanishFindings[finding.code] : undefined;
  return own ? own(whereOf(finding.path), finding.text) : `${finding.text} ${finding.todo}`;
}

/** Why an area, a file or an action was refused, in the language of the page; else as the server says it. */
export function refusedIn(language: Language, refusal: { code: string; text: string }): string {
  const own = language === 'es' ? spanishFindings[refusal.code] : undefined;
  return own ? own(whereOf('/area'), refusal.text) : refusal.text;
}
