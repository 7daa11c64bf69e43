import { describe, expect, test } from 'vitest';
import type { MediaEngine } from '../../../src/media/media-engine.js';
import type { MediaEvents } from '../../../src/media/media-events.js';
import type { RtpEngineOptions } from '../../../src/media/rtpengine/options.js';
import { RtpEngine } from '../../../src/media/rtpengine/rtpengine.js';
import { between, description, streamsOf, target } from '../../../src/testing/media-bench.js';
import { createWorld, type World } from '../../../src/testing/world.js';
import { FakeRtpEngine } from './fake-rtpengine.js';

const A = { address: '192.0.2.10', port: 4000 };
const B = { address: '192.0.2.20', port: 5000 };
const SDP_A = description([{ at: A }]);
const SDP_B = description([{ at: B }]);

interface Setup {
  readonly world: World;
  readonly fakes: readonly FakeRtpEngine[];
  readonly engine: RtpEngine;
}

async function setup(
  instances: number,
  options: Partial<Omit<RtpEngineOptions, 'instances'>> & { readonly weights?: readonly number[] } = {},
): Promise<Setup> {
  const world = createWorld({ seed: 3 });
  const fakes: FakeRtpEngine[] = [];
  for (let i = 0; i < instances; i++) {
    const address = `192.0.2.${50 + i}`;
    fakes.push(await new FakeRtpEngine(world.host(`rtpengine${i}`, address), address).start());
  }
  const { weights, ...rest } = options;
  const urls = fakes.map(({ url }, i) => ({ url, weight: weights?.[i] ?? 1 }));
  return { world, fakes, engine: world.use(new RtpEngine({ ...world.ports, ...rest, instances: urls })) };
}

/** Leg a offers, leg b answers; resolves to what each was told. */
async function join(engine: MediaEngine, callId = 'contract'): Promise<{ readonly toB: string; readonly toA: string }> {
  const toB = await engine.offer(between('a', 'b', SDP_A, { callId }));
  const toA = await engine.answer(between('b', 'a', SDP_B, { callId }));
  return { toB, toA };
}

const holder = (fakes: readonly FakeRtpEngine[], sdp: string): FakeRtpEngine => {
  const found = fakes.find(({ local }) => local.address === target(sdp).address);
  if (found === undefined) throw new Error(`no instance is at ${target(sdp).address}`);
  return found;
};

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );

