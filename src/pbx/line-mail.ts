import type { TypedEmitter } from '../base/events.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { Directory } from '../directory/directory.js';
import type { Mailer } from '../mailer/mailer.js';
import { Outbox } from '../mailer/outbox.js';
import type { OutboxEvents } from '../mailer/outbox-events.js';
import type { Storage } from '../storage/storage.js';
import type { LineOptions } from '../trunk/line-options.js';
import type { TrunkManager } from '../trunk/trunk-manager.js';
import { Notices } from './notices.js';

export interface LineMailOptions {
  /** Closed with this. */
  readonly mailer: Mailer;
  readonly storage: Pick<Storage, 'records' | 'blobs'>;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly tenantId: TenantId;
  readonly nodeId?: string;
  readonly administrator?: string;
  /** The PBX, as its people know it. */
  readonly domain: string;
  readonly trunks: TrunkManager;
  /** The line as it is configured now. */
  readonly lineOf: (name: string) => LineOptions | undefined;
  readonly events: TypedEmitter<OutboxEvents>;
}

/** Mail to the owners of lines: what the trunk manager tells goes into an outbox, and from there to the host's mailer. */
export class LineMail {
  readonly #mailer: Mailer;
  readonly #outbox: Outbox;
  readonly #notices: Notices;

  constructor(options: LineMailOptions) {
    const { mailer, storage, scheduler, random, logger, tenantId, nodeId, administrator, trunks, events } = options;
    this.#mailer = mailer;
    this.#outbox = new Outbox({
      ...{ records: storage.records, blobs: storage.blobs, mailer, scheduler, random, logger },
      tenants: [tenantId],
      ...(nodeId === undefined ? {} : { nodeId }),
    });
    this.#notices = new Notices({
      outbox: this.#outbox,
      directory: options.directory,
      records: storage.records,
      clock: scheduler,
      logger,
      lineOf: (_tenant, name) => {
        const line = options.lineOf(name);
        if (line === undefined) return undefined;
        const { server, username, owner } = line;
        return { pbx: options.domain, server, username, owner };
      },
      ...(administrator === undefined ? {} : { administrator }),
    });
    trunks.on('line.suspended', (event) => this.#notices.onLineSuspended(event));
    trunks.on('line.registered', (event) => this.#notices.onLineRegistered(event));
    for (const name of ['mail.sent', 'mail.delayed', 'mail.dropped', 'outbox.paused'] as const)
      this.#outbox.on(name, (event) => events.emit(name, event));
  }

  /** Goes on with the mail that was there. @throws what the store throws */
  start(): Promise<void> {
    return this.#outbox.start();
  }

  /** What was not sent stays in the store. */
  async close(): Promise<void> {
    await this.#notices.idle();
    await this.#outbox.close();
    await this.#mailer.close();
  }
}
