import { isRefer, type Refer, readRefer } from '../dialog/refer.js';
import type { ReferSubscription } from '../dialog/refer-subscription.js';
import { sipUri } from '../protocol/sip/uri.js';
import type { IncomingRequest } from '../ua/incoming.js';
import { maxForwards } from '../ua/max-forwards.js';
import { AttendedTransfer } from './attended-transfer.js';
import { BlindTransfer } from './blind-transfer.js';
import type { CallLeg } from './call-leg.js';
import type { TransferRecord } from './call-record.js';
import type { CallContext } from './context.js';
import { privacyOf } from './identity.js';
import { numberOf } from './party.js';
import type { Hold, TransferHost } from './transfer-host.js';
import type { TransferParts, TransferResult } from './transfer-parts.js';

export interface TransferStart {
  readonly context: CallContext;
  readonly host: TransferHost;
  readonly leaving: CallLeg;
  readonly stays: CallLeg;
  readonly incoming: IncomingRequest;
  /** No REFER has come in this dialog before (RFC 3515 §2.4.6). */
  readonly first: boolean;
}

/**
 * A REFER of one party of a call: the other one keeps its dialog and is joined with somebody else (RFC 5589), who is found
 * here. The party that asked is told how it goes (RFC 3515 §2.4.4), and hung up when it has gone well; else its call is as
 * it was. See decision 0010.
 */
export class Transfer implements Hold {
  readonly leaving: CallLeg;
  readonly #start: TransferStart;
  readonly #refer: Refer;
  readonly #abort = new AbortController();
  #subscription: ReferSubscription | undefined;
  #left = false;
  #onCancelled: () => void = () => {};

  private constructor(start: TransferStart, refer: Refer) {
    this.#start = start;
    this.#refer = refer;
    this.leaving = start.leaving;
  }

  /** Answers the REFER: 202 when it is carried out, which then goes on by itself. */
  static begin(start: TransferStart): void {
    const { context, host, leaving, incoming } = start;
    const refer = readRefer(incoming.request);
    if (!isRefer(refer)) {
      incoming.respond(refer.status, { reason: refer.reason });
      return;
    }
    const hops = maxForwards(incoming.request);
    if (hops === 0) {
      incoming.respond(483);
      return;
    }
    const { tenantId, id: callId } = host;
    const kind = refer.replaces === undefined ? 'blind' : 'attended';
    const to = partnerOf(start, refer);
    const known = leaving.party.extension !== undefined;
    if (!known || !context.mayTransfer({ tenantId, callId, kind, by: leaving.party, to })) {
      incoming.respond(403, { reason: 'Transfer Not Allowed' });
      return;
    }
    const transfer = new Transfer(start, refer);
    if (!host.reserve(transfer)) {
      incoming.respond(491);
      return;
    }
    transfer.#accept(incoming);
    void transfer.#run(kind, to, hops - 1);
  }

  /** A SUBSCRIBE in the dialog of the REFER, for its subscription. */
  take(incoming: IncomingRequest): boolean {
    return this.#subscription?.take(incoming) ?? false;
  }

  onLeft(): void {
    this.#left = true;
    this.#subscription?.outlive();
  }

  cancel(): void {
    this.#abort.abort();
    this.#onCancelled();
  }

  #accept(incoming: IncomingRequest): void {
    const { context, leaving, first } = this.#start;
    const { dialog } = leaving.session;
    const { subscribes, sequence } = this.#refer;
    incoming.respond(202, {
      headers: {
        Contact: [dialog.localContact],
        ...(subscribes ? {} : { 'Refer-Sub': { value: false, params: [] } }),
      },
    });
    if (subscribes) this.#subscription = context.dialogs.refer(dialog, first ? undefined : sequence);
  }

  async #run(kind: 'blind' | 'attended', to: string, hops: number): Promise<void> {
    const { context, host, leaving, stays } = this.#start;
    const { replaces, target } = this.#refer;
    const { request, source } = this.#start.incoming;
    const parts: TransferParts = {
      context,
      host,
      leaving,
      stays,
      signal: this.#abort.signal,
      onCancelled: (undo) => {
        this.#onCancelled = undo;
      },
      progress: (status, reason) => this.#subscription?.progress({ status, reason }),
    };
    let result: TransferResult;
    try {
      const attempt =
        replaces === undefined
          ? new BlindTransfer(parts, {
              kind: 'blind',
              target,
              to,
              hops,
              // RFC 3323 §4.2: what a request's Privacy asks for is about its sender.
              withheld: privacyOf(request).withheld,
              source,
            })
          : new AttendedTransfer(parts, { replaces, hops, source });
      result = await attempt.run();
    } catch (error) {
      context.logger.error({ callId: host.id, err: error }, 'a transfer failed');
      result = { status: 500, reason: 'Server Internal Error' };
    }
    if (this.#abort.signal.aborted && result.status !== 200) result = { status: 487, reason: 'Request Terminated' };
    this.#settle(kind, to, result);
    if (result.status !== 200 && this.#left && !this.#abort.signal.aborted) await this.#recall(parts, hops);
    host.free(this);
  }

  /** Tells the transferor, and hangs it up when it has gone well: after the NOTIFY, which a phone that has hung up refuses. */
  #settle(kind: TransferRecord['kind'], to: string, { status, reason }: TransferResult): void {
    const { host, leaving } = this.#start;
    const done = (): void => {
      if (status === 200) leaving.session.end();
    };
    if (status !== 200 && host.live) host.log.transferred({ kind, fromLeg: leaving.legId, to, status });
    if (this.#subscription === undefined) done();
    else this.#subscription.finish({ status, reason }, done);
  }

  /** The transferor has hung up and the other party is left alone: the transferor is called back. */
  async #recall(parts: TransferParts, hops: number): Promise<void> {
    const { context, host, leaving, incoming } = this.#start;
    const to = leaving.party.extension ?? leaving.party.number;
    const target = sipUri({ user: to, host: context.domainOf(host.tenantId) });
    try {
      await new BlindTransfer(parts, {
        kind: 'recall',
        target,
        to,
        hops,
        withheld: true,
        source: incoming.source,
      }).run();
    } catch (error) {
      context.logger.error({ callId: host.id, err: error }, 'a recall failed');
    }
  }
}

/** Whom the party that stays would talk to: in an attended transfer whoever is at the far end of the named call, whatever number stands beside it. */
function partnerOf({ context, host }: TransferStart, { replaces, target }: Refer): string {
  const found = replaces === undefined ? undefined : context.find(replaces, host.tenantId);
  if (found === undefined) return numberOf(target) ?? '';
  if (found.kind === 'served') return found.called;
  return found.kind === 'talking' ? found.other.party.number : found.call.log.record.called;
}

/** REFER is served, but not now: the party waits for a transfer already, or has left by one. */
export function refuseRefer(incoming: IncomingRequest): boolean {
  if (incoming.request.method !== 'REFER') return false;
  incoming.respond(491);
  return true;
}
