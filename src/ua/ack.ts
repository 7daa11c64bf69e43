import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { SentAck, TransactionLayer } from '../transaction/layer.js';
import type { Hop } from '../transport/hop.js';
import { hopOfFlow, hopsFor, type NextHopResolver } from './next-hop.js';
import type { SendTarget } from './target.js';

/**
 * An ACK to a 2xx: RFC 3261 §13.2.2.4. It has no transaction, so nothing tells whether it arrived but the 2xx that
 * comes again; `resend` then sends the same bytes.
 */
export class OutgoingAck implements SentAck {
  readonly #transactions: Pick<TransactionLayer, 'sendAck'>;
  readonly #logger: Logger;
  readonly #request: SipRequest;
  #hops: readonly Hop[] = [];
  #next = 0;
  #sent: SentAck | undefined;

  constructor(transactions: Pick<TransactionLayer, 'sendAck'>, logger: Logger, request: SipRequest) {
    this.#transactions = transactions;
    this.#logger = logger;
    this.#request = request;
  }

  start(target: SendTarget, resolver: NextHopResolver): void {
    if (target.flow?.protocol === 'udp') {
      this.#hops = [hopOfFlow(target.flow)];
      this.#sendToNext();
      return;
    }
    hopsFor(this.#request, target, resolver).then(
      (hops) => {
        this.#hops = hops;
        this.#sendToNext();
      },
      (error) => this.#note(error),
    );
  }

  /** Nothing happens as long as the hop is not known: the ACK goes out as soon as it is. */
  resend(): void {
    this.#sent?.resend();
  }

  #sendToNext(): void {
    const hop = this.#hops[this.#next++];
    if (hop === undefined) return;
    this.#sent = this.#transactions.sendAck(this.#request, hop, () => this.#sendToNext());
  }

  #note(error: unknown): void {
    const fields = { err: error, callId: this.#request.headers.first('Call-ID') };
    this.#logger.warn(fields, `an ACK found no way: ${errorText(error)}`);
  }
}
