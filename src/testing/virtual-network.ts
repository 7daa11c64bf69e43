import { UsageError } from '../base/errors.js';
import { ipVersion, normalizeHost, type SocketAddress } from '../base/ip.js';
import { inSeries, Link, type LinkConditions } from './link.js';
import type { ClockScope, ManualClock } from './manual-clock.js';
import { Nat, type NatOptions } from './nat.js';
import type { Packet } from './packet.js';
import type { SeededRandom } from './seeded-random.js';
import { type Fate, type OpenTraceEntry, Trace } from './trace.js';
import { VirtualDns } from './virtual-dns.js';
import { VirtualHost, type VirtualHostOptions } from './virtual-host.js';
import { ShownCertificates } from './virtual-tls.js';

export interface VirtualNetworkOptions {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  /** What every path does unless a link says otherwise. Default: 1 ms delay, nothing lost. */
  readonly conditions?: LinkConditions;
  /** TCP segments of so many bytes: fixed, or drawn from a range, which cuts messages in odd places. Default 1460. */
  readonly segmentBytes?: number | readonly [number, number];
  /** Silence after which a TCP connection with unacknowledged data is given up. Default 15 min, as Linux does. */
  readonly tcpGiveUpMs?: number;
  readonly trace?: Trace;
}

/** The hosts and boxes that share one address space: the public one, or the inside of one NAT box. */
interface Site {
  readonly hosts: Map<string, VirtualHost>;
  readonly nats: Map<string, Nat>;
}

interface Partition {
  readonly a: ReadonlySet<VirtualHost>;
  readonly b: ReadonlySet<VirtualHost>;
}

/** A packet on its way after translation: seen from `source`, about to enter the site inside `site` towards `to`. */
interface Routed {
  readonly source: SocketAddress;
  readonly site: Nat | undefined;
}

const PUBLIC = undefined;

/**
 * Machines, NAT boxes and the paths between them, on a manual clock. What is lost, late, doubled or overtaken follows
 * from the seed; each direction between two hosts has a random stream of its own, so new traffic on one path leaves
 * the others as they were. ICMP is not modelled: a datagram to nobody is lost without a word.
 */
export class VirtualNetwork {
  readonly dns: VirtualDns;
  readonly trace: Trace;
  /** May be replaced at any time. */
  conditions: LinkConditions;
  readonly #scope: ClockScope;
  readonly #random: SeededRandom;
  readonly #segmentRandom: SeededRandom;
  readonly #options: VirtualNetworkOptions;
  readonly #sites = new Map<Nat | undefined, Site>([[PUBLIC, { hosts: new Map(), nats: new Map() }]]);
  readonly #hosts: VirtualHost[] = [];
  readonly #links = new Map<string, Link>();
  readonly #pairConditions = new Map<string, LinkConditions>();
  readonly #partitions = new Set<Partition>();
  readonly #shownCertificates = new ShownCertificates();