describe('a pair of legs on one instance', () => {
  test('the offerer is the from-tag and the answerer the to-tag, whichever leg offers', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => join(engine));
    await world.run(() => engine.offer(between('b', 'a', SDP_B)));
    await world.run(() => engine.answer(between('a', 'b', SDP_A)));
    const commands = fakes[0]?.commands.filter(({ name }) => name === 'offer' || name === 'answer') ?? [];
    expect(commands.map(({ name, fields }) => [name, fields.get('from-tag'), fields.get('to-tag')])).toEqual([
      ['offer', 'a', 'b'],
      ['answer', 'a', 'b'],
      ['offer', 'b', 'a'],
      ['answer', 'b', 'a'],
    ]);
    expect(new Set(commands.map(({ fields }) => fields.get('call-id')))).toEqual(
      new Set(['["pbxkit","default","contract","a","b"]']),
    );
    await world.close();
  });

  test('the instance is told no keys, no ICE and no names: only where media is, and what', async () => {
    const { world, fakes, engine } = await setup(1);
    const lines = [
      'a=rtpmap:97 opus/48000/2',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
      'a=ice-ufrag:8hhY',
      'a=x-secret',
      'a=sendonly',
    ];
    const sdp = description([
      { at: A, protocol: 'RTP/SAVP', formats: '97', lines },
      { at: A, type: 'message', protocol: 'TCP/MSRP', formats: '*' },
    ]);
    const told = await world.run(() => engine.offer(between('a', 'b', sdp, { toAddress: '2001:db8::9' })));
    const fields = fakes[0]?.named('offer')[0]?.fields;
    expect(String(fields?.get('sdp')).split('\r\n')).toEqual([
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 0.0.0.0',
      't=0 0',
      'm=audio 4000 RTP/AVP 97',
      'c=IN IP4 192.0.2.10',
      'a=rtpmap:97 opus/48000/2',
      'a=sendonly',
      'm=audio 0 RTP/AVP 0',
      '',
    ]);
    expect(fields?.get('address family')).toBe('IP6');
    expect(streamsOf(told).map(({ address, port, protocol }) => [address, port, protocol])).toEqual([
      ['192.0.2.50', 30000, 'RTP/SAVP'],
      [A.address, A.port, 'TCP/MSRP'],
    ]);
    await world.close();
  });

  test('a description without streams that can be relayed needs no instance', async () => {
    const { world, engine } = await setup(1);
    world.network.isolate(world.pbx.host);
    const sdp = description([{ at: A, type: 'message', protocol: 'TCP/MSRP', formats: '*', lines: ['a=ice-lite'] }]);
    expect(await engine.offer(between('a', 'b', sdp))).toBe(sdp.replace('a=ice-lite\r\n', ''));
    await world.close();
  });

  test('what is no description is an error, and asks nobody', async () => {
    const { world, fakes, engine } = await setup(1);
    expect(await rejection(engine.offer(between('a', 'b', 'v=9')))).toMatchObject({ code: 'SDP_PARSE' });
    expect(fakes[0]?.named('offer')).toEqual([]);
    await world.close();
  });

  test('an answer that does not fit the description is an error', async () => {
    for (const sdp of [
      '',
      'v=0',
      description([]),
      description([{}]),
      description([{ at: { address: 'somewhere.test', port: 9 } }]),
    ]) {
      const { world, fakes, engine } = await setup(1);
      const [fake] = fakes;
      if (fake !== undefined) {
        fake.misbehave = ({ name }) =>
          name === 'offer' ? Buffer.from(`d6:result2:ok3:sdp${sdp.length}:${sdp}e`) : undefined;
      }
      const error = await world.run(() => rejection(engine.offer(between('a', 'b', SDP_A))));
      expect(error).toMatchObject({ code: 'MEDIA_ENGINE_FAILED', kind: 'remote' });
      await world.close();
    }
  });

  test('after a restart of this process the same instance has the pair under the same name', async () => {
    const { world, fakes, engine } = await setup(3);
    const { toB } = await world.run(() => join(engine));
    await world.run(() => engine.close());
    const next = world.use(new RtpEngine({ ...world.ports, instances: fakes.map(({ url }) => url) }));
    const again = await world.run(() => next.offer(between('b', 'a', SDP_B)));
    expect(target(again).address).toBe(target(toB).address);
    expect(fakes.flatMap(({ calls }) => calls)).toHaveLength(1);
    await world.close();
  });

  test('a restart of the instance costs a call its ports, not its life', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => join(engine));
    fakes[0]?.forget();
    const { toB, toA } = await world.run(() => join(engine));
    expect(target(toB)).not.toEqual(target(toA));
    expect((await world.run(() => engine.delete('contract'))).streams).toHaveLength(2);
    await world.close();
  });
});

