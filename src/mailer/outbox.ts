import { untilAborted } from '../base/aborted.js';
import { errorText, UsageError } from '../base/errors.js';
import { type Events, TypedEmitter } from '../base/events.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { Mailbox } from '../base/mailbox.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import { DEFAULT_TENANT, type TenantId } from '../base/tenant.js';
import { checkMail, type Mail } from './mail.js';
import { MailError, type Mailer } from './mailer.js';
import type { OutboxEvents } from './outbox-events.js';
import { type OutboxLimits, type OutboxOptions, outboxLimits, RetryTimes } from './outbox-options.js';
import { OutboxQueues, type RecipientQueue, type Waiting } from './outbox-queues.js';
import { OutboxStore, type Slot } from './outbox-store.js';
import { mailBytes } from './stored-mail.js';

/** A mailer of the host's that never answers must not hold up the mail of all others. */
const LONGEST_ATTEMPT_MS = 1_800_000;
/** How long `close` waits for a server's answer: a mail that was taken unheard is sent twice. */
const CLOSE_MS = 5_000;

/** How an attempt ended. */
type Outcome =
  | { readonly kind: 'sent' | 'gone' }
  | { readonly kind: 'refused' | 'lost' | 'failed' | 'away'; readonly reason: string }
  | { readonly kind: 'stopped' };

/**
 * Keeps mail until a server has taken it, also over a restart. Mail to one recipient leaves in the order in which it was added; what fails
 * is tried again until its last deadline. While the server as a whole does not take mail, all of it waits and one mail at a time asks
 * (RFC 5321 §4.5.4.1).
 *
 * At least once: when the process dies between a server's answer and the writing down of it, the mail is sent again, with the same
 * Message-ID. Construct, `start`, `add`, `close`.
 */
export class Outbox implements Events<OutboxEvents> {
  readonly #mailer: Mailer;
  readonly #scheduler: Scheduler;
  readonly #tenants: readonly TenantId[];
  readonly #logger: Logger;
  readonly #events: TypedEmitter<OutboxEvents>;
  readonly #store: OutboxStore;
  readonly #retry: RetryTimes;
  readonly #limits: OutboxLimits;
  readonly #newId: () => string;
  readonly #queues: OutboxQueues;
  /** New mail is written down in the order in which it came. */
  readonly #writes = new Mailbox();
  readonly #attempts = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #state: 'new' | 'open' | 'closed' = 'new';
  /** Counted from the moment at which it is being added. */
  #mails = 0;
  #bytes = 0;
  /** Attempts in a row that ended because of the server. */
  #serverFailures = 0;
  #pause: Cancel | undefined;
  #closing: Promise<void> | undefined;

  /** @throws UsageError PBX_INVALID_ARGUMENT */
  constructor(options: OutboxOptions) {
    const { records, blobs, mailer, scheduler, random, nodeId = 'node', logger = silentLogger } = options;
    this.#mailer = mailer;
    this.#scheduler = scheduler;
    this.#tenants = options.tenants ?? [DEFAULT_TENANT];
    this.#logger = logger.child({ area: 'outbox' });
    this.#events = new TypedEmitter<OutboxEvents>(this.#logger);
    this.#store = new OutboxStore({ records, blobs, nodeId, logger: this.#logger });
    this.#retry = new RetryTimes(options.retry ?? {}, random);
    this.#limits = outboxLimits(options.limits ?? {});
    this.#newId = () => random.token();
    this.#queues = new OutboxQueues(scheduler, () => this.#pump());
  }

  on<Name extends keyof OutboxEvents>(name: Name, listener: (event: OutboxEvents[Name]) => unknown): () => void {
    return this.#events.on(name, listener);
  }

  once<Name extends keyof OutboxEvents>(name: Name, listener: (event: OutboxEvents[Name]) => unknown): () => void {
    return this.#events.once(name, listener);
  }

  /** How many mails wait or are being sent. */
  get size(): number {
    return this.#mails;
  }

