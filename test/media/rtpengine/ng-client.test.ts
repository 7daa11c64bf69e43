import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NgClient } from '../../../src/media/rtpengine/ng-client.js';
import { createWorld, type World } from '../../../src/testing/world.js';
import { FakeRtpEngine } from './fake-rtpengine.js';

const ADDRESS = '192.0.2.50';

interface Setup {
  readonly world: World;
  readonly fake: FakeRtpEngine;
  readonly client: NgClient;
}

async function setup(options: { readonly timeoutMs?: number } = {}): Promise<Setup> {
  const world = createWorld({ seed: 1 });
  const fake = await new FakeRtpEngine(world.host('rtpengine', ADDRESS), ADDRESS).start();
  const client = world.use(
    new NgClient({ ...world.ports, remote: fake.local, name: fake.url, timeoutMs: options.timeoutMs ?? 2_000 }),
  );
  return { world, fake, client };
}

/** How a request ended. */
const outcome = (request: Promise<unknown>): Promise<unknown> =>
  request.then(
    () => 'answered',
    (error: unknown) => error,
  );

describe('the ng protocol over UDP', () => {
  test('a command is answered under its cookie', async () => {
    const { world, fake, client } = await setup();
    const answer = await world.run(() => client.request('ping'));
    expect([...answer]).toEqual([['result', 'pong']]);
    expect(fake.commands).toMatchObject([{ name: 'ping' }]);
    expect(client.pending).toBe(0);
    await world.close();
    expect(world.network.openSockets).toBe(1);
  });

  test('what is lost on the way there is sent again, at growing distance, and obeyed once', async () => {
    const { world, fake, client } = await setup();
    const heal = world.network.isolate(world.pbx.host);
    const request = client.request('ping');
    await world.advance({ ms: 500 });
    heal();
    await world.run(() => request);
    expect(world.trace.entries.filter(({ fromHost }) => fromHost === 'pbx').map(({ sentAt }) => sentAt)).toEqual([
      0, 200, 600,
    ]);
    expect([fake.datagrams, fake.commands.length]).toEqual([1, 1]);
    await world.close();
  });

  test('what is lost on the way back is answered from the memory of the instance', async () => {
    const { world, fake, client } = await setup();
    fake.delayMs = 300;
    await world.run(() => client.request('ping'));
    await world.advance({ seconds: 5 });
    expect([fake.datagrams, fake.commands.length]).toEqual([2, 1]);
    expect(client.pending).toBe(0);
    await world.close();
  });

  test('under loss every command is answered once', async () => {
    const world = createWorld({ seed: 7, loss: 0.3, duplicate: 0.2, delayMs: [5, 60] });
    const fake = await new FakeRtpEngine(world.host('rtpengine', ADDRESS), ADDRESS).start();
    const client = world.use(new NgClient({ ...world.ports, remote: fake.local, name: fake.url, timeoutMs: 60_000 }));
    const answers = await world.run(() => Promise.all(Array.from({ length: 50 }, () => client.request('ping'))));
    expect(answers.map((answer) => answer.get('result'))).toEqual(Array.from({ length: 50 }, () => 'pong'));
    expect(fake.commands).toHaveLength(50);
    await world.close();
  });

  test('silence ends in an error that names the instance', async () => {
    const { world, fake, client } = await setup({ timeoutMs: 1_000 });
    fake.misbehave = () => 'silence';
    const error = await world.run(() => outcome(client.request('offer')));
    expect(error).toMatchObject({
      code: 'MEDIA_ENGINE_FAILED',
      kind: 'transport',
      message: 'udp://192.0.2.50:2223 did not answer within 1000 ms',
    });
    expect(world.clock.now()).toBe(1_000);
    await world.advance({ seconds: 5 });
    expect(fake.datagrams).toBe(3);
    await world.close();
  });

  test('an error of the instance is an error, with its reason', async () => {
    const { world, client } = await setup();
    const error = await world.run(() => outcome(client.request('dance')));
    expect(error).toMatchObject({
      code: 'MEDIA_ENGINE_FAILED',
      kind: 'remote',
      message: 'udp://192.0.2.50:2223 refused "dance": Unrecognized command',
    });
    await world.close();
  });

  test('a signal ends the wait', async () => {
    const { world, fake, client } = await setup();
    fake.misbehave = () => 'silence';
    const controller = new AbortController();
    const request = outcome(client.request('offer', {}, { signal: controller.signal }));
    await world.advance({ ms: 100 });
    controller.abort('hung up');
    expect(await world.run(() => request)).toMatchObject({ code: 'PBX_ABORTED', cause: 'hung up' });
    expect(await world.run(() => outcome(client.request('offer', {}, { signal: controller.signal })))).toMatchObject({
      code: 'PBX_ABORTED',
    });
    await world.advance({ seconds: 5 });
    expect([client.pending, fake.datagrams]).toEqual([0, 1]);
    await world.close();
  });

  test('answers from elsewhere are not believed, whatever cookie they bear', async () => {
    const { world, fake, client } = await setup();
    fake.delayMs = 150;
    const forger = world.host('forger', '192.0.2.66');
    const socket = await forger.ports.network.openUdp({
      local: { address: '192.0.2.66', port: 2223 },
      onMessage: () => undefined,
      onError: () => undefined,
    });
    const request = client.request('ping');
    await world.advance({ ms: 10 });
    const [sent] = world.trace.entries;
    const cookie = Buffer.from(sent?.data ?? [])
      .toString('latin1')
      .split(' ')[0];
    if (sent === undefined) throw new Error('nothing was sent');
    socket.send(Buffer.from(`${cookie} d6:result6:forgede`), sent.source);
    expect((await world.run(() => request)).get('result')).toBe('pong');
    await world.close();
  });

  test('an answer that cannot be read ends the wait at once', async () => {
    for (const garbage of ['', 'd', 'i1e', 'd6:resulti1ee', 'd3:sdp1:xe', '\u0000\u0001']) {
      const { world, fake, client } = await setup();
      fake.misbehave = () => Buffer.from(garbage);
      expect(await world.run(() => outcome(client.request('ping')))).toMatchObject({
        code: 'MEDIA_ENGINE_FAILED',
        kind: 'transport',
        message: 'udp://192.0.2.50:2223 sent an answer that cannot be read',
      });
      expect(world.clock.now()).toBeLessThan(10);
      await world.close();
    }
  });

  test('hostile answers never throw: each ends in an answer or an error of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, bare) => {
        const { world, fake, client } = await setup({ timeoutMs: 500 });
        const socket = await world.host('other', '192.0.2.51').ports.network.openUdp({
          local: { address: '192.0.2.51', port: 2223 },
          onMessage: () => undefined,
          onError: () => undefined,
        });
        fake.misbehave = () => bytes;
        const request = outcome(client.request('ping'));
        await world.advance({ ms: 0 });
        const source = world.trace.entries[0]?.source;
        if (bare && source !== undefined) socket.send(bytes, source);
        const end = await world.run(() => request);
        if (end !== 'answered') expect(end).toMatchObject({ code: 'MEDIA_ENGINE_FAILED' });
        await world.close();
      }),
      { numRuns: 60 },
    );
  });

  test('a command that fits no datagram is an error at once', async () => {
    const { world, client } = await setup();
    const error = await world.run(() => outcome(client.request('offer', { sdp: 'x'.repeat(70_000) })));
    expect(error).toMatchObject({ code: 'MEDIA_ENGINE_FAILED', kind: 'transport' });
    expect(String(error)).toContain('could not be sent');
    await world.close();
  });

  test('who waits when it is closed is told, and who comes later too', async () => {
    const { world, fake, client } = await setup();
    fake.misbehave = () => 'silence';
    const request = outcome(client.request('offer'));
    await world.advance({ ms: 10 });
    await world.run(() => client.close());
    expect(await request).toMatchObject({ code: 'PBX_WRONG_STATE' });
    expect(await outcome(client.request('ping'))).toMatchObject({ code: 'PBX_WRONG_STATE' });
    expect(world.pbx.leaks()).toEqual([]);
    await world.close();
  });
});
