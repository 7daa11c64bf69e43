import type { HeaderInit } from '../protocol/sip/message.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Source } from '../ua/target.js';
import { JoinSearch } from './join-search.js';
import { outcome } from './outcome.js';
import { partyAddress } from './party.js';
import type { HandlerDestination } from './search.js';
import { TERMINATED, TRANSFERRED, type TransferParts, type TransferResult } from './transfer-parts.js';

export interface BlindTransferOptions {
  readonly kind: 'blind' | 'recall';
  readonly target: Uri;
  /** The number in it. */
  readonly to: string;
  readonly hops: number;
  /** The transferor does not want to be named to the target. */
  readonly withheld: boolean;
  /** Where the REFER came from. */
  readonly source: Source;
}

/** The party that stays is joined with whoever answers at a number: RFC 5589 §6, flows T1 to T3. */
export class BlindTransfer {
  readonly #parts: TransferParts;
  readonly #options: BlindTransferOptions;
  #rang = false;

  constructor(parts: TransferParts, options: BlindTransferOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<TransferResult> {
    const result = await this.#search().run();
    switch (result.kind) {
      case 'joined':
        return TRANSFERRED;
      case 'not-joined':
        return result.failure;
      case 'refused':
        return {
          status: result.refusal.status,
          reason: result.refusal.reason ?? outcome('failed', result.refusal.status).reason,
        };
      case 'handler':
        return this.#serve(result.destination);
      case 'abandoned':
        return TERMINATED;
    }
  }

  /** The server itself serves that number. */
  #serve(destination: HandlerDestination): Promise<TransferResult> {
    const { host, leaving, stays, signal, progress } = this.#parts;
    const { kind, to, hops: maxForwards, source } = this.#options;
    const transfer = { kind, fromLeg: leaving.legId, to };
    return host.serve({ leaving, stays, destination, called: to, transfer, maxForwards, source, signal, progress });
  }

  #search(): JoinSearch {
    const { context, host, leaving, stays, signal, onCancelled } = this.#parts;
    const { target, to, source, hops, kind } = this.#options;
    const { id: callId, tenantId, log, media, mailbox } = host;
    return new JoinSearch({
      ...{ context, callId, tenantId, log, media, mailbox, stays, signal, onCancelled },
      route: { called: to, requestUri: target, source, transferor: leaving.party },
      legs: [leaving.legId, stays.legId],
      maxForwards: hops,
      headers: () => this.#referredBy(),
      nextLegId: () => host.nextLegId(),
      onProgress: (_leg, { status, reason }) => {
        if (status !== 180 && status !== 183) return;
        if (!this.#rang) this.#parts.progress(status, reason);
        this.#rang = true;
      },
      live: () => host.live,
      suspend: () => host.suspend(),
      resume: () => host.resume(),
      onJoined: (partner) =>
        host.replace(leaving, partner, { kind, fromLeg: leaving.legId, toLeg: partner.legId, to, status: 200 }),
    });
  }

  /** RFC 3892 §2: who refers is who we know it to be, whatever its own Referred-By said. */
  #referredBy(): HeaderInit {
    const { context, host, leaving } = this.#parts;
    const { kind, withheld } = this.#options;
    if (kind !== 'blind' || withheld || leaving.party.withheld === true) return {};
    const { uri } = partyAddress(leaving.party, context.domainOf(host.tenantId));
    return { 'Referred-By': { uri, params: [] } };
  }
}
