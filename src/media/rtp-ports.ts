import type { SocketAddress } from '../base/ip.js';
import { systemCode } from '../net/errors.js';
import type { Network, UdpSocket } from '../net/network.js';
import { MediaError } from './media-error.js';
import type { PortPair, PortPool } from './port-pool.js';

export interface RtpPortsOptions {
  readonly network: Pick<Network, 'openUdp'>;
  /** Of ours: the address to bind. */
  readonly address: string;
  readonly pool: PortPool;
  /** A datagram on the even port, and on the odd one. `data` belongs to the receiver. */
  readonly onRtp: (data: Uint8Array, from: SocketAddress) => void;
  readonly onRtcp: (data: Uint8Array, from: SocketAddress) => void;
  /** What the system reports of its own accord; default: it is dropped, for the next packet comes in 20 ms. */
  readonly onError?: (error: Error) => void;
}

/** About two seconds of G.711 at the price that the system reckons for small packets. */
const RECEIVE_BUFFER_BYTES = 128 * 1024;

/** Other programs that hold ports of the range are passed over; with so many in a row the range is theirs. */
const MOST_ATTEMPTS = 64;

/** One pair of ports of a pool with their sockets: RTP on the even one, RTCP on the odd one above (RFC 3550 §11). */
export class RtpPorts {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
  readonly #pair: PortPair;
  #closing: Promise<void> | undefined;

  private constructor(rtp: UdpSocket, rtcp: UdpSocket, pair: PortPair) {
    this.rtp = rtp;
    this.rtcp = rtcp;
    this.#pair = pair;
  }

  /**
   * Binds both ports of a pair that the pool lends; a pair of which another program holds a port is passed over.
   * @throws MediaError (MEDIA_NO_PORT), ListenError (PBX_LISTEN_FAILED) when the address cannot be bound at all
   */
  static async open(options: RtpPortsOptions): Promise<RtpPorts> {
    let cause: unknown;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const pair = options.pool.take();
      try {
        return await RtpPorts.#bind(options, pair);
      } catch (error) {
        pair.giveBack();
        if (systemCode(error) !== 'PBX_PORT_IN_USE') throw error;
        cause = error;
      }
    }
    throw new MediaError(
      'MEDIA_NO_PORT',
      `no port for media on ${options.address}: ${MOST_ATTEMPTS} pairs in a row are held by other programs; choose another range of ports`,
      { cause },
    );
  }

  /** Where RTP is received. */
  get local(): SocketAddress {
    return this.rtp.local;
  }

  /** `data` must not be changed afterwards. */
  sendRtp(data: Uint8Array, to: SocketAddress): void {
    this.rtp.send(data, to);
  }

  /** `data` must not be changed afterwards. */
  sendRtcp(data: Uint8Array, to: SocketAddress): void {
    this.rtcp.send(data, to);
  }

  /** Closes both sockets; the pool gets the pair back afterwards. `unused`: nobody was told of it. */
  close(unused = false): Promise<void> {
    this.#closing ??= Promise.all([this.rtp.close(), this.rtcp.close()]).then(() => this.#pair.giveBack(unused));
    return this.#closing;
  }

  static async #bind(options: RtpPortsOptions, pair: PortPair): Promise<RtpPorts> {
    const { network, address, onError = ignore } = options;
    const open = (port: number, onMessage: RtpPortsOptions['onRtp']): Promise<UdpSocket> =>
      network.openUdp({
        local: { address, port },
        onMessage,
        onError,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        traffic: 'media',
      });
    const rtp = await open(pair.rtp, options.onRtp);
    try {
      return new RtpPorts(rtp, await open(pair.rtcp, options.onRtcp), pair);
    } catch (error) {
      await rtp.close();
      throw error;
    }
  }
}

function ignore(): void {}
