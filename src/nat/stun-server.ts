import { Disposer } from '../base/disposer.js';
import { UsageError } from '../base/errors.js';
import { ipVersion, isWildcardAddress, type SocketAddress } from '../base/ip.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import { ListenError } from '../net/errors.js';
import type { Network, UdpSocket } from '../net/network.js';
import { answerBinding, bindingRequest } from '../protocol/stun/binding.js';
import { readStunMessage } from '../protocol/stun/message.js';
import { NOBODY } from './address-kinds.js';
import { SourceLimit, type SourceRate } from './source-limit.js';
import { parseStunListen, STUN_LISTEN_EXAMPLE, STUN_PORT } from './stun-address.js';

export interface StunServerOptions {
  readonly network: Pick<Network, 'openUdp' | 'localAddresses'>;
  readonly scheduler: Scheduler;
  /** Such as `udp://0.0.0.0:3478`, any number; a wildcard stands for every address of the machine, port 0 for any free one. */
  readonly listen: readonly string[];
  /** Default: silent. */
  readonly logger?: Logger;
  /** What it says it is (SOFTWARE), where the request was large enough. Default: nothing. */
  readonly software?: string;
  /** What one source may ask. Default 50 a second, 250 at once. */
  readonly rate?: SourceRate;
}

/** Counts since the start, as plain data. */
export interface StunServerStats {
  readonly received: number;
  /** Answered with the address. */
  readonly answered: number;
  /** Answered with 420: something was asked for that is not understood. */
  readonly refused: number;
  /** Asked for an answer from another address or port (RFC 3489 CHANGE-REQUEST), and not answered. */
  readonly changeRequests: number;
  /** Beyond the rate of its source, and not looked at. */
  readonly limited: number;
  /** No STUN, broken, too large, or from an address that nobody can have. */
  readonly malformed: number;
  /** STUN that is no Binding request: responses, indications, other methods. */
  readonly ignored: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Sources that are remembered now. */
  readonly sources: number;
}

type Counters = { -readonly [Name in keyof Omit<StunServerStats, 'sources'>]: number };

/** An office behind one address that is switched on in the morning fits; what a forged address hears is 5 KB a second. */
const DEFAULT_RATE: SourceRate = Object.freeze({ perSecond: 50, burst: 250 });
/** More than a packet of Ethernet carries is no Binding request. */
const MOST_BYTES = 1500;
const FREE_PORT_ATTEMPTS = 16;

/**
 * A STUN server over UDP: Binding and nothing else (RFC 8489 §6.3), for clients of RFC 3489 too. Each answer leaves from the
 * address and port that were asked. It keeps no state but a rate for each source, answers nothing but requests, so that two
 * servers cannot be set on each other, and an answer is hardly larger than its request.
 *
 * Clients of RFC 3489 that ask for an answer from another address (CHANGE-REQUEST) hear nothing. Deviates from RFC 5389
 * §12.2, which has them refused: they take any packet for the answer that they hope for, and their user would be told that
 * there is no NAT filter. Clients of today are refused with 420.
 */
export class StunServer {
  readonly #options: StunServerOptions;
  readonly #logger: Logger;
  readonly #limit: SourceLimit;
  readonly #sockets: UdpSocket[] = [];
  readonly #counters: Counters = {
    received: 0,
    answered: 0,
    refused: 0,
    changeRequests: 0,
    limited: 0,
    malformed: 0,
    ignored: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
  #state: 'new' | 'open' | 'closed' = 'new';
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Opens nothing. @throws UsageError PBX_INVALID_ARGUMENT for a listening address that is none */
  constructor(options: StunServerOptions) {
    options.listen.forEach((text, i) => {
      if (parseStunListen(text) !== undefined) return;
      throw new UsageError('PBX_INVALID_ARGUMENT', `listen[${i}]: found "${text}", expected ${STUN_LISTEN_EXAMPLE}`);
    });
    this.#options = options;
    this.#logger = (options.logger ?? silentLogger).child({ area: 'nat' });
    this.#limit = new SourceLimit({ clock: options.scheduler, rate: options.rate ?? DEFAULT_RATE });
  }

  /** Where it listens, with the real ports; empty before `start()` and after `close()`. */
  get listening(): readonly SocketAddress[] {
    return this.#state === 'open' ? this.#sockets.map(({ local }) => local) : [];
  }