describe('deletion and counters', () => {
  test('a leg takes its pairs with it, the call the rest', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => join(engine));
    await world.run(() => engine.offer(between('a', 'c', SDP_A)));
    await world.run(() => engine.offer(between('b', 'c', SDP_B)));
    await world.run(() => engine.delete('contract', 'c'));
    expect(fakes[0]?.calls).toEqual(['["pbxkit","default","contract","a","b"]']);
    await world.run(() => engine.delete('contract'));
    expect(fakes[0]?.calls).toEqual([]);
    expect(fakes[0]?.named('delete').map(({ fields }) => fields.get('delete-delay'))).toEqual([0, 0, 0]);
    await world.close();
  });

  test('a deletion overtakes no offer that is under way', async () => {
    const { world, fakes, engine } = await setup(1);
    const [fake] = fakes;
    if (fake !== undefined) fake.delayMs = 100;
    const offer = engine.offer(between('a', 'b', SDP_A));
    const deletion = engine.delete('contract');
    await world.run(() => Promise.all([offer, deletion]));
    expect(fake?.calls).toEqual([]);
    await world.close();
  });

  test('packets that were thrown away are not received ones; reports by RTCP tell of loss', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => join(engine));
    Object.assign(fakes[0]?.counts('a') ?? {}, { packets: 105, errors: 5, bytes: 17_200 });
    const { streams } = await world.run(() => engine.stats('contract'));
    expect(streams).toEqual([
      {
        legId: 'a',
        toLeg: 'b',
        stream: 0,
        packetsReceived: 100,
        bytesReceived: 17_200,
        packetsLost: 0,
        jitterMs: 0,
        packetsDropped: 5,
        source: { address: '192.0.2.77', port: 4000 },
      },
      {
        legId: 'b',
        toLeg: 'a',
        stream: 0,
        packetsReceived: 0,
        bytesReceived: 0,
        packetsLost: 0,
        jitterMs: 0,
        packetsDropped: 0,
      },
    ]);
    await world.close();
  });

  test('an instance that is gone leaves what was read last', async () => {
    const { world, fakes, engine } = await setup(1, { pollSeconds: 1 });
    await world.run(() => join(engine));
    Object.assign(fakes[0]?.counts('a') ?? {}, { packets: 40 });
    await world.advance({ seconds: 2 });
    world.network.isolate(world.pbx.host);
    const { streams } = await world.run(() => engine.delete('contract'));
    expect(streams.map(({ legId, packetsReceived }) => [legId, packetsReceived])).toEqual([
      ['a', 40],
      ['b', 0],
    ]);
    await world.close();
  });

  test('no more is asked of a call that is over', async () => {
    const { world, fakes, engine } = await setup(1, { pollSeconds: 1 });
    await world.run(() => join(engine));
    await world.advance({ seconds: 10 });
    expect(fakes[0]?.named('query').length).toBeGreaterThanOrEqual(9);
    await world.run(() => engine.delete('contract'));
    const before = fakes[0]?.named('query').length;
    await world.advance({ seconds: 10 });
    expect(fakes[0]?.named('query').length).toBe(before);
    await world.run(() => engine.close());
    expect(world.pbx.leaks()).toEqual([]);
    await world.close();
  });

  test('many calls are polled a few at a time', async () => {
    const { world, fakes, engine } = await setup(1, { pollSeconds: 1 });
    await world.run(() => Promise.all(Array.from({ length: 100 }, (_, i) => join(engine, `call ${i}`))));
    const [fake] = fakes;
    let most = 0;
    let open = 0;
    if (fake !== undefined) {
      fake.delayMs = 50;
      fake.misbehave = ({ name }) => {
        if (name !== 'query') return undefined;
        most = Math.max(most, ++open);
        world.clock.after(50, () => open--);
        return undefined;
      };
    }
    await world.advance({ seconds: 2 });
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(16);
    await world.close();
  });
});

