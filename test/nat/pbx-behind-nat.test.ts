import { describe, expect } from 'vitest';
import type { TcpConnection } from '../../src/net/network.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import { mappedAddressOf } from '../../src/protocol/stun/read-attributes.js';
import type { Machine } from '../../src/testing/machine.js';
import type { Nat } from '../../src/testing/nat.js';
import { type SipSighting, sipSightings } from '../../src/testing/sightings.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { message, read } from '../protocol/stun/support.js';
import { RawPeer } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import { ear, stunServer } from './support.js';

const DOMAIN = 'office.test';
const ROUTER = '203.0.113.200';
const STUN = '198.51.100.7';

/** An office whose PBX stands at 10.0.0.2 behind a router, with phones on both sides. */
class Office {
  readonly nat: Nat;
  readonly machine: Machine;
  readonly pbx: Pbx;

  constructor(
    readonly world: World,
    options: Partial<PbxOptions> = { externalAddress: { stun: [STUN] } },
  ) {
    this.nat = world.nat({ publicAddress: ROUTER, kind: 'full-cone' });
    this.machine = world.host('server', '10.0.0.2', { behind: this.nat });
    this.pbx = world.use(
      createPbx({
        domain: DOMAIN,
        listen: ['udp://10.0.0.2:5060'],
        extensions: ['100', '101', '102'].map((number) => ({ number, password: `secret-${number}` })),
        ...this.machine.ports,
        ...options,
      }),
      this.machine,
    );
  }

  /** The public port behind which the PBX's SIP socket stands. */
  get port(): number {
    const found = this.nat.mappings(this.world.clock.now()).find(({ inner }) => inner.port === 5060);
    if (found === undefined) throw new Error('the router has no mapping for the SIP socket');
    return found.publicPort;
  }

  async inside(number: string): Promise<VirtualPhone> {
    const machine = this.world.host(`inside ${number}`, `10.0.0.${number}`, { behind: this.nat });
    const server = { address: '10.0.0.2', port: 5060 };
    return this.#registered(
      this.world.use(new VirtualPhone({ machine, number, domain: DOMAIN, password: `secret-${number}`, server })),
    );
  }

  /** At home, behind a router of its own. */
  async outside(number: string): Promise<VirtualPhone> {
    return this.#registered(
      this.world.phone(`sip:${number}@${DOMAIN}`, {
        password: `secret-${number}`,
        server: { address: this.nat.publicAddress, port: this.port },
        behindNat: 'full-cone',
        name: `outside ${number}`,
      }),
    );
  }

  async #registered(phone: VirtualPhone): Promise<VirtualPhone> {
    const { status } = await this.world.run(() => phone.register());
    if (status !== 200) throw new Error(`could not register: ${status}`);
    return phone;
  }

  /** `from` calls `to`, both talk, `to` hangs up; what the PBX has sent to either meanwhile. */
  async call(from: VirtualPhone, to: VirtualPhone): Promise<Record<'from' | 'to', readonly SipSighting[]>> {
    const { world } = this;
    const begin = world.clock.now();
    const next = to.incoming();
    const call = from.call(to.number);
    const answered = await world.run(() => next);
    answered.answer();
    await world.until(call.talking());
    await world.advance({ ms: 200 });
    answered.hangUp();
    await world.until(() => call.state.kind === 'ended');
    await world.advance({ seconds: 1 });
    expect(call.state).toMatchObject({ kind: 'ended', by: 'other-side' });
    const sent = sipSightings(world.trace).filter(({ at, fromHost }) => at >= begin && fromHost === 'server');
    const toHost = (name: string): readonly SipSighting[] => sent.filter((each) => each.toHost === name);
    return { from: toHost(`inside ${from.number}`), to: toHost(`outside ${to.number}`) };
  }
}

/** Takes every REGISTER that comes by TCP, and keeps what its Contact names. */
class TcpCarrier {
  readonly contacts: string[] = [];
  connections = 0;
  readonly #world: World;
  readonly #address: string;

  constructor(world: World, address: string) {
    this.#world = world;
    this.#address = address;
  }

  async open(): Promise<void> {
    const machine = this.#world.host('carrier', this.#address);
    const listener = await machine.host.listenTcp({
      local: { address: this.#address, port: 5060 },
      onConnection: (connection) => this.#serve(connection),
      onError: () => {},
    });
    this.#world.use(listener);
  }

  #serve(connection: TcpConnection): void {
    this.connections++;
    this.#world.use({ close: async () => connection.destroy() });
    connection.handle({
      onClose: () => {},
      onData: (data) => {
        const text = Buffer.from(data).toString('latin1');
        if (!text.startsWith('REGISTER')) return;
        const contact = /^Contact: (.*)\r/m.exec(text)?.[1] ?? '';
        this.contacts.push(/@([^>]+)/.exec(contact)?.[1] ?? '');
        const copied = text.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line));
        const to = /^To: (.*)\r/m.exec(text)?.[1];
        const lines = [
          'SIP/2.0 200 OK',
          ...copied,
          `To: ${to};tag=c`,
          `Contact: ${contact};expires=3600`,
          'Content-Length: 0',
        ];
        connection.send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
      },
    });
  }
}

