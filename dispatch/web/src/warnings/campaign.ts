import type { Language } from '../strings';
import type { SmsCampaign } from './answers';
import { texts } from './words';

/** What it takes to tell everybody by SMS: how many, what it costs, how long it takes. */
export function campaignSays(sms: SmsCampaign, language: Language): string {
  const words = texts[language];
  if (sms.telephones === 0) return words.smsNobody;
  const number = (value: number): string => value.toLocaleString(language);
  const says = [
    words.smsFor(number(sms.telephones), sms.telephones, number(sms.messages), sms.messages),
  ];
  if (sms.cost !== null) {
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    says.push(words.smsCost(sms.cost.toLocaleString(language, digits)));
  }
  if (sms.minutes !== null) says.push(words.smsTakes(duration(sms.minutes, words.smsTimes)));
  if (sms.away.length > 0) {
    // A centre is named `smsc:` and as the operator calls it.
    const away = sms.away.map((name) => name.replace(/^smsc:/, '')).join(', ');
    says.push(words.smsAway(away));
  }
  if (sms.minutes === null) says.push(words.smsWaits);
  return says.join(' ');
}

/** Nothing of it is to be feared: it is said. */
export const campaignDoubts = ({ telephones, minutes, away }: SmsCampaign): boolean =>
  telephones > 0 && (minutes === null || away.length > 0);

function duration(
  minutes: number,
  say: { little: string; minutes: (many: number) => string; hours: (many: string) => string },
): string {
  if (minutes <= 1) return say.little;
  if (minutes < 100) return say.minutes(Math.ceil(minutes));
  const all = Math.ceil(minutes);
  return say.hours(`${Math.floor(all / 60)}:${String(all % 60).padStart(2, '0')}`);
}
