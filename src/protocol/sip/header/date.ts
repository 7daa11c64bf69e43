import { decimal } from '../chars.js';
import { SipParseError } from '../parse-error.js';
import { putText } from '../put.js';
import { single } from './codec.js';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sat, 13 Nov 2010 23:29:00 GMT`, always 29 characters and GMT (RFC 3261 §20.17). */
function parseDate(value: string): Date {
  const text = value.trim();
  const day = decimal(text, 5, 7, 31);
  const month = MONTHS.indexOf(text.slice(8, 11));
  const year = decimal(text, 12, 16, 9999);
  const hour = decimal(text, 17, 19, 23);
  const minute = decimal(text, 20, 22, 59);
  const second = decimal(text, 23, 25, 60);
  const shaped =
    text.length === 29 &&
    text.slice(3, 5) === ', ' &&
    text.charAt(19) === ':' &&
    text.charAt(22) === ':' &&
    text.endsWith(' GMT');
  if (
    !shaped ||
    !DAYS.includes(text.slice(0, 3)) ||
    day < 1 ||
    month < 0 ||
    year < 0 ||
    hour < 0 ||
    minute < 0 ||
    second < 0
  ) {
    throw new SipParseError('expected a date such as "Sat, 13 Nov 2010 23:29:00 GMT"', { header: 'Date' });
  }
  return new Date(Date.UTC(year, month, day, hour, minute, second));
}

let last = { second: Number.NaN, text: '' };

/** A server writes the date of this second a thousand times. */
function dateText(date: Date): string {
  const second = Math.floor(date.getTime() / 1000);
  if (second !== last.second) last = { second, text: date.toUTCString() };
  return last.text;
}

export const dateCodec = single<Date>(
  'Date',
  (scanner) => parseDate(scanner.text.slice(scanner.pos, scanner.end)),
  (pos, value) => putText(pos, dateText(value)),
);