describe('several instances', () => {
  test('each takes its share of the calls by weight', async () => {
    const { world, fakes, engine } = await setup(2, { weights: [1, 3] });
    const callIds = Array.from({ length: 400 }, (_, i) => `call ${i}`);
    await world.run(() => Promise.all(callIds.map((callId) => engine.offer(between('a', 'b', SDP_A, { callId })))));
    const [one = 0, three = 0] = fakes.map(({ calls }) => calls.length);
    expect(one + three).toBe(400);
    expect(one).toBeGreaterThan(70);
    expect(one).toBeLessThan(130);
    await world.close();
  });

  test('one that does not answer is passed over, at once when it is known to be down, and used again when it is back', async () => {
    const { world, fakes, engine } = await setup(2, { timeoutMs: 1_000, pingSeconds: 5, failuresUntilDown: 2 });
    const [first, second] = fakes;
    if (first !== undefined) first.misbehave = () => 'silence';
    const offers = (round: string): Promise<string[]> =>
      Promise.all(
        Array.from({ length: 10 }, (_, i) => engine.offer(between('a', 'b', SDP_A, { callId: `${round} ${i}` }))),
      );
    await world.run(() => offers('one'));
    expect(second?.calls).toHaveLength(10);
    expect(world.clock.now()).toBeLessThan(1_100);
    expect(engine.instances.map(({ up }) => up)).toEqual([false, true]);
    const before = world.clock.now();
    await world.run(() => offers('two'));
    expect(world.clock.now() - before).toBeLessThan(10);
    if (first !== undefined) first.misbehave = () => undefined;
    await world.advance({ seconds: 7 });
    expect(engine.instances.map(({ up }) => up)).toEqual([true, true]);
    await world.run(() => offers('three'));
    expect(first?.calls.length).toBeGreaterThan(0);
    expect(world.log.lines('info').map(({ level }) => level)).toEqual(['warn', 'info']);
    await world.close();
  });

  test('without calls, too, it is found out who is there', async () => {
    const { world, fakes, engine } = await setup(2);
    const [first] = fakes;
    if (first !== undefined) first.misbehave = () => 'silence';
    engine.start();
    await world.advance({ seconds: 15 });
    expect(engine.instances.map(({ up }) => up)).toEqual([false, true]);
    await world.close();
  });

  test('a call whose instance has died moves with its next offer, and keeps what was counted', async () => {
    const { world, fakes, engine } = await setup(2, { pollSeconds: 1 });
    const before = await world.run(() => join(engine));
    const dead = holder(fakes, before.toB);
    Object.assign(dead.counts('a'), { packets: 100, bytes: 17_200 });
    await world.advance({ seconds: 2 });
    dead.misbehave = () => 'silence';
    const toA = await world.run(() => engine.offer(between('b', 'a', SDP_B)));
    const toB = await world.run(() => engine.answer(between('a', 'b', SDP_A)));
    const heir = holder(fakes, toA);
    expect(heir).not.toBe(dead);
    expect(holder(fakes, toB)).toBe(heir);
    Object.assign(heir.counts('a'), { packets: 11, bytes: 1_892 });
    const { streams } = await world.run(() => engine.delete('contract'));
    expect(streams.find(({ legId }) => legId === 'a')).toMatchObject({ packetsReceived: 111, bytesReceived: 19_092 });
    await world.close();
  });

  test('one that is full or out of ports is passed over', async () => {
    for (const answer of ['d6:result10:load limite', 'd6:result5:error12:error-reason16:Ran out of portse']) {
      const { world, fakes, engine } = await setup(2);
      const [full, free] = fakes;
      if (full !== undefined) full.misbehave = ({ name }) => (name === 'offer' ? Buffer.from(answer) : undefined);
      for (let i = 0; i < 10; i++)
        await world.run(() => engine.offer(between('a', 'b', SDP_A, { callId: `call ${i}` })));
      expect(free?.calls).toHaveLength(10);
      expect(engine.instances.every(({ up }) => up)).toBe(true);
      await world.close();
    }
  });

  test('an answer has nowhere else to go', async () => {
    const { world, fakes, engine } = await setup(2);
    const toB = await world.run(() => engine.offer(between('a', 'b', SDP_A)));
    holder(fakes, toB).misbehave = () => 'silence';
    const error = await world.run(() => rejection(engine.answer(between('b', 'a', SDP_B))));
    expect(error).toMatchObject({ code: 'MEDIA_ENGINE_FAILED', kind: 'transport' });
    await world.close();
  });

  test('when none is there the error says which, and what to do', async () => {
    const { world, fakes, engine } = await setup(2, { timeoutMs: 1_000 });
    for (const fake of fakes) fake.misbehave = () => 'silence';
    const error = await world.run(() => rejection(engine.offer(between('a', 'b', SDP_A))));
    expect(error).toMatchObject({ code: 'MEDIA_ENGINE_FAILED', kind: 'transport' });
    for (const { url } of fakes) expect(String(error)).toContain(`rtpengine ${url} did not answer within 1000 ms`);
    expect(String(error)).toContain('--listen-ng');
    await world.advance({ seconds: 10 });
    const before = world.clock.now();
    const later = await world.run(() => rejection(engine.offer(between('a', 'b', SDP_A))));
    for (const { url } of fakes) expect(String(later)).toContain(`${url} is down`);
    expect(world.clock.now()).toBe(before);
    await world.close();
  });
});

