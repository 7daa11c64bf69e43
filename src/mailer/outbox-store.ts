import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { TenantId } from '../base/tenant.js';
import type { BlobStore } from '../storage/blob-store.js';
import type { RecordStore } from '../storage/record-store.js';
import type { Mail, MailAttachment } from './mail.js';
import { mailBytes, readStored, type StoredAttachment, type StoredMail, storedJson } from './stored-mail.js';

/** Larger attachments go to the blob store: a record is written again after each attempt, and read whole. */
const LARGEST_INLINE = 8_192;
/** Mails in one page of a scan: each may hold its text. */
const PAGE = 100;
/** Digits of a sequence number in an id, so that ids are ordered as numbers are. */
const DIGITS = 16;

/** A mail in the outbox, without its contents. */
export interface Slot {
  readonly tenantId: TenantId;
  /** Of its record. */
  readonly key: string;
  readonly mail: Pick<StoredMail, 'id' | 'to' | 'subject' | 'bytes' | 'nextAt' | 'giveUpAt' | 'attempts'>;
  readonly blobs: readonly string[];
}

/** What a new mail gets besides what its writer has given. */
export type Envelope = Pick<StoredMail, 'id' | 'date' | 'nextAt' | 'giveUpAt'>;

/**
 * Mail on disk: one record for each recipient in `${tenantId}/outbox`, named `nodeId/sequence`, so that a scan gives them in the order in
 * which they were added; large attachments as blobs `${tenantId}/outbox/nodeId/…`.
 */
export class OutboxStore {
  readonly #records: RecordStore;
  readonly #blobs: BlobStore;
  readonly #nodeId: string;
  readonly #logger: Logger;
  #sequence = 0;

  constructor(options: { records: RecordStore; blobs: BlobStore; nodeId: string; logger: Logger }) {
    this.#records = options.records;
    this.#blobs = options.blobs;
    this.#nodeId = options.nodeId;
    this.#logger = options.logger;
  }