/** The hosts with ports that stand in Contact and in the topmost Via of these. */
function toldIn(messages: readonly SipSighting[]): {
  readonly contact: readonly string[];
  readonly via: readonly string[];
} {
  const find = (text: string, pattern: RegExp): string[] => pattern.exec(text)?.slice(1) ?? [];
  return {
    contact: [...new Set(messages.flatMap(({ text }) => find(text, /^Contact: .*?<sip:(?:[^@>]*@)?([^;>]+)/im)))],
    via: [
      ...new Set(
        messages
          .filter(({ method }) => method !== undefined)
          .flatMap(({ text }) => find(text, /^Via: SIP\/2\.0\/UDP ([^;\s]+)/im)),
      ),
    ],
  };
}

describe('a PBX behind a NAT', () => {
  scenario(
    'STUN: peers outside are told the public address in Via and Contact, peers inside the private one',
    { seed: 1, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const office = new Office(world);
      await world.run(() => office.pbx.start());
      const external = `${ROUTER}:${office.port}`;
      const inside = await office.inside('100');
      const outside = await office.outside('101');
      const sent = await office.call(inside, outside);
      expect(toldIn(sent.to)).toEqual({ contact: [external], via: [external] });
      expect(toldIn(sent.from)).toEqual({ contact: ['10.0.0.2:5060'], via: ['10.0.0.2:5060'] });
      expect(office.pbx.stats().externalAddresses).toEqual([
        {
          local: { address: '10.0.0.2', port: 5060 },
          mapped: { address: ROUTER, port: office.port },
          external: { address: ROUTER, port: office.port },
          mapping: 'unknown',
          server: { address: STUN, port: 3478 },
          fresh: true,
        },
      ]);
    },
  );

  scenario(
    'without this knowledge peers outside are told a private address: the fault that it cures',
    { seed: 2, delayMs: 5 },
    async (world) => {
      world.host('carrier', '198.51.100.30');
      const office = new Office(world, {
        lines: [{ name: 'city', server: '198.51.100.30', username: '1234', password: 'secret' }],
      });
      await world.run(() => office.pbx.start());
      await world.advance({ seconds: 1 });
      const registers = sipSightings(world.trace).filter(({ method }) => method === 'REGISTER');
      expect(toldIn(registers)).toEqual({ contact: ['10.0.0.2:5060'], via: ['10.0.0.2:5060'] });
      expect(office.pbx.stats().externalAddresses).toBeUndefined();
    },
  );

  scenario(
    'the STUN server is gone: the address stays, calls go on, and it is said once',
    { seed: 3, delayMs: 5 },
    async (world) => {
      const stun = world.host('stun', STUN);
      await stunServer(world, stun);
      const office = new Office(world);
      await world.run(() => office.pbx.start());
      const external = `${ROUTER}:${office.port}`;
      world.network.isolate(stun.host);
      await world.advance({ minutes: 5 });
      const inside = await office.inside('100');
      const outside = await office.outside('101');
      const sent = await office.call(inside, outside);
      expect(toldIn(sent.to)).toEqual({ contact: [external], via: [external] });
      expect(world.log.lines('warn').map(({ text }) => text)).toEqual([
        `no STUN server answers 10.0.0.2:5060: peers outside are told ${external} as before`,
      ]);
    },
  );

  scenario('the router gets another address: that one is told from then on', { seed: 4, delayMs: 5 }, async (world) => {
    await stunServer(world, world.host('stun', STUN));
    const office = new Office(world);
    await world.run(() => office.pbx.start());
    world.network.readdress(office.nat, '203.0.113.201');
    await world.advance({ seconds: 30 });
    const external = `203.0.113.201:${office.port}`;
    const inside = await office.inside('100');
    const outside = await office.outside('101');
    const sent = await office.call(inside, outside);
    expect(toldIn(sent.to)).toEqual({ contact: [external], via: [external] });
  });

  scenario(
    'a carrier is told the public address from the first REGISTER on',
    { seed: 5, delayMs: 20 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      world.host('carrier', '198.51.100.30');
      const office = new Office(world, {
        externalAddress: { stun: [STUN] },
        lines: [{ name: 'city', server: '198.51.100.30', username: '1234', password: 'secret' }],
      });
      await world.run(() => office.pbx.start());
      await world.advance({ seconds: 20 });
      const registers = sipSightings(world.trace).filter(({ method }) => method === 'REGISTER');
      const external = `${ROUTER}:${office.port}`;
      expect(toldIn(registers)).toEqual({ contact: [external], via: [external] });
    },
  );

  scenario('who asks for the public address itself asks for us', { seed: 6, delayMs: 5 }, async (world) => {
    await stunServer(world, world.host('stun', STUN));
    const office = new Office(world);
    await world.run(() => office.pbx.start());
    const phone = world.phone(`sip:100@${ROUTER}`, {
      password: 'secret-100',
      server: { address: ROUTER, port: office.port },
      behindNat: 'full-cone',
    });
    expect((await world.run(() => phone.register())).status).toBe(200);
    const stranger = world.phone('sip:100@203.0.113.77', {
      password: 'secret-100',
      server: { address: ROUTER, port: office.port },
      behindNat: 'full-cone',
    });
    expect((await world.run(() => stranger.register())).status).not.toBe(200);
  });

  scenario(
    'a static address: told with the port of the socket, at once and without STUN',
    { seed: 7, delayMs: 5 },
    async (world) => {
      const office = new Office(world, {
        externalAddress: '203.0.113.99',
        lines: [{ name: 'city', server: '198.51.100.30', username: '1234', password: 'secret' }],
      });
      world.host('carrier', '198.51.100.30');
      await world.run(() => office.pbx.start());
      expect(world.clock.now()).toBe(0);
      await world.advance({ seconds: 1 });
      const registers = sipSightings(world.trace).filter(({ method }) => method === 'REGISTER');
      expect(toldIn(registers)).toEqual({ contact: ['203.0.113.99:5060'], via: ['203.0.113.99:5060'] });
      const inside = await office.inside('100');
      expect((await world.run(() => inside.register())).contacts).toHaveLength(1);
    },
  );

  scenario(
    'local networks that are named: a branch behind a tunnel is told the private address',
    { seed: 8, delayMs: 5 },
    async (world) => {
      const office = new Office(world, {
        externalAddress: '203.0.113.99',
        localNetworks: ['198.51.100.0/24'],
        trunks: [
          { name: 'branch', server: '198.51.100.30' },
          { name: 'carrier', server: '198.18.0.30' },
        ],
      });
      for (const [name, address] of [
        ['branch', '198.51.100.30'],
        ['carrier', '198.18.0.30'],
      ] as const)
        world.host(name, address);
      await world.run(() => office.pbx.start());
      await world.advance({ minutes: 2 });
      const options = sipSightings(world.trace).filter(({ method }) => method === 'OPTIONS');
      expect(toldIn(options.filter(({ toHost }) => toHost === 'branch')).via).toEqual(['10.0.0.2:5060']);
      expect(toldIn(options.filter(({ toHost }) => toHost === 'carrier')).via).toEqual(['203.0.113.99:5060']);
    },
  );
});

