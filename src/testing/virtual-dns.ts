import { AbortedError } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import type { Scheduler } from '../base/scheduler.js';
import type { DnsQueryOptions, HostAddress, NameService, NaptrRecord, SrvRecord } from '../net/dns.js';
import { DnsError } from '../net/errors.js';

/** How a name service may fail, in the words of Node.js: the last two say that there is no such name, or no such record. */
export type VirtualDnsFailure = 'EAI_AGAIN' | 'ESERVFAIL' | 'ETIMEOUT' | 'ENOTFOUND' | 'ENODATA';

/** The kinds of records that can be asked for; `host`: the system's own look-up. */
export type VirtualDnsQuestion = 'host' | 'A' | 'AAAA' | 'SRV' | 'NAPTR';

/** An SRV record as a test writes it; priority and weight are 0 where they are left out. */
export type VirtualSrv = Pick<SrvRecord, 'port' | 'target'> & Partial<Pick<SrvRecord, 'priority' | 'weight'>>;

/** A NAPTR record as a test writes it: order and preference are 0 and flags `s` where they are left out. */
export type VirtualNaptr = Pick<NaptrRecord, 'service' | 'replacement'> & Partial<NaptrRecord>;

interface Zone {
  addresses?: readonly HostAddress[];
  srv?: readonly SrvRecord[];
  naptr?: readonly NaptrRecord[];
  failure?: VirtualDnsFailure;
}

interface Ttl {
  readonly ttlSeconds?: number;
}

/** The name service of a virtual network: what a test put in, nothing else. Names are compared without regard to case. */
export class VirtualDns implements NameService {
  readonly #scheduler: Scheduler;
  readonly #zones = new Map<string, Zone>();
  readonly #asked: string[] = [];
  #delayMs: number;

  constructor(options: { readonly scheduler: Scheduler; readonly delayMs?: number }) {
    this.#scheduler = options.scheduler;
    this.#delayMs = options.delayMs ?? 1;
  }

  /** How many questions were asked, IP literals left out: shows what a cache saves. */
  get queries(): number {
    return this.#asked.length;
  }

  /** The questions in their order: `SRV _sip._udp.office.example`. */
  get asked(): readonly string[] {
    return this.#asked;
  }

  /** How long an answer takes from now on, in milliseconds. */
  set delayMs(ms: number) {
    this.#delayMs = ms;
  }

  /** A and AAAA records of `host`, replacing those that it had. */
  set(host: string, addresses: readonly string[], options: Ttl = {}): void {
    this.#change(host, { addresses: addresses.map((address) => ({ address: normalizeHost(address), ...options })) });
  }

  /** SRV records of `name`, such as `_sip._udp.office.example`, replacing those that it had. */
  setSrv(name: string, records: readonly VirtualSrv[], options: Ttl = {}): void {
    this.#change(name, { srv: records.map((record) => ({ priority: 0, weight: 0, ...record, ...options })) });
  }

  /** NAPTR records of `name`, replacing those that it had. */
  setNaptr(name: string, records: readonly VirtualNaptr[], options: Ttl = {}): void {
    const defaults = { order: 0, preference: 0, flags: 's', regexp: '' };
    this.#change(name, { naptr: records.map((record) => ({ ...defaults, ...record, ...options })) });
  }

  /** Every question about `host` fails from now on: by default as when the name service does not answer. */
  fail(host: string, reason: VirtualDnsFailure = 'EAI_AGAIN'): void {
    this.#zones.set(host.toLowerCase(), { failure: reason });
  }

  delete(host: string): void {
    this.#zones.delete(host.toLowerCase());
  }

  /** @throws DnsError (DNS_FAILED) @throws AbortedError */
  lookup(host: string, options: DnsQueryOptions = {}): Promise<readonly HostAddress[]> {
    const literal = normalizeHost(host);
    if (ipVersion(literal) !== 0) return Promise.resolve([{ address: literal }]);
    return this.#ask('host', host, options, ({ addresses }) => addresses);
  }

  /** @throws DnsError (DNS_FAILED) @throws AbortedError */
  resolveAddresses(host: string, family: 4 | 6, options: DnsQueryOptions = {}): Promise<readonly HostAddress[]> {
    return this.#ask(family === 4 ? 'A' : 'AAAA', host, options, ({ addresses }) =>
      addresses?.filter(({ address }) => ipVersion(address) === family),
    );
  }

  /** @throws DnsError (DNS_FAILED) @throws AbortedError */
  resolveSrv(name: string, options: DnsQueryOptions = {}): Promise<readonly SrvRecord[]> {
    return this.#ask('SRV', name, options, ({ srv }) => srv);
  }

  /** @throws DnsError (DNS_FAILED) @throws AbortedError */
  resolveNaptr(name: string, options: DnsQueryOptions = {}): Promise<readonly NaptrRecord[]> {
    return this.#ask('NAPTR', name, options, ({ naptr }) => naptr);
  }

  #change(name: string, records: Zone): void {
    const { failure: _, ...zone } = this.#zones.get(name.toLowerCase()) ?? {};
    this.#zones.set(name.toLowerCase(), { ...zone, ...records });
  }

  #ask<Answer>(
    question: VirtualDnsQuestion,
    name: string,
    { signal }: DnsQueryOptions,
    read: (zone: Zone) => readonly Answer[] | undefined,
  ): Promise<readonly Answer[]> {
    this.#asked.push(`${question} ${name.toLowerCase()}`);
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new AbortedError(`looking up "${name}"`, signal.reason));
      const cancel = this.#scheduler.after(this.#delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        // The answer is what stands in the records when it is given, not when it was asked for.
        const zone = this.#zones.get(name.toLowerCase());
        const found = zone === undefined ? undefined : read(zone);
        if (found !== undefined && found.length > 0) resolve(found);
        else reject(new DnsError(name, zone?.failure ?? absence(zone)));
      });
      const onAbort = (): void => {
        cancel();
        reject(new AbortedError(`looking up "${name}"`, signal?.reason));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** A name with other records exists all the same. */
function absence(zone: Zone | undefined): VirtualDnsFailure {
  const exists = [zone?.addresses, zone?.srv, zone?.naptr].some(
    (records) => records !== undefined && records.length > 0,
  );
  return exists ? 'ENODATA' : 'ENOTFOUND';
}
