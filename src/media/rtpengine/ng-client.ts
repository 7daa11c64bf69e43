import { AbortedError, errorText, UsageError } from '../../base/errors.js';
import { ipVersion, type SocketAddress, sameAddress } from '../../base/ip.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Cancel, Scheduler } from '../../base/scheduler.js';
import type { Network, UdpSocket } from '../../net/network.js';
import { type Bencoded, type BencodedDictionary, decodeBencode, encodeBencode } from './bencode.js';
import { MediaEngineError } from './media-engine-error.js';

/** What a client of one instance needs. */
export interface NgClientOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** Where the instance takes commands (`--listen-ng`). */
  readonly remote: SocketAddress;
  /** What errors call the instance. */
  readonly name: string;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
}

/** What one request may be given. */
export interface NgRequestOptions {
  readonly signal?: AbortSignal;
}

/** A request that is not answered is sent again after so long, then after twice as long, and so on. */
const FIRST_RETRY_MS = 200;

/** The dictionary begins behind the cookie and one space. */
const SPACE = 0x20;

/** Our cookies are so many hexadecimal digits: nobody who does not see them can answer in rtpengine's place. */
const COOKIE_BITS = 96;
const COOKIE_LENGTH = COOKIE_BITS / 4;

interface Waiting {
  readonly finish: (result: BencodedDictionary | Error) => void;
}

/**
 * The ng protocol of rtpengine over UDP, towards one instance: a cookie, a space and a dictionary each way. An instance knows
 * a retransmission by its cookie and answers it as it did the first time. What comes from elsewhere, twice, or without a
 * request is ignored.
 */
export class NgClient {
  readonly #options: NgClientOptions;
  readonly #waiting = new Map<string, Waiting>();
  #socket: Promise<UdpSocket> | undefined;
  #closed = false;

  constructor(options: NgClientOptions) {
    this.#options = options;
  }

  /** Requests that wait for their answer. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Sends a command and resolves to the answer, whose `result` is `ok`, `pong` or `load limit`.
   * @throws MediaEngineError: kind `transport` when no readable answer comes in time, `remote` when the answer is an error
   * @throws AbortedError when the signal fires
   */
  async request(
    command: string,
    fields: Readonly<Record<string, Bencoded>> = {},
    options: NgRequestOptions = {},
  ): Promise<BencodedDictionary> {
    const { name } = this.#options;
    const socket = await this.#open();
    const answer = await this.#ask(socket, new Map(Object.entries({ command, ...fields })), options.signal);
    if (answer.get('result') !== 'error') return answer;
    const reason = answer.get('error-reason');
    throw new MediaEngineError(
      'remote',
      `${name} refused "${command}": ${typeof reason === 'string' ? reason : 'no reason given'}`,
    );
  }

  /** Whoever still waits is told that it is in vain. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { finish } of [...this.#waiting.values()]) finish(this.#closedError());
    const socket = await this.#socket?.catch(() => undefined);
    await socket?.close();
  }

  #closedError(): Error {
    return new UsageError('PBX_WRONG_STATE', `the media engine client of ${this.#options.name} is closed`);
  }

  async #open(): Promise<UdpSocket> {
    if (this.#closed) throw this.#closedError();
    const { network, remote, name, logger } = this.#options;
    this.#socket ??= network.openUdp({
      local: { address: ipVersion(remote.address) === 6 ? '::' : '0.0.0.0', port: 0 },
      onMessage: (data, from) => this.#receive(data, from),
      onError: (error) =>
        logger.debug({ instance: name, err: error }, 'the socket towards a media engine had an error'),
    });
    try {
      return await this.#socket;
    } catch (error) {
      // The next request tries anew: the machine may have run out of sockets for a moment.
      this.#socket = undefined;
      throw new MediaEngineError('transport', `no socket towards ${name}: ${errorText(error)}`, { cause: error });
    }
  }

  #ask(socket: UdpSocket, request: BencodedDictionary, signal: AbortSignal | undefined): Promise<BencodedDictionary> {
    const { scheduler, random, remote, name, timeoutMs } = this.#options;
    const what = `the command "${String(request.get('command'))}" to ${name}`;
    const cookie = random.token(COOKIE_BITS);
    const datagram = Buffer.concat([Buffer.from(`${cookie} `, 'latin1'), encodeBencode(request)]);
    return new Promise((resolve, reject) => {
      let retry: Cancel = () => undefined;
      const finish = (result: BencodedDictionary | Error): void => {
        if (!this.#waiting.delete(cookie)) return;
        retry();
        deadline();
        signal?.removeEventListener('abort', onAbort);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const onAbort = (): void => finish(new AbortedError(what, signal?.reason));
      const send = (waitMs: number): void => {
        socket.send(datagram, remote, (error) =>
          finish(new MediaEngineError('transport', `${what} could not be sent: ${errorText(error)}`, { cause: error })),
        );
        retry = scheduler.after(waitMs, () => send(2 * waitMs));
      };
      const deadline = scheduler.after(timeoutMs, () =>
        finish(new MediaEngineError('transport', `${name} did not answer within ${timeoutMs} ms`)),
      );
      this.#waiting.set(cookie, { finish });
      if (this.#closed) finish(this.#closedError());
      else if (signal?.aborted === true) onAbort();
      else {
        signal?.addEventListener('abort', onAbort, { once: true });
        send(FIRST_RETRY_MS);
      }
    });
  }

  #receive(data: Uint8Array, from: SocketAddress): void {
    if (!sameAddress(from, this.#options.remote) || data[COOKIE_LENGTH] !== SPACE) return;
    const cookie = Buffer.from(data.buffer, data.byteOffset, COOKIE_LENGTH).toString('latin1');
    const waiting = this.#waiting.get(cookie);
    if (waiting === undefined) return;
    const answer = decodeBencode(data.subarray(COOKIE_LENGTH + 1));
    if (answer instanceof Map && typeof answer.get('result') === 'string') waiting.finish(answer);
    else waiting.finish(new MediaEngineError('transport', `${this.#options.name} sent an answer that cannot be read`));
  }
}
