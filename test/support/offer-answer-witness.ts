import type { SeenMessage } from './sip-eyes.js';
import type { LostConnection, TappedMessage } from './wire-tap.js';

/** An offer that waits for its answer. */
interface OpenOffer {
  readonly by: 'us' | 'them';
  /** The request that carries or carried it, or in whose response it stood: `1 INVITE`. */
  readonly of: string;
  /** Of ours: by which connection its request went, as long as the peer has said nothing to it. */
  unheardBy?: number | undefined;
}

interface Pending {
  readonly of: string;
  unheardBy?: number | undefined;
  /** When the other side was last heard of it, or it was sent. */
  at: number;
}

/** What a description said of its maker. */
interface Origin {
  readonly line: string;
  readonly version: bigint;
  readonly sdp: string;
  /** The connection that it was given to in a request, and what was said before it, as far as is known. */
  readonly by?: number | undefined;
  readonly before?: Origin | undefined;
}

/** A transaction that nobody answers has ended after this long (64·T1), and a little. */
const TRANSACTION_MS = 33_000;

/**
 * Offers and answers of one dialog, as one program's messages show them: RFC 3264 §4, §8, RFC 3261 §13.2.1, §14,
 * RFC 3262 §5, RFC 3311 §5.
 */
export class OfferAnswerWitness {
  readonly #tell: (fault: string) => void;
  #open: OpenOffer | undefined;
  /** INVITEs whose final response is awaited, ours and theirs. */
  #inviteOut: Pending | undefined;
  #inviteIn: string | undefined;
  /**
   * The INVITEs that this life of the program has sent. Whether the description in a 2xx is an offer or an answer, only its
   * INVITE tells (RFC 3261 §13.2.1). A 2xx that is still repeated to an earlier life therefore gives this one no offer to
   * answer before it may make its own (RFC 3264 §4); the peer, which waits, refuses that with 491 (RFC 3261 §14.2).
   */
  readonly #invited = new Set<string>();
  /** Branches of requests of theirs that came while an offer was open: they must be refused. */
  readonly #mustRefuse = new Set<string>();
  /** Requests with an offer, ours and theirs apart: their answers are told from offers by it. */
  readonly #offering = new Set<string>();
  /** What we answered to an INVITE, in 18x or 2xx. */
  readonly #answered = new Map<string, string>();
  #origin: Origin | undefined;

  constructor(tell: (fault: string) => void, invite: SeenMessage, ours: boolean) {
    this.#tell = tell;
    const of = nameOf(invite);
    if (ours) {
      this.#inviteOut = { of, at: Number.POSITIVE_INFINITY };
      this.#invited.add(of);
    } else this.#inviteIn = of;
    if (invite.sdp === undefined) return;
    this.#offering.add(`${ours ? 'us' : 'them'} ${of}`);
    this.#open = { by: ours ? 'us' : 'them', of };
    if (ours) this.#said(invite.sdp);
  }

  /** The program was killed: what it had offered, it knows no more. */
  forget(): void {
    this.#open = undefined;
    this.#inviteIn = undefined;
    this.#inviteOut = undefined;
    this.#invited.clear();
    this.#origin = undefined;
  }

