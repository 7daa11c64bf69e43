import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import type { DialogContext } from './context.js';
import { Dialog, type DialogWay } from './dialog.js';
import { sendInDialog } from './dialog-request.js';
import { EarlySession } from './early-session.js';
import type { Negotiation } from './negotiation.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

export interface OutgoingEarlyOptions {
  readonly context: DialogContext;
  /** The INVITE as it was sent last. */
  readonly invite: () => SipRequest;
  /** What was said in the INVITE. */
  readonly negotiation: Negotiation;
  /** How it went. */
  readonly way: () => DialogWay;
}

/** Answering sources of one INVITE that are told apart. */
const MAX_EARLY_DIALOGS = 32;

interface Source1xx {
  readonly response: SipResponse;
  readonly source: Source;
  /** Made when it is needed: with the first reliable response, or request of the callee. */
  session: EarlySession | undefined;
  /** The last number in order (RFC 3262 §4). */
  rseq: number | undefined;
}

/** What a provisional response means after the rules of RFC 3262 §4. */
export interface EarlyProgress {
  readonly session: EarlySession | undefined;
  readonly sdp: string | undefined;
  /** Sends the PRACK, with the answer to an offer in the response; undefined when none is owed. */
  readonly acknowledge: ((sdp: string | undefined) => void) | undefined;
}

/** The early dialogs of an INVITE that we sent, by the To tags of those who answered (RFC 3261 §12.1.2, RFC 3262 §4). */
export class OutgoingEarly {
  readonly #options: OutgoingEarlyOptions;
  readonly #sources = new Map<string, Source1xx>();

  constructor(options: OutgoingEarlyOptions) {
    this.#options = options;
  }

  /**
   * A provisional response above 100. A reliable one with a description we need not answer is acknowledged at once;
   * undefined: it was there before, or is out of order, and nothing is to be done with it.
   */
  progress(response: SipResponse, source: Source, tag: string): EarlyProgress | undefined {
    const known = this.#note(response, source, tag);
    const sdp = sessionDescription(response);
    const rseq = known === undefined ? undefined : reliableNumber(response);
    if (known === undefined || rseq === undefined) return { session: known?.session, sdp, acknowledge: undefined };
    if (known.rseq !== undefined && rseq !== known.rseq + 1) return undefined;
    known.rseq = rseq;
    const session = this.#sessionOf(known);
    session.dialog.noteAllow(response);
    const { negotiation } = session;
    const offers = sdp !== undefined && negotiation.open === 'nobody' && negotiation.agreed === undefined;
    const offer = offers ? negotiation.offered(sdp).sdp : undefined;
    if (offers) {
      // Answered in the PRACK.
    } else if (sdp !== undefined && negotiation.agreed === undefined) {
      negotiation.answered(sdp);
      session.settle();
    }
    let owed = true;
    const acknowledge = (answer: string | undefined): void => {
      if (!owed) return;
      owed = false;
      this.#prack(session, rseq, answer);
    };
    // A description after the first is none of the exchange: what was agreed holds (RFC 6337 §3.1.1).
    if (offers) return { session, sdp: offer, acknowledge };
    const told = sdp === undefined ? sdp : (negotiation.agreed?.remote ?? sdp);
    acknowledge(undefined);
    return { session, sdp: told, acknowledge: undefined };
  }

  /** The early session of that To tag, as it stands when the INVITE is answered; undefined when there was none. */
  take(tag: string): EarlySession | undefined {
    const session = this.#sources.get(tag)?.session;
    this.#sources.delete(tag);
    return session;
  }

  /** A request of the callee before the answer. False: there is no such early dialog. */
  receive(incoming: IncomingRequest): boolean {
    const known = this.#sources.get(incoming.request.fromTag ?? '');
    if (known === undefined) return false;
    const { context } = this.#options;
    const session = this.#sessionOf(known);
    const { method } = incoming.request;
    if (!session.dialog.acceptSequence(incoming.request)) incoming.respond(500, { reason: 'CSeq Out Of Order' });
    else if (method === 'UPDATE') session.onUpdate(incoming);
    else if (method === 'INVITE') incoming.respond(491);
    else if (method === 'OPTIONS') incoming.respond(200, { headers: { Allow: context.allow, Accept: SDP_TYPE } });
    else if (method === 'BYE') incoming.respond(481);
    else incoming.respond(405, { headers: { Allow: context.allow } });
    return true;
  }

  /** The INVITE is over: what the callees have asked is refused. Their dialogs, if there are any, are kept for answers that come late. */
  close(): 'empty' | 'kept' {
    for (const [tag, { session }] of this.#sources) {
      if (session === undefined) this.#sources.delete(tag);
      else session.updates.end();
    }
    return this.#sources.size === 0 ? 'empty' : 'kept';
  }

  #note(response: SipResponse, source: Source, tag: string): Source1xx | undefined {
    const known = this.#sources.get(tag);
    if (known !== undefined || tag === '' || this.#sources.size >= MAX_EARLY_DIALOGS) return known;
    const first: Source1xx = { response, source, session: undefined, rseq: undefined };
    this.#sources.set(tag, first);
    return first;
  }

  #sessionOf(known: Source1xx): EarlySession {
    const { context, invite, negotiation, way } = this.#options;
    known.session ??= new EarlySession(
      context,
      Dialog.uac(invite(), known.response, known.source, way()),
      negotiation.fork(),
    );
    return known.session;
  }

  #prack(session: EarlySession, rseq: number, answer: string | undefined): void {
    const { context, invite } = this.#options;
    const { dialog, negotiation } = session;
    const { sequence } = invite().cseq;
    const body = answer === undefined || negotiation.open !== 'peer' ? undefined : negotiation.answer(answer);
    if (body !== undefined) session.settle();
    const request = dialog.createRequest('PRACK', {
      headers: { RAck: { rseq, cseq: sequence, method: 'INVITE' } },
      ...(body === undefined ? {} : { body, contentType: SDP_TYPE }),
    });
    sendInDialog(context, dialog, request, {
      isNeeded: () => !session.updates.ended,
      onSuccess: () => {},
      // The callee gives the INVITE up when no PRACK reaches it: its final response tells us (RFC 3262 §3).
      onFailure: () => {},
    });
  }
}

/** The RSeq of a response that is sent reliably; undefined for any other. */
function reliableNumber(response: SipResponse): number | undefined {
  const required = readable(() => response.headers.get('Require'));
  if (required?.some((tag) => tag.toLowerCase() === '100rel') !== true) return undefined;
  return readable(() => response.headers.get('RSeq'));
}
