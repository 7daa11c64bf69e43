import type { EpochMillis } from '../base/clock.js';
import type { Json } from '../storage/json.js';
import type { Mail } from './mail.js';

/** An attachment in a record: small ones as base64 in it, others by the id of a blob. */
export interface StoredAttachment {
  readonly fileName: string;
  readonly contentType: string;
  readonly base64?: string;
  readonly blob?: string;
}

/** One mail to one recipient as it lies in a record. */
export interface StoredMail {
  readonly id: string;
  readonly from?: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly attachments: readonly StoredAttachment[];
  /** Of text and attachments. */
  readonly bytes: number;
  readonly date: EpochMillis;
  /** Not before. */
  readonly nextAt: EpochMillis;
  /** The last attempt is made then. */
  readonly giveUpAt: EpochMillis;
  readonly attempts: number;
}

/** Field by field, so that nothing that a caller left on the mail reaches the disk. */
export function storedJson(mail: StoredMail): Json {
  const { id, from, to, subject, text, attachments, bytes, date, nextAt, giveUpAt, attempts } = mail;
  return {
    id,
    ...(from === undefined ? {} : { from }),
    to,
    subject,
    text,
    attachments: attachments.map((each) => ({ ...each })),
    bytes,
    date,
    nextAt,
    giveUpAt,
    attempts,
  };
}

/** Undefined for a record that is not ours to read. */
export function readStored(value: Json): StoredMail | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const mail = value as unknown as Readonly<Record<keyof StoredMail, unknown>>;
  const texts = [mail.id, mail.to, mail.subject, mail.text];
  const numbers = [mail.bytes, mail.date, mail.nextAt, mail.giveUpAt, mail.attempts];
  const whole =
    texts.every((each) => typeof each === 'string') &&
    numbers.every((each) => Number.isFinite(each)) &&
    Array.isArray(mail.attachments) &&
    mail.attachments.every(isAttachment);
  return whole ? (value as unknown as StoredMail) : undefined;
}

function isAttachment(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { fileName, contentType, base64, blob } = value as Readonly<Record<keyof StoredAttachment, unknown>>;
  return [fileName, contentType, blob ?? base64].every((each) => typeof each === 'string');
}

/** The size by which an outbox counts a mail. */
export function mailBytes({ subject, text, attachments = [] }: Mail): number {
  const head = Buffer.byteLength(subject) + Buffer.byteLength(text);
  return attachments.reduce((sum, { content }) => sum + content.length, head);
}
