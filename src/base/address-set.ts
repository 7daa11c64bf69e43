import { UsageError } from './errors.js';
import { ipVersion, normalizeHost, parseIpv4, parseIpv6 } from './ip.js';

interface Network {
  readonly bytes: Uint8Array;
  /** Leading bits that must be equal. */
  readonly bits: number;
}

/** A set of IP addresses, given one by one or as networks: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
export class AddressSet {
  readonly #networks: readonly Network[];

  /** @throws UsageError PBX_INVALID_ARGUMENT for what is neither */
  constructor(addresses: readonly string[]) {
    this.#networks = addresses.map((text) => {
      const network = networkOf(text);
      if (network !== undefined) return network;
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `found "${text}", expected an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32`,
      );
    });
  }

  /** Whether `text` is an address or a network. */
  static accepts(text: string): boolean {
    return networkOf(text) !== undefined;
  }

  get size(): number {
    return this.#networks.length;
  }

  /** False for what is no IP literal. IPv4 addresses in IPv6 form (`::ffff:192.0.2.7`) count as IPv4. */
  has(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const bytes = bytesOf(address);
    return bytes !== undefined && this.#networks.some((network) => contains(network, bytes));
  }
}

function networkOf(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const bytes = bytesOf(slash === -1 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const width = bytes.length * 8;
  const suffix = slash === -1 ? String(width) : text.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(suffix) ? Number(suffix) : -1;
  return bits < 0 || bits > width ? undefined : { bytes, bits };
}

function bytesOf(address: string): Uint8Array | undefined {
  const literal = normalizeHost(address);
  switch (ipVersion(literal)) {
    case 4:
      return parseIpv4(literal);
    case 6:
      return parseIpv6(literal);
    default:
      return undefined;
  }
}

function contains({ bytes, bits }: Network, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[i]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((bytes[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}