describe('the address outside changes', () => {
  const AFTER = '203.0.113.201';
  const account = { server: '198.51.100.30', password: 'secret' };

  scenario(
    'lines register anew with the new Contact, each once, no more than ten a second',
    { seed: 12, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const carrier = await RawPeer.open(world, { name: 'carrier', address: '198.51.100.30' });
      carrier.onMessage = (request) =>
        carrier.respond(request, 200, { contact: `${request.header('Contact')};expires=3600`, toTag: 'carrier' });
      const office = new Office(world, {
        externalAddress: { stun: [STUN] },
        lines: Array.from({ length: 30 }, (_, i) => ({ ...account, name: `line-${i}`, username: String(1000 + i) })),
      });
      await world.run(() => office.pbx.start());
      await world.advance({ minutes: 2 });
      const registers = () => carrier.received.filter(({ method }) => method === 'REGISTER');
      expect(registers()).toHaveLength(30);
      world.network.readdress(office.nat, AFTER);
      const [before, since] = [registers().length, world.clock.now()];
      await world.advance({ seconds: 40 });
      const anew = registers().slice(before);
      expect(anew).toHaveLength(30);
      for (const { at, text } of anew) {
        expect(at).toBeGreaterThan(since);
        expect(text).toContain(`@${AFTER}:${office.port}>`);
        const inThatSecond = anew.filter((each) => each.at >= at && each.at < at + 1000);
        expect(inThatSecond.length).toBeLessThanOrEqual(11);
      }
      expect(new Set(anew.map((each) => each.header('To'))).size).toBe(30);
    },
  );

  scenario(
    'a line by TCP leaves the connection that is dead, and registers by another',
    { seed: 13, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const carrier = new TcpCarrier(world, '198.51.100.30');
      await carrier.open();
      const office = new Office(world, {
        listen: ['udp://10.0.0.2:5060', 'tcp://10.0.0.2:5060'],
        externalAddress: { stun: [STUN] },
        lines: [{ ...account, server: 'sip:198.51.100.30;transport=tcp', name: 'city', username: '1234' }],
      });
      await world.run(() => office.pbx.start());
      await world.advance({ minutes: 2 });
      // The UDP port has another number outside; the TCP port is that of the listener.
      expect(carrier.contacts).toEqual([`${ROUTER}:5060;transport=tcp`]);
      expect(office.port).not.toBe(5060);
      world.network.readdress(office.nat, AFTER);
      await world.advance({ seconds: 40 });
      expect(carrier.contacts).toEqual([`${ROUTER}:5060;transport=tcp`, `${AFTER}:5060;transport=tcp`]);
      expect(carrier.connections).toBe(2);
    },
  );

  scenario(
    'a relayed call: who is outside is told the new address for media and in Contact, who is inside what it knows',
    { seed: 14, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const office = new Office(world, { externalAddress: { stun: [STUN] }, media: { path: 'relay' } });
      await world.run(() => office.pbx.start());
      const [inside, outside] = [await office.inside('100'), await office.outside('101')];
      const next = outside.incoming();
      const call = inside.call('101');
      const answered = await world.run(() => next);
      answered.answer();
      await world.until(call.talking());
      await world.advance({ seconds: 5 });
      const told = () =>
        [call, answered].map(({ media }) => /^c=IN IP4 (\S+)\r/m.exec(media.remote ?? '')?.[1] ?? '');
      expect(told()).toEqual(['10.0.0.2', ROUTER]);
      const since = world.clock.now();
      world.network.readdress(office.nat, AFTER);
      await world.advance({ seconds: 40 });
      expect(told()).toEqual(['10.0.0.2', AFTER]);
      const invites = sipSightings(world.trace).filter(
        ({ at, method, fromHost }) => at >= since && method === 'INVITE' && fromHost === 'server',
      );
      const toldTo = (host: string) => toldIn(invites.filter(({ toHost }) => toHost === host)).contact;
      expect(toldTo('outside 101')).toEqual([`${AFTER}:${office.port}`]);
      expect(toldTo('inside 100')).toEqual(['10.0.0.2:5060']);
      // One round is enough.
      const rounds = invites.length;
      await world.advance({ minutes: 5 });
      expect(
        sipSightings(world.trace).filter(
          ({ at, method, fromHost }) => at >= since && method === 'INVITE' && fromHost === 'server',
        ),
      ).toHaveLength(rounds);
      // Its requests come to where we are now.
      answered.hangUp();
      await world.until(() => call.state.kind === 'ended');
      await world.advance({ seconds: 40 });
      expect(office.pbx.calls).toEqual([]);
    },
  );
});

