import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../src/base/ip.js';
import { StunServer } from '../../src/nat/stun-server.js';
import { withFingerprint } from '../../src/protocol/stun/fingerprint.js';
import { readStunMessage } from '../../src/protocol/stun/message.js';
import { errorOf, mappedAddressOf, softwareOf, unknownAttributesOf } from '../../src/protocol/stun/read-attributes.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { createWorld } from '../../src/testing/world.js';
import { message, read } from '../protocol/stun/support.js';
import { scenario } from '../support/scenario.js';
import { ear, stunServer } from './support.js';

const SERVER = { address: '198.51.100.7', port: 3478 };

function legacy(...attributes: Parameters<typeof message> extends [number, ...infer Rest] ? Rest : never): Buffer {
  const data = message(1, ...attributes);
  data.writeUInt32BE(0x01020304, 4);
  return data;
}

describe('a STUN server', () => {
  scenario(
    'RFC 8489 §6.3.1: tells each client where its request came from, behind a NAT too',
    { seed: 1 },
    async (world) => {
      const server = await stunServer(world, world.host('stun', SERVER.address));
      const outside = await ear(world, world.host('outside', '198.51.100.20'));
      const nat = world.nat({ publicAddress: '203.0.113.1' });
      const inside = await ear(world, world.host('inside', '192.168.1.10', { behind: nat }));
      for (const each of [outside, inside]) each.send(message(1), SERVER);
      await world.advance({ seconds: 1 });
      expect(outside.heard.map(({ data }) => mappedAddressOf(read(data)))).toEqual([outside.socket.local]);
      expect(inside.heard.map(({ data }) => mappedAddressOf(read(data))?.address)).toEqual(['203.0.113.1']);
      expect(server.stats()).toMatchObject({ received: 2, answered: 2, refused: 0, malformed: 0, sources: 2 });
    },
  );

  scenario(
    'listens on any number of ports and addresses of both families, and answers from the one that was asked',
    { seed: 2 },
    async (world) => {
      const machine = world.machine({ name: 'stun', addresses: ['198.51.100.7', '198.51.100.8', '2001:db8::7'] });
      const listen = ['udp://0.0.0.0:3478', 'udp://198.51.100.8:5349', 'udp://[::]'];
      const server = await stunServer(world, machine, { listen });
      const listening = server.listening.map(formatAddress).sort();
      expect(listening).toEqual([
        '127.0.0.1:3478',
        '198.51.100.7:3478',
        '198.51.100.8:3478',
        '198.51.100.8:5349',
        '[2001:db8::7]:3478',
        '[::1]:3478',
      ]);
      const peer = world.machine({ name: 'peer', addresses: ['198.51.100.20', '2001:db8::20'] });
      const v4 = await ear(world, peer, '198.51.100.20');
      const v6 = await ear(world, peer, '2001:db8::20');
      for (const to of server.listening.filter(({ address }) => !['127.0.0.1', '::1'].includes(address))) {
        (to.address.includes(':') ? v6 : v4).send(message(1), to);
      }
      await world.advance({ seconds: 1 });
      expect(v4.heard.map(({ from }) => `${from.address}:${from.port}`).sort()).toEqual([
        '198.51.100.7:3478',
        '198.51.100.8:3478',
        '198.51.100.8:5349',
      ]);
      expect(v6.heard.map(({ data }) => mappedAddressOf(read(data)))).toEqual([v6.socket.local]);
    },
  );

  scenario('port 0 is one free port for all addresses', { seed: 3 }, async (world) => {
    const machine = world.machine({ name: 'stun', addresses: ['198.51.100.7', '198.51.100.8'] });
    const server = await stunServer(world, machine, { listen: ['udp://0.0.0.0:0'] });
    const ports = server.listening.map(({ port }) => port);
    expect(ports).toHaveLength(3);
    expect(new Set(ports).size).toBe(1);
    expect(ports[0]).toBeGreaterThan(0);
  });

  scenario('opens all addresses or none, and closes for good', { seed: 4 }, async (world) => {
    const machine = world.host('stun', SERVER.address);
    await stunServer(world, machine, { listen: ['udp://198.51.100.7:4000'] });
    const second = new StunServer({ ...machine.ports, listen: ['udp://198.51.100.7:3999', 'udp://198.51.100.7:4000'] });
    await expect(second.start()).rejects.toMatchObject({ code: 'PBX_PORT_IN_USE' });
    expect(machine.host.openSockets).toBe(1);
    await expect(second.start()).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
    const never = new StunServer({ ...machine.ports, listen: ['udp://[::]:3478'] });
    await never.close();
    await expect(never.start()).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
  });

  scenario('a family that the machine has not is an error that says so', { seed: 5 }, async (world) => {
    const machine = world.host('stun', SERVER.address);
    const network = { openUdp: machine.host.openUdp.bind(machine.host), localAddresses: () => ['198.51.100.7'] };
    const server = new StunServer({ ...machine.ports, network, listen: ['udp://[::]:3478'] });
    await expect(server.start()).rejects.toThrow(/no IPv6 address/);
  });

  test('a listening address that is none is refused at once', () => {
    const { ports } = createWorld({ seed: 6 });
    for (const text of [
      '0.0.0.0:3478',
      'tcp://0.0.0.0:3478',
      'udp://stun.example.net:3478',
      'udp://0.0.0.0:99999',
      '',
    ]) {
      expect(() => new StunServer({ ...ports, listen: ['udp://0.0.0.0:1', text] })).toThrow(/^listen\[1\]: found/);
    }
  });

  scenario('§6.3.1: what must be understood and is not gets 420, and is named', { seed: 7 }, async (world) => {
    const server = await stunServer(world, world.host('stun', SERVER.address));
    const client = await ear(world, world.host('client', '198.51.100.20'));
    client.send(message(1, [0x0003, '00000006'], [0x7777, '']), SERVER);
    await world.advance({ seconds: 1 });
    const [answer] = client.heard.map(({ data }) => read(data));
    expect(answer && [answer.class, errorOf(answer)?.code, unknownAttributesOf(answer)]).toEqual([
      'error',
      420,
      [0x0003, 0x7777],
    ]);
    expect(server.stats()).toMatchObject({ answered: 0, refused: 1 });
  });

  scenario(
    'RFC 3489: MAPPED-ADDRESS; a wish for another address is not answered, one for nothing is',
    { seed: 8 },
    async (world) => {
      const server = await stunServer(world, world.host('stun', SERVER.address));
      const client = await ear(world, world.host('client', '198.51.100.20'));
      for (const value of ['00000000', '00000002', '00000004', '00000006'])
        client.send(legacy([0x0003, value]), SERVER);
      client.send(legacy(), SERVER);
      await world.advance({ seconds: 1 });
      expect(client.heard).toHaveLength(2);
      for (const { data } of client.heard) {
        expect(read(data).attributes.map(({ type }) => type)).toEqual([0x0001]);
        expect(mappedAddressOf(read(data))).toEqual(client.socket.local);
        expect(Buffer.from(data).readUInt32BE(4)).toBe(0x01020304);
      }
      expect(server.stats()).toMatchObject({ answered: 2, changeRequests: 3 });
    },
  );

  scenario('RFC 3489 §11.2.2: RESPONSE-ADDRESS aims at nobody', { seed: 9 }, async (world) => {
    await stunServer(world, world.host('stun', SERVER.address));
    const client = await ear(world, world.host('client', '198.51.100.20'));
    const victim = await ear(world, world.host('victim', '198.51.100.66'));
    const target = Buffer.alloc(8);
    target.writeUInt8(1, 1);
    target.writeUInt16BE(victim.socket.local.port, 2);
    target.set([198, 51, 100, 66], 4);
    client.send(legacy([0x0002, target.toString('hex')]), SERVER);
    await world.advance({ seconds: 1 });
    expect(victim.heard).toEqual([]);
    expect(client.heard.map(({ data }) => errorOf(read(data))?.code)).toEqual([420]);
  });

  scenario(
    'SOFTWARE is told where the request was as large as the answer, so that nothing is made larger by it',
    { seed: 10 },
    async (world) => {
      await stunServer(world, world.host('stun', SERVER.address), { software: 'pbxkit' });
      const client = await ear(world, world.host('client', '198.51.100.20'));
      client.send(message(1), SERVER);
      client.send(message(1, [0x8022, '61'.repeat(24)]), SERVER);
      await world.advance({ seconds: 1 });
      expect(client.heard.map(({ data }) => [data.length, softwareOf(read(data))])).toEqual([
        [32, undefined],
        [44, 'pbxkit'],
      ]);
    },
  );
});

