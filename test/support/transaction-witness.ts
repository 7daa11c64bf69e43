import type { SeenMessage } from './sip-eyes.js';
import type { TappedMessage } from './wire-tap.js';

/** What a witness has seen: a message, and in which way it went. */
export interface Seen {
  readonly tapped: TappedMessage;
  readonly message: SeenMessage;
}

/** Whether a request came, or went out, with the same branch and method before. `hop by hop`: an ACK to a failure. */
export type Novelty = 'new' | 'again' | 'hop by hop';

interface ClientSide {
  provisional: boolean;
  final: boolean;
}

interface ServerSide {
  readonly at: number;
  readonly what: string;
  readonly reliable: boolean;
  final: SeenMessage | undefined;
}

/** Rules of single transactions (RFC 3261 §9.1, §17), as one program's messages show them. */
export class TransactionWitness {
  readonly #clients = new Map<string, ClientSide>();
  readonly #servers = new Map<string, ServerSide>();
  readonly #tell: (fault: string) => void;

  constructor(tell: (fault: string) => void) {
    this.#tell = tell;
  }

  /** The program was killed: what it owed, it owes no more. */
  forget(): void {
    this.#clients.clear();
    this.#servers.clear();
  }

  see({ tapped, message }: Seen): Novelty {
    const ours = tapped.direction === 'sent';
    if (message.method === 'ACK') return ours && this.#clients.has(`${message.branch} INVITE`) ? 'hop by hop' : 'new';
    if (message.method !== undefined) {
      return ours ? this.#requestSent(message, message.method) : this.#requestReceived(tapped, message);
    }
    if (ours) this.#responseSent(message);
    else this.#responseReceived(message);
    return 'new';
  }

  /** Requests that came and were never answered, at the end of everything. */
  finish(): void {
    for (const { what, final, reliable } of this.#servers.values())
      if (final === undefined && !reliable) this.#tell(`${what} was never answered`);
  }

  #requestSent(message: SeenMessage, method: string): Novelty {
    const key = `${message.branch} ${method}`;
    if (this.#clients.has(key)) return 'again';
    this.#clients.set(key, { provisional: false, final: false });
    if (method === 'CANCEL') {
      const invite = this.#clients.get(`${message.branch} INVITE`);
      if (invite === undefined) this.#tell('§9.1: CANCEL for no INVITE of ours');
      else if (!invite.provisional) this.#tell('§9.1: CANCEL before any provisional response');
      else if (invite.final) this.#tell('§9.1: CANCEL after the final response');
    }
    return 'new';
  }

  #responseReceived(message: SeenMessage): void {
    const client = this.#clients.get(`${message.branch} ${message.cseqMethod}`);
    if (client === undefined) return;
    if ((message.status ?? 0) < 200) client.provisional = true;
    else client.final = true;
  }

  #requestReceived(tapped: TappedMessage, message: SeenMessage): Novelty {
    const key = serverKey(message, message.method ?? '');
    const known = this.#servers.get(key);
    // Refused because its dialog was not known yet: it may be by now. If the refusal came from a transaction, nothing is owed.
    if (known !== undefined) return known.final?.status === 481 ? 'new' : 'again';
    const what = `${message.method} ${message.cseq} of ${message.callId} at ${(tapped.at / 1000).toFixed(3)} s`;
    this.#servers.set(key, { at: tapped.at, what, reliable: tapped.protocol === 'tcp', final: undefined });
    return 'new';
  }

  #responseSent(message: SeenMessage): void {
    const server = this.#servers.get(serverKey(message, message.cseqMethod));
    const status = message.status ?? 0;
    if (server === undefined) {
      this.#tell(`§8.2.6: ${message.startLine} answers no request that came (${message.cseqMethod})`);
      return;
    }
    const { final } = server;
    if (status < 200) {
      if (final !== undefined) this.#tell(`§17.2: ${status} to ${server.what} after ${final.startLine}`);
      return;
    }
    if (final === undefined || (final.status !== status && SENT_ONCE.has(final.status ?? 0))) server.final = message;
    else if (final.status !== status) this.#tell(`§17.2: ${status} to ${server.what} after ${final.startLine}`);
    else if (status < 300 && message.cseqMethod === 'INVITE' && final.text !== message.text)
      this.#tell(`§13.3.1.4: two different 2xx to ${server.what}`);
  }
}

/** Sent once and forgotten (RFC 3261 §8.2.7): a repeated request is looked at anew, and things may have changed. */
const SENT_ONCE: ReadonlySet<number> = new Set([401, 404, 407, 481, 482, 483, 503]);

/** RFC 3261 §17.2.3: branch, sent-by and method. */
function serverKey(message: SeenMessage, method: string): string {
  const via = message.all('via')[0] ?? '';
  const sentBy = via.slice(0, via.indexOf(';')).trim().toLowerCase();
  return `${message.branch} ${sentBy} ${method}`;
}