  /** Opens all addresses, or none. @throws ListenError; UsageError PBX_WRONG_STATE when started before */
  start(): Promise<void> {
    if (this.#state !== 'new') {
      return Promise.reject(new UsageError('PBX_WRONG_STATE', `a STUN server starts once; this one is ${this.#state}`));
    }
    this.#state = 'open';
    this.#starting = this.#open();
    return this.#starting;
  }

  /** Closing again does nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  stats(): StunServerStats {
    return { ...this.#counters, sources: this.#limit.size };
  }

  async #open(): Promise<void> {
    try {
      for (const text of this.#options.listen) {
        const { host, port = STUN_PORT } = parseStunListen(text) ?? { host: text };
        await this.#openPoint(host, port);
      }
    } catch (error) {
      await this.#closeSockets();
      throw error;
    }
  }

  async #shut(): Promise<void> {
    this.#state = 'closed';
    // Whoever called start() hears of its failure; here it only must be over.
    await this.#starting?.catch(() => {});
    await this.#closeSockets();
  }

  async #closeSockets(): Promise<void> {
    const closing = new Disposer();
    for (const socket of this.#sockets.splice(0)) closing.add(() => socket.close());
    await closing.dispose();
  }

  /** A socket for each address, so that an answer leaves from the one that was asked; all with one port. */
  async #openPoint(host: string, port: number): Promise<void> {
    const addresses = this.#addressesOf(host);
    for (let attempt = 1; ; attempt++) {
      const opened: UdpSocket[] = [];
      try {
        for (const address of addresses)
          opened.push(await this.#openSocket({ address, port: opened[0]?.local.port ?? port }));
        this.#sockets.push(...opened);
        return;
      } catch (error) {
        for (const socket of opened) await socket.close();
        const collided = port === 0 && opened.length > 0;
        if (!collided || attempt === FREE_PORT_ATTEMPTS) throw error;
      }
    }
  }

  #addressesOf(host: string): readonly string[] {
    if (!isWildcardAddress(host)) return [host];
    const version = ipVersion(host);
    const addresses = this.#options.network.localAddresses().filter((each) => ipVersion(each) === version);
    if (addresses.length > 0) return addresses;
    throw new ListenError(
      'PBX_LISTEN_FAILED',
      { protocol: 'udp', local: { address: host, port: 0 } },
      `has no address to listen on: this machine has no IPv${version} address`,
    );
  }

  async #openSocket(local: SocketAddress): Promise<UdpSocket> {
    // Datagrams may come before openUdp has resolved; they are asked again.
    let socket: UdpSocket | undefined;
    socket = await this.#options.network.openUdp({
      local,
      onMessage: (data, from) => {
        if (socket !== undefined) this.#onDatagram(socket, data, from);
      },
      onError: (error) => this.#logger.debug({ err: error, local }, `STUN socket: ${error.message}`),
    });
    return socket;
  }

  #onDatagram(socket: UdpSocket, data: Uint8Array, from: SocketAddress): void {
    const counters = this.#counters;
    counters.received++;
    counters.bytesReceived += data.length;
    if (from.port === 0 || data.length > MOST_BYTES || NOBODY.has(from.address)) {
      counters.malformed++;
      return;
    }
    if (!this.#limit.admit(from.address)) {
      counters.limited++;
      return;
    }
    try {
      this.#answer(socket, data, from);
    } catch (error) {
      // An address that STUN cannot write, such as one with a zone.
      counters.malformed++;
      this.#logger.debug({ err: error, remote: from }, 'a STUN request could not be answered');
    }
  }

  #answer(socket: UdpSocket, data: Uint8Array, from: SocketAddress): void {
    const counters = this.#counters;
    const message = readStunMessage(data);
    if (message === undefined) {
      counters.malformed++;
      return;
    }
    const request = bindingRequest(message);
    if (request === undefined) {
      counters.ignored++;
      return;
    }
    if (request.wantsChange) {
      counters.changeRequests++;
      return;
    }
    let answer = answerBinding(request, from);
    const { software } = this.#options;
    if (software !== undefined && answer.length < data.length) {
      const named = answerBinding(request, from, software);
      if (named.length <= data.length) answer = named;
    }
    if (request.unknown.length > 0) counters.refused++;
    else counters.answered++;
    counters.bytesSent += answer.length;
    socket.send(answer, from);
  }
}
