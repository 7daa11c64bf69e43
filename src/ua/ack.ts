import { errorText, type PbxkitError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { SentAck, TransactionLayer } from '../transaction/layer.js';
import type { Hop } from '../transport/hop.js';
import { removeCredentials } from './digest-client.js';
import { hopAtOnce, hopOfFlow, hopsFor, mayLeaveFlow, type NextHopResolver } from './next-hop.js';
import type { SendTarget } from './target.js';

export interface OutgoingAckOptions {
  readonly transactions: Pick<TransactionLayer, 'sendAck'>;
  readonly logger: Logger;
  /** Complete but for the Via. */
  readonly request: SipRequest;
  readonly target: SendTarget;
  readonly resolver: NextHopResolver;
}

/**
 * An ACK to a 2xx: RFC 3261 §13.2.2.4. It has no transaction, so nothing tells whether it arrived but the 2xx that
 * comes again; `resend` then sends the same bytes, or looks for the way anew when the first one had failed.
 */
export class OutgoingAck implements SentAck {
  readonly #transactions: Pick<TransactionLayer, 'sendAck'>;
  readonly #logger: Logger;
  readonly #request: SipRequest;
  readonly #target: SendTarget;
  readonly #resolver: NextHopResolver;
  #hops: readonly Hop[] = [];
  #next = 0;
  #sent: SentAck | undefined;
  /** No hop took it. */
  #failed = false;

  constructor(options: OutgoingAckOptions) {
    this.#transactions = options.transactions;
    this.#logger = options.logger;
    this.#request = options.request;
    this.#target = options.target;
    this.#resolver = options.resolver;
  }

  start(): void {
    this.#failed = false;
    const { flow } = this.#target;
    if (flow === undefined) {
      this.#resolve();
    } else {
      this.#hops = [hopOfFlow(flow)];
      this.#next = 0;
      this.#sendToNext();
    }
  }

  /** Nothing happens as long as the hop is not known: the ACK goes out as soon as it is. */
  resend(): void {
    if (this.#failed) this.start();
    else this.#sent?.resend();
  }

  #resolve(): void {
    const hop = hopAtOnce(this.#request, this.#target, this.#resolver);
    if (hop !== undefined) {
      this.#hops = [hop];
      this.#next = 0;
      this.#sendToNext();
      return;
    }
    hopsFor(this.#request, this.#target, this.#resolver)
      .then((hops) => {
        this.#hops = hops;
        this.#next = 0;
        this.#sendToNext();
      })
      .catch((error: unknown) => this.#note(error));
  }

  #sendToNext(): void {
    const hop = this.#hops[this.#next++];
    if (hop === undefined) this.#failed = true;
    else this.#send(hop);
  }

  #send(hop: Hop): void {
    try {
      this.#sent = this.#transactions.sendAck(this.#forHop(hop), hop, (error) => this.#onError(error, hop));
    } catch (error) {
      this.#note(error);
    }
  }

  /**
   * RFC 3261 §13.2.2.4 wants the INVITE's credentials in the ACK. But where it goes the peer's Contact says, and a digest is enough to guess a
   * password at leisure: whoever has not challenged us gets none. He cannot challenge an ACK, so nothing is lost.
   */
  #forHop(hop: Hop): SipRequest {
    if (this.#target.digest?.isFor(hop.address) !== false) return this.#request;
    const request = this.#request.with({});
    removeCredentials(request);
    return request;
  }

  /** RFC 3261 §18.1.1: a peer that refused TCP, chosen for the size only, gets the large datagram after all. */
  #onError(error: PbxkitError, hop: Hop): void {
    const switched = 'sizeSwitched' in error && error.sizeSwitched === true;
    if (switched && hop.forceProtocol !== true) this.#send({ ...hop, forceProtocol: true });
    else if (hop.flow !== undefined && mayLeaveFlow(this.#target)) this.#resolve();
    else this.#sendToNext();
  }

  #note(error: unknown): void {
    this.#failed = true;
    const fields = { err: error, callId: this.#request.headers.first('Call-ID') };
    this.#logger.warn(fields, `an ACK found no way: ${errorText(error)}`);
  }
}
