import { createHash } from 'node:crypto';
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Cancel, Scheduler } from '../../base/scheduler.js';
import type { Network } from '../../net/network.js';
import type { Bencoded, BencodedDictionary } from './bencode.js';
import type { InstanceAddress } from './instance-url.js';
import { MediaEngineError } from './media-engine-error.js';
import { NgClient } from './ng-client.js';

/** How instances are asked, and when they count as down. */
export interface InstancesOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly instances: readonly InstanceAddress[];
  readonly timeoutMs: number;
  readonly pingMs: number;
  /** So many commands or pings in a row without an answer: down. */
  readonly failuresUntilDown: number;
}

/** One rtpengine, and whether it is there. */
export class Instance {
  readonly url: string;
  readonly weight: number;
  readonly #client: NgClient;
  readonly #options: InstancesOptions;
  #failures = 0;
  #stopPing: Cancel = () => undefined;
  #closed = false;

  constructor(address: InstanceAddress, options: InstancesOptions) {
    this.url = address.url;
    this.weight = address.weight;
    this.#options = options;
    this.#client = new NgClient({ ...options, remote: address.remote, name: `rtpengine ${address.url}` });
  }

  get up(): boolean {
    return this.#failures < this.#options.failuresUntilDown;
  }

  /**
   * As `NgClient.request`, and takes note of whether an answer came. An answer `load limit` counts as a refusal.
   * @throws MediaEngineError, UsageError (PBX_WRONG_STATE) once closed
   */
  async ask(command: string, fields?: Readonly<Record<string, Bencoded>>): Promise<BencodedDictionary> {
    try {
      const answer = await this.#client.request(command, fields);
      this.#answered();
      if (answer.get('result') === 'load limit')
        throw new MediaEngineError('remote', `rtpengine ${this.url} takes no more calls now`);
      return answer;
    } catch (error) {
      if (error instanceof MediaEngineError && error.kind === 'transport') this.#missed(error);
      else if (error instanceof MediaEngineError) this.#answered();
      throw error;
    }
  }

  /** Asks again and again whether it is there, until `close`. */
  async keepPinging(): Promise<void> {
    try {
      await this.ask('ping');
    } catch (error) {
      this.#options.logger.debug({ instance: this.url, err: error }, 'a media engine did not answer a ping');
    }
    if (!this.#closed)
      this.#stopPing = this.#options.scheduler.after(this.#options.pingMs, () => void this.keepPinging());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopPing();
    await this.#client.close();
  }

  #answered(): void {
    const wasUp = this.up;
    this.#failures = 0;
    if (!wasUp) this.#options.logger.info({ instance: this.url }, `media engine ${this.url} is up again`);
  }

  #missed(error: Error): void {
    const wasUp = this.up;
    this.#failures++;
    if (wasUp && !this.up) {
      this.#options.logger.warn(
        { instance: this.url, err: error },
        `media engine ${this.url} is down: ${errorText(error)}`,
      );
    }
  }
}

/** The instances of an engine: which one takes what, and which of them are there. */
export class Instances {
  readonly all: readonly Instance[];
  #pinging = false;

  constructor(options: InstancesOptions) {
    this.all = options.instances.map((address) => new Instance(address, options));
  }

  /** From now on each is asked regularly whether it is there. */
  start(): void {
    if (this.#pinging) return;
    this.#pinging = true;
    for (const instance of this.all) void instance.keepPinging();
  }

  /**
   * Those that are up, in the order in which `key` prefers them: by weighted rendezvous hashing. The same key finds the same
   * instance after a restart of this process, and when one goes down only its own keys move.
   */
  rankedFor(key: string): readonly Instance[] {
    return this.all
      .filter((instance) => instance.up)
      .map((instance) => ({ instance, score: instance.weight / -Math.log(fractionOf(key, instance.url)) }))
      .sort((a, b) => b.score - a.score)
      .map(({ instance }) => instance);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((instance) => instance.close()));
  }
}

/** Between 0 and 1, both excluded, evenly spread over keys. */
function fractionOf(key: string, url: string): number {
  const digest = createHash('sha256').update(key).update('\n').update(url).digest();
  return (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
}
