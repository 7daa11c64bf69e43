import { errorText } from '../base/errors.js';
import type { TypedEmitter } from '../base/events.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import { createRequest } from '../protocol/sip/message.js';
import { type NameAddr, withTag } from '../protocol/sip/name-addr.js';
import { NO_PARAMS } from '../protocol/sip/params.js';
import { sipUri } from '../protocol/sip/uri.js';
import type { CredentialSource } from '../ua/credential-source.js';
import type { NextHopResolver } from '../ua/next-hop.js';
import type { HostPort, SendTarget } from '../ua/target.js';
import type { Uac, UacResult } from '../ua/uac.js';
import type { TrunkEvents } from './events.js';
import { LineCredentials } from './line-credentials.js';
import { PeerAddresses } from './peer-addresses.js';
import type { TrunkPeer } from './trunk-options.js';

/** What a trunk needs of the world. */
export interface TrunkParts {
  readonly uac: Pick<Uac, 'request'>;
  readonly resolver: NextHopResolver;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: TypedEmitter<TrunkEvents>;
  /** Addresses that the configuration names besides the server's. */
  readonly isListed: (address: string) => boolean;
  /** What stands in our Contact instead of our address. */
  readonly contactAddress: () => HostPort | undefined;
}

/** `unknown`: not asked yet, or never; calls are tried. */
export type TrunkState = 'unknown' | 'up' | 'down';

/** How often the names of a trunk that is not asked by OPTIONS are looked up. */
const LOOKUP_MS = 300_000;
/** All trunks are asked for the first time within this. */
const START_SPREAD_MS = 5_000;

/** A SIP trunk: knows the addresses of the other side, and asks by OPTIONS whether it lives (RFC 3261 §11). */
export class SipTrunk {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly peer: TrunkPeer;
  /** Undefined: the trunk has no account. */
  readonly credentials: CredentialSource | undefined;
  readonly #parts: TrunkParts;
  readonly #addresses: PeerAddresses;
  readonly #abort = new AbortController();
  readonly #callId: string;
  #sequence = 0;
  #state: TrunkState = 'unknown';
  #cancelWakeUp: Cancel = () => {};

  constructor(tenantId: TenantId, name: string, peer: TrunkPeer, parts: TrunkParts) {
    this.tenantId = tenantId;
    this.name = name;
    this.peer = peer;
    this.#parts = parts;
    this.#addresses = new PeerAddresses(parts.resolver);
    this.#callId = parts.random.token(128);
    const { username, password, realms } = peer;
    this.credentials =
      username === undefined || password === undefined
        ? undefined
        : new LineCredentials({
            username,
            password,
            realms,
            peers: { has: (address) => this.isPeer(address) },
            logger: parts.logger.child({ tenantId, trunk: name }),
          });
  }

  get state(): TrunkState {
    return this.#state;
  }

  /** The preloaded Route of its requests. */
  get route(): readonly NameAddr[] {
    return this.peer.proxy === undefined ? [] : [{ uri: this.peer.proxy, params: NO_PARAMS }];
  }

  /** Whether that address is the other side's. */
  isPeer(address: string): boolean {
    return this.#addresses.has(address) || this.#parts.isListed(address);
  }

  /** Looks its names up, and begins to ask; waits for neither, for DNS may be out of order. */
  async start(): Promise<void> {
    void this.#lookUp();
    const { random } = this.#parts;
    const spread = Math.min(START_SPREAD_MS, this.#intervalMs);
    this.#sleep(this.peer.qualifySeconds === 0 ? this.#intervalMs : random.integer(spread));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#cancelWakeUp();
  }

  get #intervalMs(): number {
    return this.peer.qualifySeconds === 0 ? LOOKUP_MS : this.peer.qualifySeconds * 1000;
  }

  #sleep(delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    this.#cancelWakeUp = this.#parts.scheduler.after(delayMs, () => {
      this.#ask()
        .catch((error: unknown) =>
          this.#parts.logger.error({ err: error, trunk: this.name }, `OPTIONS failed: ${errorText(error)}`),
        )
        .finally(() => this.#sleep(this.#intervalMs - this.#parts.random.integer(this.#intervalMs / 10)));
    });
  }

  async #ask(): Promise<void> {
    await this.#lookUp();
    if (this.peer.qualifySeconds === 0 || this.#abort.signal.aborted) return;
    const result = await this.#options();
    if (this.#abort.signal.aborted) return;
    const next = isAlive(result) ? 'up' : 'down';
    if (next === this.#state) return;
    this.#state = next;
    const event = { tenantId: this.tenantId, trunk: this.name };
    if (next === 'up') this.#parts.events.emit('trunk.up', event);
    else this.#parts.events.emit('trunk.down', { ...event, cause: causeOf(result) });
  }

  #options(): Promise<UacResult | undefined> {
    const { uac, random } = this.#parts;
    const { server, proxy, domain } = this.peer;
    const self: NameAddr = { uri: sipUri({ user: 'ping', host: domain }), params: NO_PARAMS };
    const uri = sipUri({ host: domain });
    const request = createRequest({
      method: 'OPTIONS',
      uri,
      headers: {
        From: withTag(self, random.token(64)),
        To: { uri, params: NO_PARAMS },
        'Call-ID': this.#callId,
        CSeq: { sequence: ++this.#sequence, method: 'OPTIONS' },
        Accept: 'application/sdp',
      },
    });
    const way: SendTarget = proxy === undefined ? { nextHop: server } : { route: this.route };
    const { signal } = this.#abort;
    // Aborted: the trunk is gone, and nobody asks any more.
    const contactAddress = this.#parts.contactAddress();
    const contact = { contactUser: 'ping', ...(contactAddress === undefined ? {} : { contactAddress }) };
    return uac.request(request, { ...way, ...contact }, { signal }).catch(() => undefined);
  }

  /** Never rejects. */
  async #lookUp(): Promise<void> {
    try {
      await this.#addresses.refresh([this.peer.proxy ?? this.peer.server]);
    } catch (error) {
      this.#parts.logger.warn({ trunk: this.name }, `the trunk's server was not found: ${errorText(error)}`);
    }
  }
}

/** Any answer of the server is a sign of life, but those by which it says that it cannot serve, or somebody else that it is away. */
function isAlive(result: UacResult | undefined): boolean {
  if (result?.kind !== 'response') return false;
  return result.response.status !== 503 && result.response.status !== 408;
}

function causeOf(result: UacResult | undefined): string {
  if (result === undefined || result.kind === 'timeout') return 'no answer';
  return result.kind === 'response' ? `${result.response.status} ${result.response.reason}` : result.error.message;
}
