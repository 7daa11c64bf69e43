import { describe, expect } from 'vitest';
import { mappedAddressOf } from '../../src/protocol/stun/read-attributes.js';
import { sipSightings } from '../../src/testing/sightings.js';
import { message, read } from '../protocol/stun/support.js';
import { scenario } from '../support/scenario.js';
import { Office, ROUTER, STUN, toldIn } from './office-behind-nat.js';
import { ear, stunServer } from './support.js';

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