describe('what the engine tells of its own accord', () => {
  test('who is heard while the other is not: once, with the cause', async () => {
    const { world, fakes, engine } = await setup(1, { pollSeconds: 1, timeouts: { oneWayMs: 3_000 } });
    const told: MediaEvents['media.oneWay'][] = [];
    engine.events.on('media.oneWay', (event) => told.push(event));
    await world.run(() => join(engine));
    const stop = flow(world, fakes, 'a', 'packets');
    await world.advance({ seconds: 10 });
    expect(told).toEqual([
      { tenantId: 'default', callId: 'contract', silentLeg: 'b', deafLeg: 'a', stream: 0, cause: 'nothing-received' },
    ]);
    const stopB = flow(world, fakes, 'b', 'packets');
    await world.advance({ seconds: 3 });
    stopB();
    const strangers = flow(world, fakes, 'b', 'errors');
    await world.advance({ seconds: 10 });
    expect(told.map(({ cause }) => cause)).toEqual(['nothing-received', 'wrong-source']);
    stop();
    strangers();
    await world.close();
  });

  test('who may not send is not missed (RFC 3264 §5.1)', async () => {
    const { world, fakes, engine } = await setup(1, { pollSeconds: 1 });
    const told: unknown[] = [];
    engine.events.on('media.oneWay', (event) => told.push(event));
    await world.run(() => engine.offer(between('a', 'b', description([{ at: A, lines: ['a=sendonly'] }]))));
    await world.run(() => engine.answer(between('b', 'a', description([{ at: B, lines: ['a=recvonly'] }]))));
    const stop = flow(world, fakes, 'a', 'packets');
    await world.advance({ seconds: 30 });
    stop();
    expect(told).toEqual([]);
    await world.close();
  });

  test('silence is lost media, later while the call is held, and also when the instance has forgotten the call', async () => {
    for (const [lines, answered, state] of [
      [[], [], 'call'],
      [['a=inactive'], ['a=inactive'], 'hold'],
    ] as const) {
      const { world, fakes, engine } = await setup(1, { pollSeconds: 1, timeouts: { callMs: 10_000, holdMs: 20_000 } });
      const told: MediaEvents['media.lost'][] = [];
      engine.events.on('media.lost', (event) => told.push(event));
      await world.run(() => engine.offer(between('a', 'b', description([{ at: A, lines }]))));
      await world.run(() => engine.answer(between('b', 'a', description([{ at: B, lines: answered }]))));
      await world.advance({ seconds: 5 });
      fakes[0]?.forget();
      await world.advance({ seconds: state === 'call' ? 4 : 14 });
      expect(told).toEqual([]);
      await world.advance({ seconds: 60 });
      expect(told).toEqual([
        { tenantId: 'default', callId: 'contract', legs: ['a', 'b'], state, silentMs: expect.any(Number) as number },
      ]);
      await world.close();
    }
  });

  test('the end of a call is told once, with what was counted', async () => {
    const { world, fakes, engine } = await setup(1);
    const told: MediaEvents['media.stats'][] = [];
    engine.events.on('media.stats', (event) => told.push(event));
    await world.run(() => join(engine));
    Object.assign(fakes[0]?.counts('b') ?? {}, { packets: 7 });
    const stats = await world.run(() => engine.delete('contract'));
    await world.run(() => engine.delete('contract'));
    expect(told).toEqual([{ tenantId: 'default', callId: 'contract', stats }]);
    expect(stats.streams.map(({ packetsReceived }) => packetsReceived)).toEqual([0, 7]);
    await world.close();
  });
});