  /** Reads what is left from before, and begins to send. @throws UsageError PBX_WRONG_STATE; what the stores throw */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw wrongState('start() was called before');
    const wall = this.#scheduler.wallTime();
    const now = this.#scheduler.now();
    const { mostMs, giveUpMs } = this.#retry;
    const slots: Slot[] = [];
    for (const tenantId of this.#tenants) {
      slots.push(
        ...(await this.#store.load(tenantId, (key) =>
          this.#logger.error({ tenantId, key }, 'a mail in the outbox cannot be read; it is removed'),
        )),
      );
    }
    this.#state = 'open';
    for (const slot of slots) {
      this.#mails++;
      this.#bytes += slot.mail.bytes;
      // Bounded, because the wall clock may have been set in between; and a machine that was off for days begins without a network.
      const dueAt = now + Math.min(Math.max(0, slot.mail.nextAt - wall), mostMs);
      const giveUpAt = now + Math.min(Math.max(mostMs, slot.mail.giveUpAt - wall), giveUpMs);
      this.#queues.add({ slot, dueAt, giveUpAt });
    }
  }

  /**
   * Resolves to the mail's id once it is written down; from then on an event tells what becomes of it.
   * @throws UsageError PBX_INVALID_ARGUMENT (see `checkMail`), PBX_WRONG_STATE; MailError: MAIL_REFUSED for a mail that is too large,
   * MAIL_FAILED when the outbox is full; what the stores throw
   */
  async add(tenantId: TenantId, mail: Mail): Promise<string> {
    if (this.#state !== 'open') throw wrongState(this.#state === 'new' ? 'call start() first' : 'it is closed');
    if (!this.#tenants.includes(tenantId)) {
      throw new UsageError('PBX_INVALID_ARGUMENT', `outbox: found the tenant ${tenantId}, expected one of \`tenants\``);
    }
    checkMail(mail);
    const size = mailBytes(mail);
    const bytes = size * mail.to.length;
    this.#checkRoom(mail, size, bytes);
    this.#mails += mail.to.length;
    this.#bytes += bytes;
    try {
      return await this.#writes.run(() => this.#write(tenantId, mail));
    } catch (error) {
      this.#mails -= mail.to.length;
      this.#bytes -= bytes;
      throw error;
    }
  }

  /**
   * Lets what is being sent end, five seconds long; the rest stays in the store for the next `start`. Closing again does nothing.
   * Neither the mailer nor the stores are closed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    this.#state = 'closed';
    this.#queues.clear();
    this.#pause?.();
    const cut = this.#scheduler.after(CLOSE_MS, () => this.#abort.abort());
    await this.#writes.idle();
    await Promise.all(this.#attempts);
    cut();
    this.#events.removeAll();
  }

  #checkRoom({ to }: Mail, size: number, bytes: number): void {
    const { maxMails, maxMailBytes, maxBytes } = this.#limits;
    if (size > maxMailBytes) {
      const found = `the mail has ${size} bytes, ${maxMailBytes} are allowed (limits.maxMailBytes)`;
      throw new MailError('MAIL_REFUSED', `outbox: ${found}; leave its attachments out`);
    }
    if (this.#mails + to.length <= maxMails && this.#bytes + bytes <= maxBytes) return;
    const held = `${this.#mails} mails of ${this.#bytes} bytes wait (limits.maxMails, limits.maxBytes)`;
    throw new MailError('MAIL_FAILED', `outbox: it is full: ${held}; see why they are not taken`, { scope: 'server' });
  }

  async #write(tenantId: TenantId, mail: Mail): Promise<string> {
    const wall = this.#scheduler.wallTime();
    const id = mail.id ?? this.#newId();
    const times = { date: mail.date ?? wall, nextAt: wall, giveUpAt: wall + this.#retry.giveUpMs };
    const slots = await this.#store.save(tenantId, mail, { id, ...times });
    const now = this.#scheduler.now();
    // Closed in between: it is sent after the next start.
    if (this.#state !== 'open') return id;
    for (const slot of slots) this.#queues.add({ slot, dueAt: now, giveUpAt: now + this.#retry.giveUpMs });
    return id;
  }

  #pump(): void {
    // After a failure of the server one mail asks for all.
    const most = this.#serverFailures > 0 ? 1 : this.#limits.parallel;
    while (this.#state === 'open' && this.#pause === undefined && this.#attempts.size < most) {
      const queue = this.#queues.takeReady();
      if (queue === undefined) return;
      const attempt: Promise<void> = this.#attempt(queue)
        .catch((error: unknown) => this.#logger.error({ err: error }, `outbox: ${errorText(error)}`))
        .finally(() => {
          this.#attempts.delete(attempt);
          this.#pump();
        });
      this.#attempts.add(attempt);
    }
  }

  async #attempt(queue: RecipientQueue): Promise<void> {
    const [waiting] = queue.waiting;
    if (waiting === undefined) return this.#queues.done(queue);
    const outcome = await this.#deliver(waiting);
    switch (outcome.kind) {
      case 'sent':
        this.#serverFailures = 0;
        await this.#remove(waiting);
        queue.waiting.shift();
        this.#events.emit('mail.sent', { ...told(waiting), attempts: waiting.slot.mail.attempts + 1 });
        break;
      case 'gone':
        await this.#remove(waiting);
        queue.waiting.shift();
        break;
      case 'refused':
      case 'lost':
        if (outcome.kind === 'refused') this.#serverFailures = 0;
        await this.#drop(waiting, outcome.kind, outcome.reason);
        queue.waiting.shift();
        break;
      case 'failed':
        this.#serverFailures = 0;
        await this.#delay(queue, waiting, outcome.reason);
        break;
      case 'away':
        return this.#away(queue, outcome.reason);
      case 'stopped':
        return;
    }
    this.#queues.done(queue);
  }

  async #deliver({ slot }: Waiting): Promise<Outcome> {
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    this.#abort.signal.addEventListener('abort', stop, { once: true });
    const cancel = this.#scheduler.after(LONGEST_ATTEMPT_MS, stop);
    try {
      const mail = await this.#store.read(slot);
      if (mail === 'gone') return { kind: 'gone' };
      if (mail === 'lost') return { kind: 'lost', reason: 'what was stored of it cannot be read' };
      const late = (error: unknown): void => this.#logger.debug({ err: error }, 'a mail ended after it was given up');
      const sent = this.#mailer.send(mail, { signal: abort.signal }).then(() => true);
      if ((await untilAborted(sent, abort.signal, late)) === true) return { kind: 'sent' };
      if (this.#abort.signal.aborted) return { kind: 'stopped' };
      return { kind: 'failed', reason: `the mailer did not end within ${LONGEST_ATTEMPT_MS / 60_000} minutes` };
    } catch (error) {
      return this.#abort.signal.aborted ? { kind: 'stopped' } : outcomeOf(error);
    } finally {
      cancel();
      this.#abort.signal.removeEventListener('abort', stop);
    }
  }

  async #delay(queue: RecipientQueue, waiting: Waiting, reason: string): Promise<void> {
    const now = this.#scheduler.now();
    if (now >= waiting.giveUpAt) {
      await this.#drop(waiting, 'expired', reason);
      queue.waiting.shift();
      return;
    }
    const attempts = waiting.slot.mail.attempts + 1;
    // The last attempt is made at the deadline itself.
    const retryInMs = Math.min(this.#retry.delayMs(attempts), waiting.giveUpAt - now);
    const mail = { ...waiting.slot.mail, attempts, nextAt: this.#scheduler.wallTime() + retryInMs };
    const slot = { ...waiting.slot, mail };
    queue.waiting[0] = { ...waiting, slot, dueAt: now + retryInMs };
    await this.#stored(() => this.#store.postpone(slot));
    this.#events.emit('mail.delayed', { ...told(waiting), attempts, reason, retryInMs });
  }

  /** The mail keeps its place; everything waits. What was to be delivered by now is given up. */
  async #away(queue: RecipientQueue, reason: string): Promise<void> {
    this.#queues.putBack(queue);
    // Another mail, sent at the same time, has said so already.
    if (this.#pause !== undefined || this.#state !== 'open') return;
    this.#serverFailures++;
    const retryInMs = this.#retry.delayMs(this.#serverFailures);
    this.#pause = this.#scheduler.after(retryInMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
    for (const expired of this.#queues.takeExpired(this.#scheduler.now())) await this.#drop(expired, 'expired', reason);
    this.#logger.warn({ waiting: this.#mails }, `mail waits: ${reason}`);
    this.#events.emit('outbox.paused', { reason, retryInMs, waiting: this.#mails });
  }

  async #drop(waiting: Waiting, cause: 'refused' | 'expired' | 'lost', reason: string): Promise<void> {
    await this.#remove(waiting);
    this.#logger.warn(
      { tenantId: waiting.slot.tenantId, mail: waiting.slot.mail.id, cause },
      `mail dropped: ${reason}`,
    );
    this.#events.emit('mail.dropped', { ...told(waiting), cause, reason });
  }

  async #remove({ slot }: Waiting): Promise<void> {
    this.#mails--;
    this.#bytes -= slot.mail.bytes;
    await this.#stored(() => this.#store.remove(slot));
  }

  /** A store that fails harms what comes after a restart, not what is under way. */
  async #stored(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#logger.error(
        { err: error },
        `the outbox could not be written; a restart may send mail twice: ${errorText(error)}`,
      );
    }
  }
}

/** By code: errors may come from another copy of the package, or from a mailer of the host's. */
function outcomeOf(error: unknown): Outcome {
  const reason = errorText(error);
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const scope = typeof error === 'object' && error !== null && 'scope' in error ? error.scope : undefined;
  if (scope === 'server' || code === 'PBX_MISSING_PACKAGE' || String(code).startsWith('STORAGE_')) {
    return { kind: 'away', reason };
  }
  return { kind: code === 'MAIL_REFUSED' || code === 'PBX_INVALID_ARGUMENT' ? 'refused' : 'failed', reason };
}

function told({ slot: { tenantId, mail } }: Waiting): { tenantId: TenantId; id: string; to: string; subject: string } {
  return { tenantId, id: mail.id, to: mail.to, subject: mail.subject };
}

function wrongState(problem: string): UsageError {
  return new UsageError('PBX_WRONG_STATE', `outbox: ${problem}`);
}
