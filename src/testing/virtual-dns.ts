import { AbortedError } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import type { Scheduler } from '../base/scheduler.js';
import { DnsError } from '../net/errors.js';
import type { HostAddress } from '../net/network.js';

type Record =
  | { readonly kind: 'addresses'; readonly addresses: readonly HostAddress[] }
  | { readonly kind: 'failure'; readonly reason: string };

/** The name service of a virtual network: what a test put in, nothing else. Names are compared without regard to case. */
export class VirtualDns {
  readonly #scheduler: Scheduler;
  readonly #records = new Map<string, Record>();
  #delayMs: number;
  #queries = 0;

  constructor(options: { readonly scheduler: Scheduler; readonly delayMs?: number }) {
    this.#scheduler = options.scheduler;
    this.#delayMs = options.delayMs ?? 1;
  }

  /** How many names were looked up, IP literals left out: shows what a cache saves. */
  get queries(): number {
    return this.#queries;
  }

  /** How long an answer takes from now on, in milliseconds. */
  set delayMs(ms: number) {
    this.#delayMs = ms;
  }

  /** A and AAAA records of `host`, replacing what it had. */
  set(host: string, addresses: readonly string[], options: { readonly ttlSeconds?: number } = {}): void {
    const ttl = options.ttlSeconds === undefined ? {} : { ttlSeconds: options.ttlSeconds };
    this.#records.set(host.toLowerCase(), {
      kind: 'addresses',
      addresses: addresses.map((address) => ({ address: normalizeHost(address), ...ttl })),
    });
  }

  /** Look-ups of `host` fail from now on: by default as when the name service does not answer. */
  fail(host: string, reason: 'EAI_AGAIN' | 'ESERVFAIL' | 'ENOTFOUND' | 'ENODATA' = 'EAI_AGAIN'): void {
    this.#records.set(host.toLowerCase(), { kind: 'failure', reason });
  }

  delete(host: string): void {
    this.#records.delete(host.toLowerCase());
  }

  /** @throws DnsError (DNS_FAILED) @throws AbortedError */
  lookup(host: string, options: { readonly signal?: AbortSignal } = {}): Promise<readonly HostAddress[]> {
    const literal = normalizeHost(host);
    if (ipVersion(literal) !== 0) return Promise.resolve([{ address: literal }]);
    const { signal } = options;
    this.#queries++;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new AbortedError(`looking up "${host}"`, signal.reason));
      const cancel = this.#scheduler.after(this.#delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        // The answer is what stands in the records when it is given, not when it was asked for.
        const record = this.#records.get(literal);
        if (record?.kind === 'addresses' && record.addresses.length > 0) resolve(record.addresses);
        else reject(new DnsError(host, record?.kind === 'failure' ? record.reason : 'ENOTFOUND'));
      });
      const onAbort = (): void => {
        cancel();
        reject(new AbortedError(`looking up "${host}"`, signal?.reason));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
