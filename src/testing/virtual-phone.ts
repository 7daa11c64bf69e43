import type { SocketAddress } from '../base/ip.js';
import { DEFAULT_TENANT } from '../base/tenant.js';
import { DialogLayer } from '../dialog/dialog-layer.js';
import type { Subscriber, SubscriberHandlers, SubscriberOptions } from '../dialog/subscriber.js';
import type { TlsSettings } from '../net/tls-settings.js';
import type { OfferedCodec } from '../protocol/sdp/create.js';
import { createRequest, type HeaderInit, type SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { withTag } from '../protocol/sip/name-addr.js';
import { type SipUri, sipUri } from '../protocol/sip/uri.js';
import { Resolver } from '../resolver/resolver.js';
import { TransactionLayer } from '../transaction/layer.js';
import { TransportLayer } from '../transport/layer.js';
import type { CredentialSource } from '../ua/credential-source.js';
import type { IncomingRequest } from '../ua/incoming.js';
import { Uas } from '../ua/request-chain.js';
import type { SendTarget } from '../ua/target.js';
import { Uac, type UacResult } from '../ua/uac.js';
import type { Machine } from './machine.js';
import { PhoneCall } from './phone-call.js';
import { PhoneMedia } from './phone-media.js';

export interface VirtualPhoneOptions {
  readonly machine: Machine;
  /** `sip:100@office.example`, taken apart. */
  readonly number: string;
  readonly domain: string;
  readonly password: string;
  /** The PBX, which every request outside a dialog is sent to. */
  readonly server: SocketAddress;
  /** Default `udp`. */
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** For `tls`: whom it trusts, and a certificate of its own if it has one. */
  readonly tls?: TlsSettings;
  /** The phone's own address and port; default the machine's first address and 5060. */
  readonly local?: SocketAddress;
  readonly displayName?: string;
  readonly codecs?: readonly OfferedCodec[];
  /** What happens when it is called. Default: it rings, and waits to be told. */
  readonly onCall?: (call: PhoneCall) => void;
}

/** What a phone subscribes to. */
export type PhoneSubscribeOptions = Pick<SubscriberOptions, 'event' | 'accept' | 'expiresSeconds'>;

export interface RegisterOptions {
  /** Default 3600. */
  readonly expiresSeconds?: number;
  /** Default: this phone's own Contact. `*` removes all; an empty list only asks. */
  readonly contacts?: readonly NameAddr[] | '*';
  /** More headers, such as Supported. */
  readonly headers?: HeaderInit;
}

export interface RegisterResult {
  /** The final status, 0 when none came. */
  readonly status: number;
  readonly response: SipResponse | undefined;
  /** The contacts that the registrar listed. */
  readonly contacts: readonly NameAddr[];
}

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'PRACK', 'UPDATE', 'NOTIFY', 'REFER'];

/** A SIP phone on a virtual machine: the same stack as the PBX's, facing it over the virtual network. */
export class VirtualPhone {
  readonly number: string;
  /** The calls that this phone had, oldest first. */
  readonly calls: PhoneCall[] = [];
  readonly #options: VirtualPhoneOptions;
  readonly #transport: TransportLayer;
  readonly #transactions: TransactionLayer;
  readonly #uac: Uac;
  readonly #dialogs: DialogLayer;
  readonly #callId: string;
  readonly #local: SocketAddress;
  readonly #waiting: ((call: PhoneCall) => void)[] = [];
  #starting: Promise<void> | undefined;
  #sequence = 0;
  #sessions = 1000;

