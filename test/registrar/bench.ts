import type { Directory } from '../../src/directory/directory.js';
import { type Extension, extensionFrom } from '../../src/directory/extension.js';
import { MemoryDirectory } from '../../src/directory/memory-directory.js';
import { parseChallenge } from '../../src/protocol/digest/challenge.js';
import { digestResponse, ha1 } from '../../src/protocol/digest/compute.js';
import { SipRequest, SipResponse } from '../../src/protocol/sip/message.js';
import { parseMessage } from '../../src/protocol/sip/parse.js';
import { printMessage } from '../../src/protocol/sip/print.js';
import { Registrar, type RegistrarEvents, type RegistrarOptions } from '../../src/registrar/registrar.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import type { RecordStore } from '../../src/storage/record-store.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { RecordingLogger } from '../../src/testing/recording-logger.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { ServerTransaction } from '../../src/transaction/server.js';
import type { FlowRef, Source } from '../../src/transport/hop.js';
import { DigestChallenger } from '../../src/ua/digest-challenger.js';
import { Uas } from '../../src/ua/request-chain.js';

export const REALM = 'office.example';
export const TENANT = 'default';

export interface Ask {
  /** Default '100'; also who authenticates. */
  readonly user?: string;
  /** Who authenticates, when that is somebody else than `user`. */
  readonly as?: string;
  readonly password?: string;
  /** Whole Contact values. Default: one plain contact of `user`. */
  readonly contact?: string | readonly string[] | null;
  /** Header lines. */
  readonly headers?: readonly string[];
  readonly callId?: string;
  readonly cseq?: number;
  readonly to?: string;
  readonly requestUri?: string;
  readonly remote?: { readonly address: string; readonly port: number };
  /** A TCP connection instead of UDP. */
  readonly connectionId?: string;
  /** Ask without credentials. */
  readonly bare?: boolean;
}

/** A registrar behind a real UAS core, fed with messages as they come off the wire. */
export class Bench {
  readonly clock: ManualClock;
  readonly records: RecordStore;
  readonly logger: RecordingLogger;
  readonly registrar: Registrar;
  readonly events: { name: keyof RegistrarEvents; event: RegistrarEvents[keyof RegistrarEvents] }[] = [];
  readonly #challenger: DigestChallenger;
  #onRequest: (transaction: ServerTransaction) => void = () => {};
  #cseq = 0;
  #branch = 0;

  constructor(
    options: Partial<RegistrarOptions> & {
      readonly clock?: ManualClock;
      readonly extensions?: readonly Extension[];
    } = {},
  ) {
    const { clock = new ManualClock(), extensions, ...rest } = options;
    this.clock = clock;
    this.logger = new RecordingLogger(() => clock.now());
    this.records = options.records ?? new MemoryRecords({ clock });
    const directory: Directory = new MemoryDirectory(
      extensions ?? ['100', '101'].map((number) => extensionFrom({ number, password: `pw-${number}` }, REALM)),
    );
    const random = new SeededRandom(1);
    this.#challenger = new DigestChallenger({ clock, random, nonceLifetimeSeconds: 300 });
    this.registrar = new Registrar({
      records: this.records,
      directory,
      challenger: this.#challenger,
      scheduler: clock,
      logger: this.logger,
      realmOf: () => REALM,
      servesDomain: (_, host) => host === REALM || host === '192.0.2.1',
      tenants: () => [TENANT],
      ...rest,
    });
    for (const name of ['binding.added', 'binding.refreshed', 'binding.removed', 'credentials.refused'] as const) {
      this.registrar.on(name, (event) => this.events.push({ name, event }));
    }
    new Uas({
      transactions: {
        lastStatus: () => undefined,
        handle: (handlers) => {
          this.#onRequest = handlers.onRequest;
        },
      },
      logger: this.logger,
      scheduler: clock,
      takers: [this.registrar],
      tenantOf: () => TENANT,
      allow: ['REGISTER', 'OPTIONS'],
      supported: ['path', 'outbound'],
    });
  }

  /** Names of the events so far, with the reason where there is one; forgets them. */
  takeEvents(): string[] {
    return this.events.splice(0).map(({ name, event }) => ('reason' in event ? `${name} ${event.reason}` : name));
  }