describe('a STUN server beside the PBX', () => {
  scenario('is opened and closed with it, on its own ports, and counted', { seed: 9, delayMs: 5 }, async (world) => {
    const office = new Office(world, {
      stun: { listen: ['udp://0.0.0.0:3478', 'udp://10.0.0.2:5349'] },
      serverName: 'office',
    });
    await world.run(() => office.pbx.start());
    const client = await ear(world, world.host('client', '10.0.0.77', { behind: office.nat }));
    for (const port of [3478, 5349, 5060]) client.send(message(1), { address: '10.0.0.2', port });
    await world.advance({ seconds: 1 });
    expect(client.heard.map(({ data }) => mappedAddressOf(read(data)))).toEqual(Array(3).fill(client.socket.local));
    expect(office.pbx.stats().stun).toMatchObject({ received: 2, answered: 2 });
    expect(office.pbx.stats().transport.stun).toBe(1);
    await world.run(() => office.pbx.close());
    expect(office.machine.leaks()).toEqual([]);
  });

  scenario('a port that is taken stops the start, and nothing stays open', { seed: 10, delayMs: 5 }, async (world) => {
    const office = new Office(world, { stun: { listen: ['udp://10.0.0.2:5060'] } });
    await expect(world.run(() => office.pbx.start())).rejects.toMatchObject({ code: 'PBX_PORT_IN_USE' });
    expect(office.machine.leaks()).toEqual([]);
  });

  scenario('closing while the first question is under way leaves nothing', { seed: 11, delayMs: 5 }, async (world) => {
    const office = new Office(world, { externalAddress: { stun: ['198.51.100.66'] } });
    const starting = office.pbx.start().then(
      () => 'started',
      () => 'refused',
    );
    await world.advance({ seconds: 2 });
    await world.run(() => office.pbx.close());
    await world.advance({ seconds: 60 });
    await world.run(() => starting);
    expect(office.machine.leaks()).toEqual([]);
  });
});
