/** What may end a question to the name service before it is answered. */
export interface DnsQueryOptions {
  readonly signal?: AbortSignal;
}

/** An address that a name has. */
export interface HostAddress {
  readonly address: string;
  /** Seconds for which the answer may be kept, where the source tells. */
  readonly ttlSeconds?: number;
}

/** Where a service runs: RFC 2782. */
export interface SrvRecord {
  /** 0 to 65535; the lowest is tried first. */
  readonly priority: number;
  /** 0 to 65535; the share among records of one priority. */
  readonly weight: number;
  readonly port: number;
  /** A name without the dot at its end; `''`: the service is decidedly not available. */
  readonly target: string;
  readonly ttlSeconds?: number;
}

/** A rule that names a service: RFC 3403 §4. */
export interface NaptrRecord {
  /** 0 to 65535; the lowest goes first, whatever the preference. */
  readonly order: number;
  /** 0 to 65535; the lowest goes first among records of one order. */
  readonly preference: number;
  /** `s`: `replacement` has SRV records. */
  readonly flags: string;
  /** Such as `SIP+D2U`. */
  readonly service: string;
  readonly regexp: string;
  /** A name without the dot at its end. */
  readonly replacement: string;
  readonly ttlSeconds?: number;
}

/**
 * The name service. Every method rejects with DnsError (DNS_FAILED) when there is no answer, and `DnsError.notFound` tells
 * a name or record that does not exist from a service that failed; with AbortedError when the signal fires first.
 */
export interface NameService {
  /** By the system's own rules: its hosts file, then DNS, whatever else it is set up for. Tells no TTL as a rule. */
  lookup(host: string, options?: DnsQueryOptions): Promise<readonly HostAddress[]>;
  /** A records (4) or AAAA records (6), from DNS alone. */
  resolveAddresses(host: string, family: 4 | 6, options?: DnsQueryOptions): Promise<readonly HostAddress[]>;
  /** SRV records in no particular order. */
  resolveSrv(name: string, options?: DnsQueryOptions): Promise<readonly SrvRecord[]>;
  /** NAPTR records in no particular order. */
  resolveNaptr(name: string, options?: DnsQueryOptions): Promise<readonly NaptrRecord[]>;
}
