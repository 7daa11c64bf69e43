import { describe, expect, test } from 'vitest';
import type { UdpSocket } from '../../src/net/network.js';
import { createWorld, type World } from '../../src/testing/world.js';
import { runScenario, scenario } from '../support/scenario.js';

const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

const message = (startLine: string, cseq: string, callId = 'abc@host'): Uint8Array =>
  bytes(`${startLine}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\nContent-Length: 0\r\n\r\n`);

/** Two hosts that answer an INVITE by 180 and 200. */
async function smallCall(world: World): Promise<UdpSocket> {
  const alice = world.host('alice', '10.0.0.2');
  const sockets: UdpSocket[] = [];
  const onError = (error: Error): void => {
    throw error;
  };
  await world.run(async () => {
    const pbx = await world.ports.network.openUdp({
      local: { address: '192.0.2.1', port: 5060 },
      onMessage: (_data, from) => {
        pbx.send(message('SIP/2.0 180 Ringing', '1 INVITE'), from);
        world.ports.scheduler.after(2000, () => pbx.send(message('SIP/2.0 200 OK', '1 INVITE'), from));
      },
      onError,
    });
    const phone = await alice.ports.network.openUdp({
      local: { address: '10.0.0.2', port: 5060 },
      onMessage: () => {},
      onError,
    });
    sockets.push(world.use(pbx), world.use(phone));
  });
  const [pbx, phone] = sockets as [UdpSocket, UdpSocket];
  phone.send(message('INVITE sip:bob@192.0.2.1 SIP/2.0', '1 INVITE'), pbx.local);
  return phone;
}

describe('World', () => {
  test('run lets time pass until the work has settled and gives its result', async () => {
    const world = createWorld({ seed: 1 });
    const value = await world.run(async () => {
      await new Promise<void>((resolve) => world.ports.scheduler.after(5000, resolve));
      return 42;
    });
    expect(value).toBe(42);
    expect(world.clock.now()).toBe(5000);
    await expect(
      world.run(async () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
  });

  test('run and until give up after their limit, and say so', async () => {
    const world = createWorld({ seed: 9 });
    const tick = (): void => void world.clock.after(1000, tick);
    tick();
    await expect(world.run(() => new Promise<never>(() => {}), { seconds: 30 })).rejects.toMatchObject({
      code: 'TEST_TIME_LIMIT',
      message: expect.stringContaining('seed 9'),
    });
    expect(world.clock.now()).toBe(30_000);
    await expect(world.until(() => world.clock.now() > 90_000, { seconds: 30 })).rejects.toMatchObject({
      code: 'TEST_TIME_LIMIT',
    });
  });

  test('until takes a condition or a promise', async () => {
    const world = createWorld({ seed: 1 });
    let ringing = false;
    world.clock.after(300, () => {
      ringing = true;
    });
    await world.until(() => ringing);
    expect(world.clock.now()).toBe(300);
    await world.until(new Promise<void>((resolve) => world.clock.after(700, resolve)));
    expect(world.clock.now()).toBe(1000);
    await world.advance({ minutes: 1, seconds: 2, ms: 3 });
    expect(world.clock.now()).toBe(63_003);
  });

  test('a killed machine loses its timers and its sockets; a restarted one begins anew', async () => {
    const world = createWorld({ seed: 1 });
    const seen: string[] = [];
    const open = (name: string): Promise<UdpSocket> =>
      world.ports.network.openUdp({
        local: { address: '192.0.2.1', port: 5060 },
        onMessage: (data) => seen.push(`${name} got ${text(data)}`),
        onError: () => {},
      });
    const first = await open('first');
    world.ports.scheduler.after(1000, () => seen.push('timer of the dead'));
    const firstTokens = world.ports.random.token();
    world.pbx.restart();
    expect(world.ports.random.token()).not.toBe(firstTokens);
    await open('second');
    const peer = world.host('peer', '10.0.0.9');
    const socket = await peer.ports.network.openUdp({
      local: { address: '10.0.0.9', port: 0 },
      onMessage: (data) => seen.push(`peer got ${text(data)}`),
      onError: () => {},
    });
    first.send(bytes('from the grave'), socket.local);
    socket.send(bytes('hello'), { address: '192.0.2.1', port: 5060 });
    await world.advance({ seconds: 2 });
    expect(seen).toEqual(['second got hello']);
    expect(world.leaks()).toEqual(['pbx: udp 192.0.2.1:5060', 'peer: udp 10.0.0.9:49152']);
  });

  test('machines have random streams and wall clocks of their own', () => {
    const world = createWorld({ seed: 1 });
    const other = world.host('other', '192.0.2.2');
    expect(other.ports.random.token()).not.toBe(world.ports.random.token());
    other.jumpWallTime(60_000);
    expect(other.ports.scheduler.wallTime() - world.ports.scheduler.wallTime()).toBe(60_000);
    expect(createWorld({ seed: 1 }).host('other', '192.0.2.2').ports.random.token()).toBe(
      createWorld({ seed: 1 }).host('other', '192.0.2.2').ports.random.token(),
    );
  });

  test('the ladder of a small call', async () => {
    const world = createWorld({ seed: 1, delayMs: 20 });
    await smallCall(world);
    await world.advance({ seconds: 5 });
    expect(`\n${world.ladder()}\n`).toMatchInlineSnapshot(`
      "
                  pbx                        alice
                   │                           │
          0.000    │◀───────INVITE (1)─────────│  A  +20 ms
          0.020    │──180 Ringing (1 INVITE)──▶│  A  +20 ms
          2.020    │─────200 OK (1 INVITE)────▶│  A  +20 ms
                   │                           │

      A = abc@host
      "
    `);
    await world.close();
    expect(world.leaks()).toEqual([]);
  });
});

describe('scenario', () => {
  scenario('closes what it was given and finds nothing left', { seed: 1, loss: 0.1 }, async (world) => {
    await smallCall(world);
    await world.advance({ seconds: 5 });
  });

  test('a failure carries the seed, the ladder and the log', async () => {
    const failure = runScenario({ seed: 77 }, async (world) => {
      await smallCall(world);
      await world.advance({ seconds: 1 });
      world.ports.logger.warn({ callId: 'abc' }, 'something odd');
      expect(1).toBe(2);
    });
    await expect(failure).rejects.toThrow(
      /expected 1 to be 2[\s\S]*seed 77[\s\S]*INVITE \(1\)[\s\S]*something odd callId=abc/,
    );
  });

  test('whatever is left open fails: sockets and timers', async () => {
    const failure = runScenario({ seed: 1 }, async (world) => {
      await world.ports.network.openUdp({
        local: { address: '0.0.0.0', port: 5060 },
        onMessage: () => {},
        onError: () => {},
      });
      world.ports.scheduler.after(32_000, () => {});
    });
    await expect(failure).rejects.toThrow(/pbx: udp 0\.0\.0\.0:5060\n\s+pbx: 1 timer\(s\), due at 32\.000 s/);
  });
});