describe('where a party sends from (RFC 7362 §4)', () => {
  const NATTED = description([{ at: { address: '192.168.1.5', port: 4000 } }]);
  const PUBLIC = '203.0.113.9';

  /** How each command said that sources are learned. */
  const learning = (fake: FakeRtpEngine | undefined): string[] =>
    (fake?.commands ?? []).flatMap(({ name, fields }) => {
      const flags = fields.get('flags');
      const flag = Array.isArray(flags)
        ? flags.find((each) => String(each).startsWith('endpoint-learning'))
        : undefined;
      return flag === undefined ? [] : [`${name} ${String(flag).slice('endpoint-learning-'.length)}`];
    });

  test('nothing is learned of a party that is where it says, and strangers are dropped', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => engine.offer(between('a', 'b', SDP_A, { fromAddress: A.address })));
    await world.run(() => engine.answer(between('b', 'a', SDP_B)));
    expect(learning(fakes[0])).toEqual(['offer off', 'answer off']);
    expect(fakes[0]?.named('offer')[0]?.fields.get('flags')).toContain('strict-source');
    await world.close();
  });

  test('a party behind NAT is expected at the address of its signalling, from any port', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => engine.offer(between('a', 'b', NATTED, { fromAddress: PUBLIC })));
    await world.run(() => engine.answer(between('b', 'a', SDP_B)));
    expect(learning(fakes[0])).toEqual(['offer heuristic', 'answer off']);
    expect(String(fakes[0]?.named('offer')[0]?.fields.get('sdp'))).toContain(`c=IN IP4 ${PUBLIC}\r\n`);
    await world.close();
  });

  test('a stranger that was taken for it is found out, and after the third nobody is believed', async () => {
    const { world, fakes, engine } = await setup(1);
    const [fake] = fakes;
    await world.run(() => engine.offer(between('a', 'b', NATTED, { fromAddress: PUBLIC })));
    await world.run(() => engine.answer(between('b', 'a', SDP_B)));
    const stop = flow(world, fakes, 'a', 'packets');
    await world.advance({ seconds: 20 });
    stop();
    expect(learning(fake)).toEqual([
      ...['offer heuristic', 'answer off'],
      ...['offer heuristic', 'answer off'],
      ...['offer heuristic', 'answer off'],
      ...['offer off', 'answer off'],
    ]);
    await world.close();
  });

  test('the party itself is not disturbed', async () => {
    const { world, fakes, engine } = await setup(1);
    const [fake] = fakes;
    if (fake !== undefined) fake.source = { address: PUBLIC, port: 61_000 };
    await world.run(() => engine.offer(between('a', 'b', NATTED, { fromAddress: PUBLIC })));
    await world.run(() => engine.answer(between('b', 'a', SDP_B)));
    const stop = flow(world, fakes, 'a', 'packets');
    await world.advance({ seconds: 20 });
    stop();
    expect(learning(fake)).toHaveLength(2);
    await world.close();
  });

  test('a party that is silent while strangers send is not looked for elsewhere', async () => {
    const { world, fakes, engine } = await setup(1);
    await world.run(() => join(engine));
    const stop = flow(world, fakes, 'b', 'errors');
    await world.advance({ seconds: 20 });
    stop();
    expect(learning(fakes[0])).toEqual(['offer off', 'answer off']);
    await world.close();
  });

  test('unless that is wanted: then it is learned within seconds, and stays learned while it says the same', async () => {
    const { world, fakes, engine } = await setup(1, { learnElsewhere: true });
    await world.run(() => join(engine));
    const stop = flow(world, fakes, 'b', 'errors');
    await world.advance({ seconds: 2 });
    stop();
    expect(learning(fakes[0])).toEqual(['offer off', 'answer off', 'offer off', 'answer heuristic']);
    const ports = (name: string): unknown[] =>
      (fakes[0]?.named(name) ?? []).map(({ fields }) => streamsOf(String(fields.get('sdp')))[0]?.port);
    expect([ports('offer'), ports('answer')]).toEqual([
      [A.port, A.port],
      [B.port, B.port + 2],
    ]);
    await world.run(() => join(engine));
    expect(learning(fakes[0]).slice(4)).toEqual(['offer off', 'answer heuristic']);
    expect(ports('answer').at(-1)).toBe(B.port + 2);
    const moved = description([{ at: { ...B, port: 7000 } }]);
    await world.run(() => engine.offer(between('b', 'a', moved)));
    expect(learning(fakes[0]).at(-1)).toBe('offer off');
    expect(ports('offer').at(-1)).toBe(7000);
    await world.close();
  });

  test('nothing is passed again of a call that is over', async () => {
    const { world, fakes, engine } = await setup(1, { learnElsewhere: true });
    await world.run(() => join(engine));
    const stop = flow(world, fakes, 'b', 'errors');
    await world.advance({ ms: 900 });
    stop();
    await world.run(() => engine.delete('contract'));
    await world.advance({ seconds: 20 });
    expect(fakes[0]?.calls).toEqual([]);
    expect(learning(fakes[0])).toHaveLength(2);
    await world.close();
  });
});

