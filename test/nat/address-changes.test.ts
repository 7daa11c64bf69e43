import { describe, expect } from 'vitest';
import type { TcpConnection } from '../../src/net/network.js';
import { sipSightings } from '../../src/testing/sightings.js';
import type { World } from '../../src/testing/world.js';
import { RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import { Office, ROUTER, STUN, toldIn } from './office-behind-nat.js';
import { stunServer } from './support.js';

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
    'twice while a line registers: the registrar is told the last address, not the one between',
    { seed: 17, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const carrier = await RawPeer.open(world, { name: 'carrier', address: '198.51.100.30' });
      const LAST = '203.0.113.202';
      const held: WireMessage[] = [];
      let isHeld = (_: WireMessage): boolean => false;
      const grant = (request: WireMessage): void =>
        carrier.respond(request, 200, { contact: `${request.header('Contact')};expires=3600`, toTag: 'carrier' });
      carrier.onMessage = (request) => (isHeld(request) ? held.push(request) : grant(request));
      const office = new Office(world, {
        externalAddress: { stun: [STUN] },
        lines: [{ ...account, name: 'city', username: '1234' }],
      });
      await world.run(() => office.pbx.start());
      await world.advance({ minutes: 2 });
      const told = () => carrier.received.map((each) => /@([^:>]+)/.exec(each.header('Contact') ?? '')?.[1]);
      expect(told()).toEqual([ROUTER]);
      isHeld = ({ text }) => text.includes(`@${AFTER}:`);
      world.network.readdress(office.nat, AFTER);
      await world.until(() => held.length > 0, { minutes: 2 });
      world.network.readdress(office.nat, LAST);
      let noticed = false;
      office.pbx.on('nat.changed', () => {
        noticed = true;
      });
      await world.until(() => noticed, { minutes: 2 });
      // The way that it came by is gone.
      grant({ ...(held[0] as WireMessage), from: { address: LAST, port: office.port } });
      await world.advance({ minutes: 2 });
      expect(told().at(-1)).toBe(LAST);
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
      const told = () => [call, answered].map(({ media }) => /^c=IN IP4 (\S+)\r/m.exec(media.remote ?? '')?.[1] ?? '');
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

  scenario(
    'with two UDP listeners it changes twice, and each party of a relayed call gets one re-INVITE',
    { seed: 15, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const office = new Office(world, {
        listen: ['udp://10.0.0.2:5060', 'udp://10.0.0.2:5062'],
        externalAddress: { stun: [STUN] },
        media: { path: 'relay' },
      });
      let changes = 0;
      office.pbx.on('nat.changed', ({ previous }) => {
        if (previous !== undefined) changes++;
      });
      await world.run(() => office.pbx.start());
      const [inside, outside] = [await office.inside('100'), await office.outside('101')];
      const next = outside.incoming();
      const call = inside.call('101');
      const answered = await world.run(() => next);
      answered.answer();
      await world.until(call.talking());
      await world.advance({ seconds: 5 });
      const since = world.clock.now();
      world.network.readdress(office.nat, AFTER);
      await world.advance({ seconds: 60 });
      expect(changes).toBe(2);
      expect(mediaAddressTold(answered)).toBe(AFTER);
      expect(new Set(invitesOf(world, since, 'outside 101')).size).toBe(1);
      expect(new Set(invitesOf(world, since, 'inside 100')).size).toBe(1);
      answered.hangUp();
      await world.until(() => call.state.kind === 'ended');
    },
  );

  scenario(
    'while a carrier rings: it is told the new address for media when it has answered',
    { seed: 16, delayMs: 5 },
    async (world) => {
      await stunServer(world, world.host('stun', STUN));
      const carrier = await RawPeer.open(world, { name: 'carrier', address: '198.51.100.30' });
      const office = new Office(world, {
        externalAddress: { stun: [STUN] },
        media: { path: 'relay' },
        trunks: [{ name: 'carrier', server: '198.51.100.30', qualifySeconds: 0 }],
        dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'carrier' } }] },
      });
      await world.run(() => office.pbx.start());
      const inside = await office.inside('100');
      const call = inside.call('0123');
      const invite = await carrier.expect('INVITE');
      expect(invite.body).toContain(`c=IN IP4 ${ROUTER}\r`);
      carrier.respond(invite, 180, { toTag: 'c' });
      await world.advance({ ms: 100 });
      world.network.readdress(office.nat, AFTER);
      await world.advance({ seconds: 40 });
      const answers = { toTag: 'c', body: rawSdp('198.51.100.30') };
      // The way that the INVITE came by is gone.
      carrier.respond({ ...invite, from: { address: AFTER, port: office.port } }, 200, answers);
      const again = await carrier.expect((message) => message.method === 'INVITE' && message.cseq > invite.cseq);
      expect(again.body).toContain(`c=IN IP4 ${AFTER}\r`);
      carrier.respond(again, 200, { ...answers, body: rawSdp('198.51.100.30', 4000, 2) });
      await world.advance({ minutes: 5 });
      expect(new Set(invitesOf(world, 0, 'carrier')).size).toBe(2);
      call.hangUp();
      carrier.respond(await carrier.expect('BYE'), 200);
      await world.advance({ seconds: 1 });
    },
  );
});

function mediaAddressTold(call: { readonly media: { readonly remote: string | undefined } }): string | undefined {
  return /^c=IN IP4 (\S+)\r/m.exec(call.media.remote ?? '')?.[1];
}

/** The CSeq of each INVITE that the server has sent to a host; a retransmission has that of the first. */
function invitesOf(world: World, since: number, host: string): string[] {
  return sipSightings(world.trace)
    .filter(
      ({ at, method, fromHost, toHost }) =>
        at >= since && method === 'INVITE' && fromHost === 'server' && toHost === host,
    )
    .map(({ text }) => /^CSeq: (.*)\r/m.exec(text)?.[1] ?? '');
}