  constructor(options: VirtualNetworkOptions) {
    this.#options = options;
    this.#scope = options.clock.scope();
    this.#random = options.random.fork('network');
    this.#segmentRandom = this.#random.fork('segments');
    this.conditions = options.conditions ?? {};
    this.trace = options.trace ?? new Trace();
    this.dns = new VirtualDns({ scheduler: this.#scope });
  }

  get hosts(): readonly VirtualHost[] {
    return this.#hosts;
  }

  /** Packets and look-ups under way, retransmissions that wait included. */
  get inFlight(): number {
    return this.#scope.pending;
  }

  /** UDP sockets and TCP listeners that are open on living hosts. */
  get openSockets(): number {
    return this.#hosts.reduce((sum, host) => sum + host.openSockets, 0);
  }

  /** TCP connection ends that are open on living hosts. */
  get openConnections(): number {
    return this.#hosts.reduce((sum, host) => sum + host.openConnections, 0);
  }

  /** Adds a machine. @throws UsageError if its name or an address is taken, or it has no address */
  host(options: VirtualHostOptions): VirtualHost {
    const host = new VirtualHost(options, {
      scheduler: this.#scope,
      dns: this.dns,
      transmit: (from, packet, settled) => this.#transmit(from, packet, settled),
      nextSegmentBytes: () => this.#nextSegmentBytes(),
      tcpGiveUpMs: this.#options.tcpGiveUpMs ?? 900_000,
      shownCertificates: this.#shownCertificates,
    });
    const site = this.#site(options.behind);
    if (host.addresses.length === 0) throw new UsageError('PBX_INVALID_ARGUMENT', `host ${host.name} has no address`);
    if (this.find(host.name) !== undefined)
      throw new UsageError('PBX_INVALID_ARGUMENT', `a host ${host.name} is there already`);
    for (const address of host.addresses) {
      if (ipVersion(address) === 0) throw new UsageError('PBX_INVALID_ARGUMENT', `"${address}" is no IP address`);
      this.#mustBeFree(site, address);
    }
    for (const address of host.addresses) site.hosts.set(address, host);
    this.#hosts.push(host);
    return host;
  }

  /** Adds a NAT box; hosts are put behind it by `host({ behind })`. @throws UsageError if its public address is taken */
  nat(options: NatOptions): Nat {
    const nat = new Nat({ ...options, publicAddress: normalizeHost(options.publicAddress) });
    const outside = this.#site(nat.behind);
    this.#mustBeFree(outside, nat.publicAddress);
    outside.nats.set(nat.publicAddress, nat);
    this.#sites.set(nat, { hosts: new Map(), nats: new Map() });
    return nat;
  }

  /** The provider gives a NAT box another public address; its mappings are gone. @throws UsageError if it is taken */
  readdress(nat: Nat, publicAddress: string): void {
    const outside = this.#site(nat.behind);
    const address = normalizeHost(publicAddress);
    this.#mustBeFree(outside, address);
    outside.nats.delete(nat.publicAddress);
    outside.nats.set(address, nat);
    nat.moveTo(address);
  }

  find(name: string): VirtualHost | undefined {
    return this.#hosts.find((host) => host.name === name);
  }

  /** Conditions between two hosts, both ways, before all others; undefined takes them away. */
  setLink(a: VirtualHost, b: VirtualHost, conditions: LinkConditions | undefined): void {
    for (const key of [pairKey(a, b), pairKey(b, a)]) {
      if (conditions === undefined) this.#pairConditions.delete(key);
      else this.#pairConditions.set(key, conditions);
    }
  }

  /** Cuts two groups of hosts off from each other until the returned function is called. */
  partition(a: readonly VirtualHost[], b: readonly VirtualHost[]): () => void {
    const partition: Partition = { a: new Set(a), b: new Set(b) };
    this.#partitions.add(partition);
    return () => {
      this.#partitions.delete(partition);
    };
  }

  /** Cuts one host off from all others, present ones, until the returned function is called. */
  isolate(host: VirtualHost): () => void {
    return this.partition(
      [host],
      this.#hosts.filter((each) => each !== host),
    );
  }

  /** Ends every partition. */
  heal(): void {
    this.#partitions.clear();
  }

  #site(nat: Nat | undefined): Site {
    const site = this.#sites.get(nat);
    if (site === undefined) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `${nat?.name} is no NAT box of this network: make it with network.nat()`,
      );
    }
    return site;
  }

  #mustBeFree(site: Site, address: string): void {
    if (!site.hosts.has(address) && !site.nats.has(address)) return;
    throw new UsageError('PBX_INVALID_ARGUMENT', `the address ${address} is taken by another host or NAT box`);
  }

  #nextSegmentBytes(): number {
    const size = this.#options.segmentBytes ?? 1460;
    if (typeof size === 'number') return size;
    return size[0] + this.#segmentRandom.integer(size[1] - size[0] + 1);
  }

  #transmit(sender: VirtualHost, sent: Packet, settled?: (arrived: boolean) => void): void {
    const now = this.#scope.now();
    const address = normalizeHost(sent.to.address);
    const packet = address === sent.to.address ? sent : { ...sent, to: { address, port: sent.to.port } };
    const local = sender.owns(packet.to.address);
    const routed = local ? { source: packet.from, site: sender.behind } : this.#leave(sender, packet);
    const target = local ? sender : routed === undefined ? undefined : this.#locate(routed.site, packet);
    const record = (duplicate: boolean): OpenTraceEntry =>
      this.trace.record({
        number: 0,
        sentAt: now,
        protocol: packet.protocol,
        segment: packet.segment,
        duplicate,
        fromHost: sender.name,
        toHost: target?.name,
        from: packet.from,
        source: routed?.source ?? packet.from,
        to: packet.to,
        data: packet.data,
        fate: 'in flight',
        settledAt: undefined,
      });
    let failure: Fate | undefined;
    let arrivals: readonly number[] = [];
    if (routed === undefined || target === undefined) failure = 'nobody';
    else if (this.#cut(sender, target)) failure = 'partitioned';
    else {
      arrivals = this.#arrivals(sender, target, packet);
      if (arrivals.length === 0) failure = 'lost';
    }
    if (routed === undefined || failure !== undefined) {
      const entry = record(false);
      entry.fate = failure ?? 'nobody';
      entry.settledAt = now;
      settled?.(false);
      return;
    }
    for (const [index, arrival] of arrivals.entries()) {
      const entry = record(index > 0);
      this.#scope.at(arrival, () => {
        entry.fate = local ? this.#hand(sender, packet) : this.#arrive(sender, packet, routed, entry);
        entry.settledAt = this.#scope.now();
        settled?.(entry.fate === 'delivered');
      });
    }
  }

  /** Out of the sender's site, through as many boxes as it takes; undefined where no site has the destination. */
  #leave(sender: VirtualHost, packet: Packet): Routed | undefined {
    const now = this.#scope.now();
    let nat = sender.behind;
    let source = packet.from;
    for (;;) {
      const site = this.#site(nat);
      if (site.hosts.has(packet.to.address) || site.nats.has(packet.to.address)) return { source, site: nat };
      if (nat === undefined) return undefined;
      if (packet.to.address === nat.publicAddress && !nat.hairpin) return undefined;
      source = nat.outbound(packet.protocol, source, packet.to, now);
      nat = nat.behind;
    }
  }

  /** Where a packet would end if every filter let it in: which path it takes must be known when it is sent. */
  #locate(at: Nat | undefined, packet: Packet): VirtualHost | undefined {
    let site = this.#site(at);
    let to = packet.to;
    for (;;) {
      const host = site.hosts.get(to.address);
      const nat = site.nats.get(to.address);
      if (host !== undefined || nat === undefined) return host;
      const inner = nat.holder(packet.protocol, to.port, this.#scope.now());
      // Nobody behind that port now: any host inside stands for the path to the box.
      if (inner === undefined) return this.#hosts.find((each) => each.behind === nat);
      to = inner;
      site = this.#site(nat);
    }
  }

  #arrivals(sender: VirtualHost, target: VirtualHost, packet: Packet): readonly number[] {
    const now = this.#scope.now();
    if (sender === target) return [now];
    const link = this.#link(sender, target);
    const conditions = this.#conditionsBetween(sender, target);
    if (packet.protocol === 'udp') return link.datagram(conditions, now, packet.data.length);
    const arrival = link.segment(conditions, now);
    return arrival === undefined ? [] : [arrival];
  }

  #arrive(sender: VirtualHost, packet: Packet, routed: Routed, entry: OpenTraceEntry): Fate {
    const now = this.#scope.now();
    let site = this.#site(routed.site);
    let to = packet.to;
    for (;;) {
      const host = site.hosts.get(to.address);
      if (host !== undefined) {
        entry.toHost = host.name;
        if (this.#cut(sender, host)) return 'partitioned';
        return this.#hand(host, { ...packet, from: routed.source, to });
      }
      const nat = site.nats.get(to.address);
      if (nat === undefined) return 'nobody';
      const inner = nat.inbound(packet.protocol, to.port, routed.source, now);
      if (inner === undefined) return 'blocked';
      to = inner;
      site = this.#site(nat);
    }
  }

  #hand(host: VirtualHost, packet: Packet): Fate {
    return host.receive(packet) ? 'delivered' : 'nobody';
  }

  #cut(a: VirtualHost, b: VirtualHost): boolean {
    for (const partition of this.#partitions) {
      if ((partition.a.has(a) && partition.b.has(b)) || (partition.a.has(b) && partition.b.has(a))) return true;
    }
    return false;
  }

  #conditionsBetween(a: VirtualHost, b: VirtualHost): LinkConditions {
    const pair = this.#pairConditions.get(pairKey(a, b));
    if (pair !== undefined) return pair;
    if (a.link !== undefined && b.link !== undefined) return inSeries(a.link, b.link);
    return a.link ?? b.link ?? this.conditions;
  }

  #link(a: VirtualHost, b: VirtualHost): Link {
    const key = pairKey(a, b);
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link(this.#random.fork(key));
      this.#links.set(key, link);
    }
    return link;
  }
}

function pairKey(a: VirtualHost, b: VirtualHost): string {
  return `${a.name} > ${b.name}`;
}