/** From now on a leg receives 10 packets each 200 ms, until the returned function is called. */
function flow(world: World, fakes: readonly FakeRtpEngine[], legId: string, what: 'packets' | 'errors'): () => void {
  let stopped = false;
  const step = (): void => {
    if (stopped) return;
    const counts = fakes[0]?.counts(legId);
    if (counts !== undefined) {
      counts.packets += 10;
      if (what === 'errors') counts.errors += 10;
    }
    world.clock.after(200, step);
  };
  step();
  return () => {
    stopped = true;
  };
}

describe('options', () => {
  const { ports } = createWorld({ seed: 1 });

  test('what cannot be used is named', () => {
    const make = (): RtpEngine =>
      new RtpEngine({
        ...ports,
        instances: [
          'tcp://127.0.0.1:1',
          'udp://localhost:1',
          'udp://::1:9',
          { url: 'udp://127.0.0.1:2223', weight: 0 },
          'udp://127.0.0.1:2223',
        ],
      });
    expect(make).toThrow(
      /^instances\[0\]: found "tcp:.*\ninstances\[1\].*\ninstances\[2\].*\ninstances\[3\]\.weight: found 0.*\ninstances\[4\]: found udp:\/\/127\.0\.0\.1:2223 a second time/,
    );
    expect(() => new RtpEngine({ ...ports, instances: [] })).toThrow('at least one');
    expect(
      () =>
        new RtpEngine({ ...ports, instances: ['udp://[::1]:2223'], timeoutMs: 0, timeouts: { callMs: Number.NaN } }),
    ).toThrow(/timeoutMs: found 0.*\ntimeouts\.callMs: found null/);
  });

  test('a closed engine takes nothing', async () => {
    const engine = new RtpEngine({ ...ports, instances: ['udp://[::1]:2223'] });
    await engine.close();
    expect(await rejection(engine.offer(between('a', 'b', SDP_A)))).toMatchObject({ code: 'PBX_WRONG_STATE' });
  });
});
