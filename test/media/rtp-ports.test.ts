import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import { PortPool } from '../../src/media/port-pool.js';
import { RtpPorts } from '../../src/media/rtp-ports.js';
import { createWorld, type World } from '../../src/testing/world.js';

const HERE = '192.0.2.1';

interface Got {
  readonly port: 'rtp' | 'rtcp';
  readonly text: string;
  readonly from: SocketAddress;
}

function setUp(range: { from: number; to: number } = { from: 20_000, to: 20_018 }) {
  const world = createWorld({ seed: 1 });
  const { network, scheduler, random } = world.ports;
  const pool = new PortPool({ ...range, quarantineMs: 1000, scheduler, random });
  const got: Got[] = [];
  const open = (address = HERE): Promise<RtpPorts> =>
    RtpPorts.open({
      network,
      address,
      pool,
      onRtp: (data, from) => got.push({ port: 'rtp', text: Buffer.from(data).toString(), from }),
      onRtcp: (data, from) => got.push({ port: 'rtcp', text: Buffer.from(data).toString(), from }),
    });
  return { world, network, pool, got, open };
}

async function peer(world: World, port: number) {
  const got: { readonly text: string; readonly from: SocketAddress }[] = [];
  const socket = await world.host('peer', '10.0.0.1').ports.network.openUdp({
    local: { address: '10.0.0.1', port },
    onMessage: (data, from) => got.push({ text: Buffer.from(data).toString(), from }),
    onError: (error) => {
      throw error;
    },
  });
  return { socket, got };
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe('RTP ports', () => {
  test('RFC 3550 §11: a pair is bound, and what comes on each port is told apart', async () => {
    const { world, got, open } = setUp();
    const ports = await open();
    expect(ports.local).toEqual(ports.rtp.local);
    expect(ports.local.port % 2).toBe(0);
    expect(ports.rtcp.local).toEqual({ address: HERE, port: ports.local.port + 1 });
    const { socket } = await peer(world, 4000);
    socket.send(bytes('media'), ports.rtp.local);
    socket.send(bytes('report'), ports.rtcp.local);
    await world.advance({ ms: 10 });
    expect(got).toEqual([
      { port: 'rtp', text: 'media', from: socket.local },
      { port: 'rtcp', text: 'report', from: socket.local },
    ]);
    await ports.close();
  });

  test('RFC 4961: what is sent leaves by the ports on which is received', async () => {
    const { world, open } = setUp();
    const ports = await open();
    const { socket, got } = await peer(world, 4000);
    ports.sendRtp(bytes('media'), socket.local);
    ports.sendRtcp(bytes('report'), socket.local);
    await world.advance({ ms: 10 });
    expect(got).toEqual([
      { text: 'media', from: ports.rtp.local },
      { text: 'report', from: ports.rtcp.local },
    ]);
    await ports.close();
  });

  test.each(['the even one', 'the odd one'])(
    'goes on to another pair where another program holds %s',
    async (which) => {
      const { world, network, pool, open } = setUp({ from: 20_000, to: 20_002 });
      const held = which === 'the even one' ? 20_000 : 20_001;
      await network.openUdp({ local: { address: HERE, port: held }, onMessage: () => {}, onError: () => {} });
      const ports = await open();
      expect(ports.local.port).toBe(20_002);
      expect(pool.stats.used).toBe(1);
      await ports.close();
      expect(pool.stats.used).toBe(0);
      expect(world.pbx.host.openList()).toEqual([`udp ${HERE}:${held}`]);
    },
  );

  test('says so when other programs hold the whole range, and has nothing left open', async () => {
    const { world, network, pool, open } = setUp({ from: 20_000, to: 20_010 });
    for (let port = 20_001; port <= 20_011; port += 2) {
      await network.openUdp({ local: { address: HERE, port }, onMessage: () => {}, onError: () => {} });
    }
    await expect(open()).rejects.toMatchObject({ code: 'MEDIA_NO_PORT', kind: 'transport' });
    expect(pool.stats).toMatchObject({ total: 6, used: 0 });
    expect(world.pbx.host.openSockets).toBe(6);
  });

  test('an address that is not ours is a failure at once, and costs no port', async () => {
    const { pool, open } = setUp();
    await expect(open('203.0.113.9')).rejects.toMatchObject({ code: 'PBX_LISTEN_FAILED' });
    expect(pool.stats.used).toBe(0);
  });

  test('closing gives the pair back once, however often it is done', async () => {
    const { world, pool, open } = setUp();
    const ports = await open();
    await Promise.all([ports.close(), ports.close()]);
    await ports.close();
    expect(pool.stats).toEqual({ total: 10, free: 9, used: 0, resting: 1 });
    expect(world.leaks()).toEqual([]);
  });
});
