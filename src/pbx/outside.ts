import { errorText } from '../base/errors.js';
import type { TypedEmitter } from '../base/events.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { DialPlan } from '../dialplan/dial-plan.js';
import type { Directory } from '../directory/directory.js';
import type { Storage } from '../storage/storage.js';
import { TrunkManager } from '../trunk/trunk-manager.js';
import type { NextHopResolver } from '../ua/next-hop.js';
import type { Uac } from '../ua/uac.js';
import type { PbxEvents } from './events.js';
import { LineMail } from './line-mail.js';
import type { PbxChanges, PbxOptions } from './options.js';
import { Planning } from './planning.js';

export interface OutsideOptions {
  readonly options: PbxOptions;
  readonly tenantId: TenantId;
  readonly directory: Directory;
  readonly storage: Storage;
  readonly uac: Uac;
  readonly resolver: NextHopResolver;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: TypedEmitter<PbxEvents>;
}

/** The way outside, as it is configured now: the dial plan, lines and trunks, and the mail about them. */
export class Outside {
  readonly trunks: TrunkManager;
  readonly #tenantId: TenantId;
  readonly #logger: Logger;
  readonly #planning: Planning;
  readonly #mail: LineMail | undefined;

  /** @throws PbxConfigError for a plan that names what does not exist, or lines that name what the plan has not */
  constructor({ options, tenantId, ...parts }: OutsideOptions) {
    const { directory, storage, uac, resolver, scheduler, random, logger, events } = parts;
    const { outbound = {}, mailer, notices = {}, nodeId, domain } = options;
    const { registersPerSecond, suspendAfter } = outbound;
    this.#tenantId = tenantId;
    this.#logger = logger;
    this.#planning = new Planning(options, logger);
    this.trunks = new TrunkManager({
      ...{ uac, resolver, records: storage.records, scheduler, random, logger },
      isOpen: (_tenant, condition) => this.#planning.plan.isOpen(condition, scheduler.wallTime()),
      ...(registersPerSecond === undefined ? {} : { registersPerSecond }),
      ...(suspendAfter === undefined ? {} : { suspendAfter }),
    });
    if (mailer === undefined) return;
    this.#mail = new LineMail({
      ...{ mailer, storage, scheduler, random, logger, directory, tenantId, domain, events, trunks: this.trunks },
      lineOf: (name) => this.#planning.planned.lines?.find((line) => line.name === name),
      ...(nodeId === undefined ? {} : { nodeId }),
      ...(notices.administrator === undefined ? {} : { administrator: notices.administrator }),
    });
  }

  /** As it stands now. */
  get plan(): DialPlan {
    return this.#planning.plan;
  }

  /** Begins to register. @throws what the store throws */
  async start(): Promise<void> {
    await this.#mail?.start();
    await this.#configure();
  }

  /** Takes leave of the carriers. */
  async close(): Promise<void> {
    await this.trunks.close();
    await this.#mail?.close();
  }

  /** Calls under way keep their way. @throws PbxConfigError; nothing has been changed then */
  reconfigure(changes: PbxChanges): void {
    this.#planning.reconfigure(changes);
    if (changes.lines === undefined && changes.trunks === undefined) return;
    this.#configure().catch((error: unknown) =>
      this.#logger.error({ err: error }, `lines and trunks could not be changed: ${errorText(error)}`),
    );
  }

  #configure(): Promise<void> {
    const { lines = [], trunks = [] } = this.#planning.planned;
    return this.trunks.configure(this.#tenantId, { lines, trunks });
  }
}
