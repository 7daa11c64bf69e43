import type { Millis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { BlobStore } from '../storage/blob-store.js';
import type { RecordStore } from '../storage/record-store.js';
import type { Mailer } from './mailer.js';

/** When a mail is tried again. The wait doubles from the first to the longest, each less up to a half by chance. */
export interface OutboxRetry {
  /** After the first failure. Default 60. */
  readonly firstSeconds?: number;
  /** Default 3600. */
  readonly mostSeconds?: number;
  /** From the writing of a mail to its last attempt. Default four days (RFC 5321 §4.5.4.1). */
  readonly giveUpSeconds?: number;
}

export interface OutboxLimits {
  /** Mails at once; one to several recipients counts as several. */
  readonly maxMails: number;
  /** Text and attachments of one mail, in bytes. */
  readonly maxMailBytes: number;
  /** Of all mails. */
  readonly maxBytes: number;
  /** Recipients that are served at a time. */
  readonly parallel: number;
}

/** What holds when nothing is said. */
export const DEFAULT_OUTBOX_LIMITS: OutboxLimits = Object.freeze({
  maxMails: 10_000,
  maxMailBytes: 25 * 1024 * 1024,
  maxBytes: 1024 * 1024 * 1024,
  parallel: 2,
});

export interface OutboxOptions {
  /** Mail lies in `${tenantId}/outbox`. */
  readonly records: RecordStore;
  /** Attachments of more than 8 KiB lie here. */
  readonly blobs: BlobStore;
  /** Not closed by the outbox. */
  readonly mailer: Mailer;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Whose mail is taken, and after a restart sent. Default: the tenant of a PBX that has only one. */
  readonly tenants?: readonly TenantId[];
  /** Names this node in shared storage; each sends its own mail. Default `node`. */
  readonly nodeId?: string;
  readonly retry?: OutboxRetry;
  readonly limits?: Partial<OutboxLimits>;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** The waits of an outbox, checked. */
export class RetryTimes {
  readonly giveUpMs: number;
  readonly mostMs: number;
  readonly #firstMs: number;
  readonly #random: Random;

  /** @throws UsageError PBX_INVALID_ARGUMENT */
  constructor(retry: OutboxRetry, random: Random) {
    const { firstSeconds = 60, mostSeconds = 3600, giveUpSeconds = 345_600 } = retry;
    checkWhole('retry.firstSeconds', firstSeconds);
    checkWhole('retry.mostSeconds', mostSeconds);
    checkWhole('retry.giveUpSeconds', giveUpSeconds);
    this.#firstMs = firstSeconds * 1000;
    this.mostMs = Math.max(firstSeconds, mostSeconds) * 1000;
    this.giveUpMs = giveUpSeconds * 1000;
    this.#random = random;
  }

  /** After so many failures in a row (≥ 1). */
  delayMs(failures: number): Millis {
    const upper = Math.min(this.mostMs, this.#firstMs * 2 ** Math.min(failures - 1, 30));
    return upper - this.#random.integer(Math.floor(upper / 2) + 1);
  }
}

/** @throws UsageError PBX_INVALID_ARGUMENT unless each is a whole number from 1 */
export function outboxLimits(limits: Partial<OutboxLimits>): OutboxLimits {
  const all = { ...DEFAULT_OUTBOX_LIMITS, ...limits };
  for (const [name, value] of Object.entries(all)) checkWhole(`limits.${name}`, value);
  return all;
}

function checkWhole(what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new UsageError('PBX_INVALID_ARGUMENT', `outbox ${what}: found ${value}, expected a whole number from 1`);
}
