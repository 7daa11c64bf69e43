import { describe, expect, test } from 'vitest';
import { createPbx } from '../../src/pbx/pbx.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';
import { headerOf, messagesOf } from '../support/wire.js';

describe('createPbx', () => {
  test('throws for options that cannot be used, before anything is opened', () => {
    expect(() => createPbx({ domain: '' })).toThrow(expect.objectContaining({ code: 'PBX_CONFIG_INVALID' }));
  });

  test('opens nothing', () =>
    runScenario({ seed: 1 }, async (world) => {
      const pbx = createPbx({ domain: DOMAIN, listen: ['udp://192.0.2.1'], ...world.ports });
      await world.advance({ seconds: 10 });
      expect(world.leaks()).toEqual([]);
      expect([pbx.listening, pbx.calls]).toEqual([[], []]);
      await world.run(() => pbx.close());
    }));
});

describe('the life of a PBX', () => {
  test('listens where it was told, on a port of its own choice too, and nowhere after close()', () =>
    runScenario({ seed: 2 }, async (world) => {
      const pbx = createPbx({ domain: DOMAIN, listen: ['udp://192.0.2.1:0', 'tcp://192.0.2.1:5070'], ...world.ports });
      await world.run(() => pbx.start());
      const [udp, tcp] = pbx.listening;
      expect(udp).toMatchObject({ protocol: 'udp', local: { address: '192.0.2.1' } });
      expect(udp?.local.port).toBeGreaterThan(0);
      expect(tcp).toMatchObject({ protocol: 'tcp', local: { address: '192.0.2.1', port: 5070 } });
      await world.run(() => Promise.all([pbx.close(), pbx.close()]));
      await world.run(() => pbx.close());
      expect(pbx.listening).toEqual([]);
    }));

  test('`await using` closes it', () =>
    runScenario({ seed: 3 }, async (world) => {
      await world.run(async () => {
        await using pbx = createPbx({ domain: DOMAIN, listen: ['udp://192.0.2.1:5060'], ...world.ports });
        await pbx.start();
        expect(pbx.listening).toHaveLength(1);
      });
      expect(world.leaks()).toEqual([]);
    }));

  test('after close() it neither starts nor takes changes', () =>
    runScenario({ seed: 4 }, async (world) => {
      const pbx = createPbx({ domain: DOMAIN, listen: ['udp://192.0.2.1:5060'], ...world.ports });
      await world.run(() => pbx.close());
      await expect(pbx.start()).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
      expect(() => pbx.reconfigure({})).toThrow(expect.objectContaining({ code: 'PBX_WRONG_STATE' }));
    }));

  officeScenario('draining a PBX without calls is done at once, twice as well', {}, async (office, world) => {
    await world.run(() => office.pbx.drain());
    await world.run(() => office.pbx.drain());
    expect(office.pbx.listening).toHaveLength(2);
  });

  officeScenario('a signal that has fired already does not wait', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call } = await office.talk(alice, bob);
    await world.run(() => office.pbx.drain({ signal: AbortSignal.abort() }));
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await office.quiet();
  });
});

describe('calls as the host sees them', () => {
  officeScenario(
    '`calls` has the record of each that lives; the events tell its life in order',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const told: string[] = [];
      for (const name of ['call.started', 'call.ringing', 'call.answered', 'call.ended'] as const) {
        office.pbx.on(name, ({ tenantId, record }) => told.push(`${name} ${tenantId} ${record.called}`));
      }
      const once: string[] = [];
      office.pbx.once('call.started', ({ record }) => once.push(record.id));
      const { call } = await office.talk(alice, bob);
      expect(office.pbx.calls).toMatchObject([{ id: once[0], caller: '100', called: '101', talkMs: 0 }]);
      call.hangUp();
      await world.until(() => office.records.length === 1);
      expect(office.pbx.calls).toEqual([]);
      expect(told).toEqual([
        'call.started default 101',
        'call.ringing default 101',
        'call.answered default 101',
        'call.ended default 101',
      ]);
      await office.quiet();
    },
  );

  officeScenario('a listener that throws harms neither the call nor the others', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    office.pbx.on('call.started', () => {
      throw new Error('a bug of the host');
    });
    const off = office.pbx.on('call.answered', () => {
      throw new Error('never heard');
    });
    off();
    const { call } = await office.talk(alice, bob);
    call.hangUp();
    await office.quiet();
    expect(office.records).toHaveLength(1);
    expect(world.log.lines('error').map((line) => String((line.fields['err'] as Error).message))).toEqual([
      'a bug of the host',
    ]);
  });

  officeScenario('endCall() hangs both sides up; it says whether there was such a call', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    expect(office.pbx.endCall('no such call')).toBe(false);
    expect(office.pbx.endCall(office.pbx.calls[0]?.id ?? '')).toBe(true);
    await world.until(call.ended());
    await world.until(answered.ended());
    expect(office.record.legs).toMatchObject([
      { outcome: 'answered', releasedBy: 'server' },
      { outcome: 'answered', releasedBy: 'server' },
    ]);
    await office.quiet();
  });

  officeScenario('endCall() of a call that rings: the caller gets 480, the phone CANCEL', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101');
    const call = alice.call('101');
    await world.until(call.ringing());
    expect(office.pbx.endCall(office.pbx.calls[0]?.id ?? '')).toBe(true);
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 480 });
    await office.quiet();
    expect(messagesOf(world, '101').map((each) => each.method)).toContain('CANCEL');
    expect(office.records).toHaveLength(1);
  });
});