  /** Registers as a phone does: answers the challenge with the next CSeq. */
  async register(ask: Ask = {}): Promise<SipResponse> {
    const first = await this.send(this.text(ask), ask);
    if (first.status !== 401 || ask.bare === true) return first;
    const credentials = this.credentials(first, ask);
    return this.send(this.text({ ...ask, headers: [...(ask.headers ?? []), credentials] }), ask);
  }

  /** An Authorization line that answers the challenge. */
  credentials(challenged: SipResponse, ask: Ask = {}, nc = 1): string {
    const user = ask.as ?? ask.user ?? '100';
    const value = challenged.headers.get('WWW-Authenticate')?.[0];
    const challenge = value && parseChallenge(value);
    if (challenge === undefined) throw new Error('no challenge in the response');
    const { nonce, realm } = challenge;
    const uri = ask.requestUri ?? `sip:${REALM}`;
    const response = digestResponse({
      algorithm: 'MD5',
      ha1: ha1('MD5', user, realm, ask.password ?? `pw-${user}`),
      nonce,
      nc,
      cnonce: 'c',
      qop: 'auth',
      method: 'REGISTER',
      uri,
    });
    return `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, qop=auth, nc=${nc.toString(16).padStart(8, '0')}, cnonce="c"`;
  }

  /** A REGISTER as text; each has its own branch and, unless told otherwise, the next CSeq. */
  text(ask: Ask = {}): string {
    const { user = '100', contact = `<sip:${user}@198.51.100.7:5060>`, headers = [] } = ask;
    const contacts = contact === null ? [] : typeof contact === 'string' ? [contact] : contact;
    const cseq = ask.cseq ?? ++this.#cseq;
    const to = ask.to ?? `<sip:${user}@${REALM}>`;
    return [
      `REGISTER ${ask.requestUri ?? `sip:${REALM}`} SIP/2.0`,
      `Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK${++this.#branch}`,
      // A tag of its own, or two of one CSeq would be taken for one request merged from two paths (§8.2.2.2).
      `From: ${to};tag=f${this.#branch}`,
      `To: ${to}`,
      `Call-ID: ${ask.callId ?? `call-${user}`}`,
      `CSeq: ${cseq} REGISTER`,
      'Max-Forwards: 70',
      ...contacts.map((value) => `Contact: ${value}`),
      ...headers,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
  }

  /** Sends what stands there and resolves to the final response as it would be read off the wire. */
  async send(text: string | Uint8Array, ask: Ask = {}): Promise<SipResponse> {
    const request = parseMessage(typeof text === 'string' ? Buffer.from(text) : text);
    if (!(request instanceof SipRequest)) throw new Error('that is no request');
    const protocol = ask.connectionId === undefined ? 'udp' : 'tcp';
    const remote = ask.remote ?? { address: '198.51.100.7', port: 5060 };
    const local = { address: '192.0.2.1', port: 5060 };
    const flow: FlowRef = {
      protocol,
      local,
      remote,
      ...(ask.connectionId !== undefined && { connectionId: ask.connectionId }),
    };
    const source: Source = { protocol, local, remote, flow, secure: false, receivedAt: this.clock.now() };
    return new Promise((resolve, reject) => {
      let last: SipResponse | undefined;
      const transaction: ServerTransaction = {
        request,
        source,
        id: `${request.headers.topVia?.params.find(({ name }) => name === 'branch')?.value}`,
        state: 'trying',
        toTag: 't',
        cancelled: false,
        get answered() {
          return last !== undefined;
        },
        get lastResponse() {
          return last;
        },
        statelessTag: 't',
        respondOnce: (response) => transaction.respond(response),
        respond: (response) => {
          if (last !== undefined) reject(new Error('answered twice'));
          last = response;
          const read = parseMessage(printMessage(response));
          if (read instanceof SipResponse) resolve(read);
          else reject(new Error('that is no response'));
        },
        onCancel: () => {},
        onAck: () => {},
        onTransportError: () => {},
        onTimeout: () => {},
        onTerminated: () => {},
      };
      this.#onRequest(transaction);
    });
  }
}

/** Contact URIs with their `expires`, as a response lists them. */
export function contactsOf(response: SipResponse): string[] {
  return response.headers.raw('Contact').flatMap((line) => line.split(/,\s*(?=<)/));
}