  constructor(options: VirtualPhoneOptions) {
    this.#options = options;
    this.number = options.number;
    const { network, scheduler, random, logger } = options.machine.ports;
    this.#local = options.local ?? { address: options.machine.host.addresses[0] ?? '', port: 5060 };
    const { address: host, port } = this.#local;
    this.#transport = new TransportLayer({
      network,
      scheduler,
      random,
      logger,
      listen: [
        { protocol: 'udp', host, port },
        { protocol: 'tcp', host, port },
      ],
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
    this.#transactions = new TransactionLayer({ transport: this.#transport, scheduler, random, logger });
    this.#uac = new Uac({
      transactions: this.#transactions,
      transport: this.#transport,
      resolver: new Resolver({ network, scheduler, random, logger }),
      scheduler,
      random,
      logger,
    });
    this.#dialogs = new DialogLayer({
      uac: this.#uac,
      contactFor: (source, user) => ({ uri: sipUri({ user, ...this.#transport.contactFor(source) }), params: [] }),
      scheduler,
      random,
      logger,
      allow: ALLOW,
    });
    new Uas({
      transactions: this.#transactions,
      logger,
      scheduler,
      allow: ALLOW,
      supported: ['100rel'],
      tenantOf: () => DEFAULT_TENANT,
      takers: [this.#dialogs, { name: 'phone', take: (incoming) => this.#onInvite(incoming) }],
    });
    this.#callId = random.token(128);
  }

  /** Opens the phone's sockets; `register` does it too. */
  start(): Promise<void> {
    this.#starting ??= this.#transport.start();
    return this.#starting;
  }

  /** Whether a call rings here: `world.until(bob.ringing)`. */
  readonly ringing = (): boolean => this.calls.some((call) => call.direction === 'in' && call.state.kind === 'ringing');

  async close(): Promise<void> {
    this.#dialogs.close();
    this.#transactions.close();
    await this.#transport.close();
  }

  /** This phone's own Contact. */
  get contact(): NameAddr {
    const { transport = 'udp' } = this.#options;
    const params = transport === 'udp' ? [] : [{ name: 'transport', value: transport }];
    return {
      uri: sipUri({ user: this.number, host: this.#local.address, port: this.#local.port, params }),
      params: [],
    };
  }

  /** Registers, refreshes or removes contacts; answers the challenge. Never rejects: look at `status`. */
  async register(options: RegisterOptions = {}): Promise<RegisterResult> {
    await this.start();
    const { contacts = [this.contact], expiresSeconds = 3600, headers = {} } = options;
    const aor: NameAddr = { uri: this.#aor(this.number), params: [] };
    const request = createRequest({
      method: 'REGISTER',
      uri: sipUri({ host: this.#options.domain }),
      headers: {
        From: withTag(aor, this.#options.machine.ports.random.token(64)),
        To: aor,
        'Call-ID': this.#callId,
        CSeq: { sequence: ++this.#sequence, method: 'REGISTER' },
        ...(contacts.length === 0 ? {} : { Contact: contacts, Expires: expiresSeconds }),
        ...headers,
      },
    });
    const result = await this.#uac.request(request, this.#target());
    // The retry with credentials has counted CSeq up.
    this.#sequence++;
    return registerResult(result);
  }

  /** Removes this phone's Contact. */
  unregister(): Promise<RegisterResult> {
    return this.register({ expiresSeconds: 0 });
  }

  /**
   * Sends a request that belongs to no call to a number of the PBX, such as MESSAGE, and answers the challenge. Resolves to
   * the final status, 0 when none came.
   */
  async request(method: string, number: string, headers: HeaderInit = {}): Promise<number> {
    await this.start();
    const request = createRequest({
      method,
      uri: this.#aor(number),
      headers: {
        From: withTag({ uri: this.#aor(this.number), params: [] }, this.#options.machine.ports.random.token(64)),
        To: { uri: this.#aor(number), params: [] },
        'Call-ID': this.#options.machine.ports.random.token(128),
        CSeq: { sequence: 1, method },
        ...headers,
      },
    });
    const result = await this.#uac.request(request, { ...this.#target(), contactUser: this.number });
    return result.kind === 'response' ? result.response.status : 0;
  }

  /** Subscribes to events of a number of the PBX (RFC 6665); the challenge is answered. The phone must have been started. */
  subscribe(number: string, options: PhoneSubscribeOptions, handlers: SubscriberHandlers): Subscriber {
    return this.#dialogs.subscribe(
      {
        uri: this.#aor(number),
        target: this.#target(),
        from: { uri: this.#aor(this.number), params: [] },
        to: { uri: this.#aor(number), params: [] },
        contactUser: this.number,
        ...options,
      },
      handlers,
    );
  }

  /** Calls a number of the PBX. `lateOffer`: the INVITE carries no description. */
  call(number: string, options: { readonly lateOffer?: boolean; readonly maxForwards?: number } = {}): PhoneCall {
    const media = this.#media();
    const { displayName } = this.#options;
    const { maxForwards } = options;
    const call = PhoneCall.outgoing(media, this.#uac, (handlers) =>
      this.#dialogs.invite(
        {
          target: { ...this.#target(), uri: this.#aor(number), policy: { peer: 'phone' } },
          from: { uri: this.#aor(this.number), params: [], ...(displayName === undefined ? {} : { displayName }) },
          to: { uri: this.#aor(number), params: [] },
          contactUser: this.number,
          ...(options.lateOffer === true ? {} : { sdp: media.offer() }),
          ...(maxForwards === undefined ? {} : { maxForwards }),
        },
        handlers,
      ),
    );
    this.calls.push(call);
    return call;
  }

  /** Resolves to the next call that comes in. */
  incoming(): Promise<PhoneCall> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Dialogs, transactions and INVITEs that live: nothing of them should be left when all calls have ended. */
  get busy(): { readonly dialogs: number; readonly transactions: number } {
    return { dialogs: this.#dialogs.size, transactions: this.#transactions.size };
  }

  #onInvite(incoming: IncomingRequest): boolean {
    if (incoming.request.method !== 'INVITE' || incoming.request.toTag !== undefined) return false;
    const call = PhoneCall.incoming(this.#media(), this.#uac, this.#dialogs.receive(incoming, this.number));
    this.calls.push(call);
    (this.#options.onCall ?? ((each) => each.ring()))(call);
    for (const resolve of this.#waiting.splice(0)) resolve(call);
    return true;
  }

  #target(): SendTarget {
    const { server, transport = 'udp', number, password } = this.#options;
    const credentials: CredentialSource = { secretFor: () => ({ username: number, password }) };
    const params = transport === 'udp' ? [] : [{ name: 'transport', value: transport }];
    return { nextHop: sipUri({ host: server.address, port: server.port, params }), credentials };
  }

  #aor(user: string): SipUri {
    return sipUri({ user, host: this.#options.domain });
  }

  #media(): PhoneMedia {
    const { codecs } = this.#options;
    return new PhoneMedia({
      address: this.#local.address,
      port: 20_000 + 2 * (this.calls.length % 1000),
      sessionId: ++this.#sessions,
      ...(codecs === undefined ? {} : { codecs }),
    });
  }
}

function registerResult(result: UacResult): RegisterResult {
  if (result.kind !== 'response') return { status: 0, response: undefined, contacts: [] };
  const contacts = result.response.headers.get('Contact');
  return {
    status: result.response.status,
    response: result.response,
    contacts: contacts === undefined || contacts === '*' ? [] : contacts,
  };
}