describe('limits', () => {
  officeScenario(
    'more calls than `maxCalls`: 503 with Retry-After',
    { pbx: { calls: { maxCalls: 1 } } },
    async (office, world) => {
      const [alice, bob, carol] = [
        await office.registered('100'),
        await office.registered('101'),
        await office.registered('102'),
      ];
      const { call } = await office.talk(alice, bob);
      const refused = carol.call('101');
      await world.until(refused.ended());
      expect(refused.state).toMatchObject({ status: 503 });
      const answer = messagesOf(world, '102').find((each) => each.status === 503);
      expect(headerOf(answer as never, 'Retry-After')).toBe('10');
      office.pbx.reconfigure({ calls: { maxCalls: 2 } });
      const again = carol.call('103');
      await world.until(again.ended());
      expect(again.state).toMatchObject({ status: 480 });
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'more dialogs than `maxDialogs`: 503',
    { pbx: { limits: { maxDialogs: 2 } } },
    async (office, world) => {
      const [alice, bob, carol] = [
        await office.registered('100'),
        await office.registered('101'),
        await office.registered('102'),
      ];
      const { call } = await office.talk(alice, bob);
      const refused = carol.call('101');
      await world.until(refused.ended());
      expect(refused.state).toMatchObject({ status: 503 });
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('what comes from outside', () => {
  officeScenario('a datagram that is no SIP is told as an event', {}, async (office, world) => {
    const problems: string[] = [];
    office.pbx.on('message.malformed', ({ remote, problem }) => problems.push(`${remote.address} ${problem}`));
    const peer = await RawPeer.open(world);
    peer.send('INVITE this is not SIP\r\n\r\n');
    await world.advance({ seconds: 1 });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^10\.1\.0\.1 /);
  });

  officeScenario(
    'admit: nothing of a peer that is not admitted is read',
    { pbx: { admit: ({ remote }) => remote.address !== '10.1.0.1' } },
    async (office, world) => {
      const peer = await RawPeer.open(world);
      peer.dial('101');
      await world.advance({ seconds: 1 });
      expect(peer.received).toEqual([]);
      await office.registered('100');
    },
  );

  officeScenario(
    'serverName is told in Server and User-Agent, and nothing without it',
    { pbx: { serverName: 'office/1' } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call } = await office.talk(alice, bob);
      call.hangUp();
      await office.quiet();
      const invite = messagesOf(world, '101').find((each) => each.method === 'INVITE');
      expect(headerOf(invite as never, 'User-Agent')).toBe('office/1');
      const ok = messagesOf(world, '100').find((each) => each.status === 200 && each.fromHost === 'pbx');
      expect(headerOf(ok as never, 'Server')).toBe('office/1');
    },
  );

  officeScenario(
    'a request for another domain gets 404, one for an alias is served',
    { pbx: { aliases: ['alias.test'] } },
    async (office, world) => {
      const peer = await RawPeer.open(world);
      const stranger = peer.dial('100', { uri: 'sip:100@elsewhere.test', to: '<sip:100@elsewhere.test>' });
      stranger.ackFailure(await peer.expect('404 INVITE'));
      const alias = peer.dial('100', { uri: 'sip:100@ALIAS.test', to: '<sip:100@alias.test>' });
      alias.ackFailure(await peer.expect('407 INVITE'));
      await office.quiet();
      await world.advance({ seconds: 1 });
    },
  );
});