  /**
   * A request of ours that was not heard of is over when its connection is: the client transaction terminates (RFC 3261
   * §17.1.4, figures 5 and 6), which counts as 503 (§8.1.3.1). §14.1 forbids another INVITE while a transaction is in
   * progress, RFC 3264 §4 another offer before the first one is "answered or rejected": both have come to an end here.
   * Once a provisional response has come, an INVITE goes on without its connection. And a description that never left is
   * not the "previous SDP" of RFC 3264 §8.
   */
  lose({ connection, opened }: LostConnection): void {
    if (this.#inviteOut?.unheardBy === connection) this.#inviteOut = undefined;
    if (this.#open?.unheardBy === connection) this.#open = undefined;
    while (!opened && this.#origin?.by === connection) this.#origin = this.#origin.before;
  }

  requestSent(message: SeenMessage, { at, connection }: Pick<TappedMessage, 'at' | 'connection'>): void {
    const of = nameOf(message);
    if (message.method === 'INVITE') {
      if (this.#inviteIn !== undefined) this.#tell(`§14.1: INVITE ${message.cseq} while ${this.#inviteIn} is open`);
      if (this.#inviteOut !== undefined && at - this.#inviteOut.at < TRANSACTION_MS && this.#inviteOut.of !== of)
        this.#tell(`§14.1: INVITE ${message.cseq} while ${this.#inviteOut.of} is open`);
      this.#invited.add(of);
      this.#inviteOut = { of, at, unheardBy: connection };
    }
    if (message.sdp === undefined) return;
    this.#said(message.sdp, connection);
    if (message.method === 'PRACK' && this.#open?.by === 'them') {
      this.#open = undefined;
      return;
    }
    if (this.#open !== undefined && this.#open.of !== of)
      this.#tell(`RFC 3264 §4: an offer in ${of} while ${describe(this.#open)}`);
    this.#offering.add(`us ${of}`);
    this.#open = { by: 'us', of, unheardBy: connection };
  }

  requestReceived(message: SeenMessage, _at: number): void {
    const of = nameOf(message);
    if (message.method === 'PRACK' && message.sdp !== undefined && this.#open?.by === 'us') {
      this.#open = undefined;
      return;
    }
    if (message.sdp === undefined) {
      if (message.method === 'INVITE') this.#inviteIn ??= of;
      return;
    }
    this.#offering.add(`them ${of}`);
    if (this.#open !== undefined) {
      this.#mustRefuse.add(message.branch);
      return;
    }
    if (message.method === 'INVITE') this.#inviteIn ??= of;
    this.#open = { by: 'them', of };
  }

  responseSent(message: SeenMessage): void {
    const { status = 0, sdp, cseqMethod } = message;
    const of = nameOf(message);
    const offered = this.#offering.has(`them ${of}`);
    const success = status >= 200 && status < 300;
    const reliable = status < 200 && message.all('rseq').length > 0;
    if (status >= 200 && this.#inviteIn === of) this.#inviteIn = undefined;
    if (success && this.#mustRefuse.has(message.branch))
      this.#tell(`RFC 3264 §4: ${status} to ${of}, which came while an offer was open`);
    if (status >= 300) {
      if (this.#open?.of === of && this.#open.by === 'them') this.#open = undefined;
      return;
    }
    const before = this.#answered.get(of);
    // What is only repeated may be older than what was said since.
    if (sdp !== undefined && sdp !== before) this.#said(sdp);
    if (offered) {
      if (sdp !== undefined) {
        if (before !== undefined && before !== sdp) this.#tell(`§13.3.1: two different answers to ${of}`);
        this.#answered.set(of, sdp);
        if ((success || reliable) && this.#open?.of === of) this.#open = undefined;
      } else if (success && before === undefined) this.#tell(`§13.3.1.4: the offer in ${of} got no answer`);
      return;
    }
    if (cseqMethod !== 'INVITE') return;
    if (sdp === undefined) {
      if (success && before === undefined)
        this.#tell(`§13.3.1.4: ${status} to ${of}, which had no offer, has none either`);
      return;
    }
    if (before === sdp) return;
    if (!success && !reliable) this.#tell(`§13.2.1: ${status} with a description to ${of}, which had none`);
    else if (before !== undefined) this.#tell(`RFC 3264 §4: a second offer in a response to ${of}`);
    else if (this.#open !== undefined)
      this.#tell(`RFC 3264 §4: an offer in ${status} to ${of} while ${describe(this.#open)}`);
    else this.#open = { by: 'us', of };
    this.#answered.set(of, sdp);
  }

  responseReceived(message: SeenMessage, at: number): void {
    const { status = 0, sdp } = message;
    const of = nameOf(message);
    const reliable = status < 200 && message.all('rseq').length > 0;
    if (this.#open?.of === of) this.#open.unheardBy = undefined;
    if (this.#inviteOut?.of === of) {
      this.#inviteOut.unheardBy = undefined;
      if (status < 200) this.#inviteOut.at = at;
      else this.#inviteOut = undefined;
    }
    if (status >= 300) {
      if (this.#open?.of === of && this.#open.by === 'us') this.#open = undefined;
      return;
    }
    if (status < 200 && !reliable) return;
    if (this.#offering.has(`us ${of}`)) {
      if (this.#open?.of === of && (sdp !== undefined || status >= 200)) this.#open = undefined;
    } else if (sdp !== undefined && this.#invited.has(of) && this.#answered.get(`theirs ${of}`) === undefined) {
      this.#answered.set(`theirs ${of}`, sdp);
      this.#open = { by: 'them', of };
    }
  }

  /** False when an offer of theirs is left without an answer. */
  ackSent(message: SeenMessage): boolean {
    const of = `${message.cseq} INVITE`;
    if (message.sdp !== undefined && message.sdp !== this.#answered.get(`ack ${of}`)) {
      this.#answered.set(`ack ${of}`, message.sdp);
      if (this.#offering.has(`us ${of}`))
        this.#tell(`§13.2.2.4: a description in the ACK to ${of}, which had the offer`);
      this.#said(message.sdp);
    }
    if (this.#open?.of !== of || this.#open.by !== 'them') return true;
    this.#open = undefined;
    return message.sdp !== undefined;
  }

  ackReceived(message: SeenMessage): void {
    if (this.#open?.of === `${message.cseq} INVITE` && this.#open.by === 'us') this.#open = undefined;
  }

  /** RFC 3264 §8: the same o= line for the same description, one version more for another one. */
  #said(sdp: string, by?: number): void {
    const before = this.#origin;
    if (before?.sdp === sdp) return;
    const [, user, id, version = '0', ...rest] = /^o=(\S+) (\S+) (\d+) (.*)$/m.exec(sdp) ?? [];
    const line = `${user} ${id} ${rest.join(' ').trim()}`;
    this.#origin = { line, version: BigInt(version), sdp, ...(by === undefined ? {} : { by, before }) };
    if (before === undefined) return;
    if (before.line !== line) this.#tell(`RFC 3264 §8: o=${line} after o=${before.line}`);
    else if (BigInt(version) !== before.version + 1n)
      this.#tell(`RFC 3264 §8: version ${version} after ${before.version}, and the description differs`);
  }
}

function nameOf(message: SeenMessage): string {
  return `${message.cseq} ${message.cseqMethod}`;
}

function describe(open: OpenOffer): string {
  return `${open.by === 'us' ? 'ours' : 'theirs'} in ${open.of} waits`;
}