  /**
   * The mail of a tenant that waits, oldest first. Records that cannot be read are reported and removed, blobs that
   * belong to none as well. @throws what the stores throw
   */
  async load(tenantId: TenantId, onLost: (key: string) => void): Promise<readonly Slot[]> {
    const slots: Slot[] = [];
    const prefix = `${this.#nodeId}/`;
    for (let after: string | undefined; ; ) {
      const page = await this.#records.scan(collectionOf(tenantId), {
        prefix,
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      });
      for (const { id: key, value } of page) {
        this.#sequence = Math.max(this.#sequence, Number(key.slice(prefix.length)) || 0);
        const mail = readStored(value);
        if (mail !== undefined) slots.push(slotOf(tenantId, key, mail));
        else {
          onLost(key);
          await this.#records.delete(collectionOf(tenantId), key);
        }
      }
      after = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
    const used = new Set(slots.flatMap(({ blobs }) => blobs));
    for (const { id } of await this.#blobs.list(this.#blobId(tenantId, ''))) {
      if (!used.has(id)) await this.#blobs.delete(id);
    }
    return slots;
  }

  /** Writes a mail down for each of its recipients: for all of them or for none. @throws what the stores throw */
  async save(tenantId: TenantId, mail: Mail, envelope: Envelope): Promise<readonly Slot[]> {
    const written: string[] = [];
    try {
      const slots: { readonly slot: Slot; readonly stored: StoredMail }[] = [];
      for (const [at, to] of mail.to.entries()) {
        this.#sequence++;
        const key = `${this.#nodeId}/${String(this.#sequence).padStart(DIGITS, '0')}`;
        const attachments: StoredAttachment[] = [];
        for (const [index, attachment] of (mail.attachments ?? []).entries()) {
          const blob = this.#blobId(tenantId, `${this.#sequence}-${at}-${index}`);
          attachments.push(await this.#attach(attachment, blob, written));
        }
        const stored = storedOf(mail, to, attachments, envelope);
        slots.push({ slot: slotOf(tenantId, key, stored), stored });
      }
      await this.#records.batch(
        slots.map(({ slot: { key }, stored }) => ({
          type: 'put',
          collection: collectionOf(tenantId),
          id: key,
          value: storedJson(stored),
        })),
      );
      return slots.map(({ slot }) => slot);
    } catch (error) {
      await this.#dropBlobs(written);
      throw error;
    }
  }

  /** The mail as it was given. `gone`: somebody has removed its record. `lost`: it can be read no more. @throws what the stores throw */
  async read({ tenantId, key }: Slot): Promise<Mail | 'gone' | 'lost'> {
    const record = await this.#records.get(collectionOf(tenantId), key);
    if (record === undefined) return 'gone';
    const stored = readStored(record.value);
    if (stored === undefined) return 'lost';
    const attachments: MailAttachment[] = [];
    for (const { fileName, contentType, base64, blob } of stored.attachments) {
      const content = blob === undefined ? Buffer.from(base64 ?? '', 'base64') : await this.#blob(blob);
      if (content === undefined) return 'lost';
      attachments.push({ fileName, contentType, content });
    }
    const { id, from, to, subject, text, date } = stored;
    return { id, to: [to], subject, text, date, attachments, ...(from === undefined ? {} : { from }) };
  }

  /** Writes down how an attempt has left it; a record that is gone stays so. @throws what the store throws */
  async postpone(slot: Slot): Promise<void> {
    const { tenantId, key, mail } = slot;
    const record = await this.#records.get(collectionOf(tenantId), key);
    const stored = record === undefined ? undefined : readStored(record.value);
    if (record === undefined || stored === undefined) return;
    const { attempts, nextAt } = mail;
    const value = storedJson({ ...stored, attempts, nextAt });
    await this.#records.put(collectionOf(tenantId), key, value, { ifVersion: record.version });
  }

  /** The record first: blobs without a record are removed at the next start. @throws what the record store throws */
  async remove({ tenantId, key, blobs }: Slot): Promise<void> {
    await this.#records.delete(collectionOf(tenantId), key);
    await this.#dropBlobs(blobs);
  }

  async #attach(attachment: MailAttachment, blob: string, written: string[]): Promise<StoredAttachment> {
    const { fileName, contentType, content } = attachment;
    if (content.length <= LARGEST_INLINE) {
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      return { fileName, contentType, base64: bytes.toString('base64') };
    }
    written.push(blob);
    await this.#blobs.put(blob, content, { contentType });
    return { fileName, contentType, blob };
  }

  async #blob(id: string): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    try {
      const { stream } = await this.#blobs.get(id);
      for await (const piece of stream) pieces.push(piece);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'BLOB_NOT_FOUND') return undefined;
      throw error;
    }
    return Buffer.concat(pieces);
  }

  async #dropBlobs(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.#blobs.delete(id).catch((error: unknown) => {
        this.#logger.warn({ err: error }, `an attachment that nobody needs could not be deleted: ${errorText(error)}`);
      });
    }
  }

  #blobId(tenantId: TenantId, name: string): string {
    return `${collectionOf(tenantId)}/${this.#nodeId}/${name}`;
  }
}

function collectionOf(tenantId: TenantId): string {
  return `${tenantId}/outbox`;
}

function slotOf(tenantId: TenantId, key: string, stored: StoredMail): Slot {
  const { id, to, subject, bytes, nextAt, giveUpAt, attempts } = stored;
  const blobs = stored.attachments.flatMap(({ blob }) => (blob === undefined ? [] : [blob]));
  return { tenantId, key, mail: { id, to, subject, bytes, nextAt, giveUpAt, attempts }, blobs };
}

function storedOf(mail: Mail, to: string, attachments: readonly StoredAttachment[], envelope: Envelope): StoredMail {
  const { from, subject, text } = mail;
  return {
    ...envelope,
    ...(from === undefined ? {} : { from }),
    to,
    subject,
    text,
    attachments,
    bytes: mailBytes(mail),
    attempts: 0,
  };
}