describe('attackers', () => {
  scenario(
    'bad packets are counted and nothing else: random, cut short, giant, reflected',
    { seed: 11 },
    async (world) => {
      const server = await stunServer(world, world.host('stun', SERVER.address), {
        rate: { perSecond: 1e6, burst: 1e6 },
      });
      const attacker = await ear(world, world.host('attacker', '198.51.100.66'));
      const random = new SeededRandom('packets');
      const request = withFingerprint(message(1, [0x0006, '61'.repeat(9)], [0x8022, '62'.repeat(30)]));
      let sent = 0;
      const send = (data: Uint8Array): void => {
        sent++;
        attacker.send(data, SERVER);
      };
      for (let i = 0; i < 400; i++) send(random.bytes(random.integer(120)));
      for (let end = 0; end < request.length; end++) send(request.subarray(0, end));
      for (let i = 0; i < 200; i++) {
        const changed = Buffer.from(request);
        changed[random.integer(changed.length)] = random.integer(256);
        send(changed);
      }
      send(Buffer.alloc(65_000));
      send(message(1, ...Array.from({ length: 16_000 }, () => [0x7000, ''] as const)));
      send(message(1, ...Array.from({ length: 65 }, () => [0x7000, ''] as const)));
      for (const type of [0x0101, 0x0111, 0x0011, 0x0003, 0x0113]) send(message(type));
      await world.advance({ seconds: 5 });
      const stats = server.stats();
      expect(stats.received).toBe(sent);
      expect(
        stats.answered + stats.refused + stats.malformed + stats.ignored + stats.changeRequests + stats.limited,
      ).toBe(sent);
      expect(stats.malformed).toBeGreaterThan(400);
      expect(stats.ignored).toBeGreaterThan(5);
      expect(attacker.heard).toHaveLength(stats.answered + stats.refused);
      // It still works.
      const client = await ear(world, world.host('client', '198.51.100.20'));
      client.send(message(1), SERVER);
      await world.advance({ seconds: 1 });
      expect(client.heard).toHaveLength(1);
      expect(world.log.lines('warn')).toEqual([]);
    },
  );

  scenario('two servers cannot be set on each other: an answer is not answered', { seed: 12 }, async (world) => {
    const one = await stunServer(world, world.host('one', '198.51.100.7'));
    const two = await stunServer(world, world.host('two', '198.51.100.8'));
    // As if an attacker forged the address of the first when asking the second.
    const first = world.network.find('one');
    if (first === undefined) throw new Error('no host');
    const forged = await first.openUdp({
      local: { address: '198.51.100.7', port: 3479 },
      onMessage: () => {},
      onError: () => {},
    });
    world.use(forged);
    const relay = world.machine({ name: 'relay', addresses: ['198.51.100.9'] });
    const loop = await relay.ports.network.openUdp({
      local: { address: '198.51.100.9', port: 3478 },
      // A box that throws every packet of one server at the other.
      onMessage: (data, from) =>
        loop.send(data, { address: from.address === '198.51.100.7' ? '198.51.100.8' : '198.51.100.7', port: 3478 }),
      onError: () => {},
    });
    world.use(loop);
    loop.send(message(1), { address: '198.51.100.7', port: 3478 });
    await world.advance({ seconds: 30 });
    expect(one.stats()).toMatchObject({ received: 1, answered: 1 });
    expect(two.stats()).toMatchObject({ received: 1, answered: 0, ignored: 1 });
  });

  scenario(
    'a flood from one source starves no other, and whoever was forged hears a bounded number of answers',
    { seed: 13 },
    async (world) => {
      const server = await stunServer(world, world.host('stun', SERVER.address));
      const flooder = await ear(world, world.host('flooder', '198.51.100.66'));
      const client = await ear(world, world.host('client', '198.51.100.20'));
      const FLOOD_PER_TICK = 100;
      for (let tick = 0; tick < 100; tick++) {
        for (let i = 0; i < FLOOD_PER_TICK; i++) flooder.send(message(1), SERVER);
        if (tick % 10 === 0) client.send(message(1), SERVER);
        await world.advance({ ms: 100 });
      }
      expect(client.heard).toHaveLength(10);
      // 250 at once and 50 a second for ten seconds, of ten thousand.
      expect(flooder.heard.length).toBeLessThanOrEqual(250 + 50 * 10);
      expect(flooder.heard.length).toBeGreaterThan(700);
      const { received, answered, limited } = server.stats();
      expect([received, answered + limited]).toEqual([10_010, 10_010]);
      // Slowed down, it is served again.
      await world.advance({ seconds: 10 });
      flooder.heard.length = 0;
      flooder.send(message(1), SERVER);
      await world.advance({ seconds: 1 });
      expect(flooder.heard).toHaveLength(1);
    },
  );

  scenario(
    'the networks of IPv6 count as sources, not the addresses; sources are forgotten',
    { seed: 14 },
    async (world) => {
      const machine = world.host('stun', '2001:db8:7::7');
      const server = await stunServer(world, machine, { listen: ['udp://[::]'], rate: { perSecond: 1, burst: 3 } });
      const addresses = Array.from({ length: 10 }, (_, i) => `2001:db8:66::${(i + 1).toString(16)}`);
      const attacker = world.machine({ name: 'attacker', addresses });
      const ears = await Promise.all(addresses.map((address) => ear(world, attacker, address)));
      for (const each of ears) each.send(message(1), { address: '2001:db8:7::7', port: 3478 });
      await world.advance({ ms: 500 });
      expect(ears.flatMap(({ heard }) => heard)).toHaveLength(3);
      expect(server.stats()).toMatchObject({ limited: 7, sources: 1 });
      const other = await ear(world, world.host('other', '2001:db8:67::1'));
      await world.advance({ seconds: 60 });
      other.send(message(1), { address: '2001:db8:7::7', port: 3478 });
      await world.advance({ seconds: 1 });
      expect(server.stats().sources).toBe(1);
    },
  );

  scenario(
    'an answer is at most 24 bytes larger than its request, so no lever for who forges addresses',
    { seed: 15 },
    async (world) => {
      const machine = world.machine({ name: 'stun', addresses: ['198.51.100.7', '2001:db8::7'] });
      const server = await stunServer(world, machine, {
        listen: ['udp://0.0.0.0', 'udp://[::]'],
        software: 'a server with a rather long name',
        rate: { perSecond: 1e6, burst: 1e6 },
      });
      const peer = world.machine({ name: 'peer', addresses: ['198.51.100.20', '2001:db8::20'] });
      const requests = [
        message(1),
        withFingerprint(message(1)),
        legacy(),
        legacy([0x0003, '00000000']),
        message(1, [0x7000, '']),
        message(1, ...Array.from({ length: 60 }, (_, i) => [0x7000 + i, ''] as const)),
        message(1, [0x8022, '61'.repeat(40)]),
      ];
      for (const [address, to] of [
        ['198.51.100.20', '198.51.100.7'],
        ['2001:db8::20', '2001:db8::7'],
      ] as const) {
        for (const request of requests) {
          const client = await ear(world, peer, address);
          client.send(request, { address: to, port: 3478 });
          await world.advance({ ms: 100 });
          const [answer] = client.heard;
          expect(answer && readStunMessage(answer.data)).toBeDefined();
          expect(answer?.data.length).toBeLessThanOrEqual(request.length + 24);
        }
      }
      const { bytesReceived, bytesSent } = server.stats();
      expect(bytesSent / bytesReceived).toBeLessThan(1.5);
    },
  );
});
