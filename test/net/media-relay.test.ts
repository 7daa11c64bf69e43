import { afterEach, describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import { SystemScheduler } from '../../src/base/scheduler.js';
import { MediaRelay } from '../../src/media/relay/media-relay.js';
import type { UdpSocket } from '../../src/net/network.js';
import { NodeNetwork } from '../../src/net/node-network.js';
import { createSdp } from '../../src/protocol/sdp/create.js';
import { sdpText } from '../../src/protocol/sdp/lines.js';
import { placeIn, rtcpOf, rtcpPacket, rtpPacket } from '../media/relay/support.js';

const network = new NodeNetwork();
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

interface Phone {
  readonly socket: UdpSocket;
  /** The next datagram that has come or comes. */
  next(): Promise<{ readonly data: Buffer; readonly from: SocketAddress }>;
}

async function phone(address: string): Promise<Phone> {
  const got: { data: Buffer; from: SocketAddress }[] = [];
  const waiting: ((datagram: { data: Buffer; from: SocketAddress }) => void)[] = [];
  const socket = await network.openUdp({
    local: { address, port: 0 },
    traffic: 'media',
    onMessage: (data, { address: host, port }) => {
      const datagram = { data: Buffer.from(data), from: { address: host, port } };
      const taker = waiting.shift();
      if (taker === undefined) got.push(datagram);
      else taker(datagram);
    },
    onError: (error) => {
      throw error;
    },
  });
  undo.push(() => socket.close());
  const next = async () =>
    got.shift() ?? new Promise<{ data: Buffer; from: SocketAddress }>((resolve) => waiting.push(resolve));
  return { socket, next };
}

function sdpOf({ socket }: Phone): string {
  const { address, port } = socket.local;
  return sdpText(
    createSdp({
      origin: { sessionId: 1, address },
      media: [{ port, formats: ['0'], attributes: [{ name: 'rtcp-mux' }] }],
    }),
  );
}

describe('a relay on real sockets', () => {
  const scheduler = new SystemScheduler({
    onError: (error) => {
      throw error;
    },
  });
  const families = [
    { one: '127.0.0.1', other: '127.0.0.1' },
    ...(network.localAddresses().includes('::1') ? [{ one: '127.0.0.1', other: '::1' }] : []),
  ];

  test.each(families)(
    'one call from $one to $other: media and RTCP both ways, and nothing left open',
    async ({ one, other }) => {
      const relay = new MediaRelay({ network, scheduler, ports: { from: 24_000, to: 24_998 } });
      undo.push(() => relay.close());
      const [a, b] = [await phone(one), await phone(other)];
      const from = { tenantId: 't', callId: 'call', fromLeg: 'a', toLeg: 'b', fromAddress: one, toAddress: other };
      const back = { ...from, fromLeg: 'b', toLeg: 'a', fromAddress: other, toAddress: one };
      const forB = placeIn(await relay.offer({ ...from, sdp: sdpOf(a) }));
      const forA = placeIn(await relay.answer({ ...back, sdp: sdpOf(b) }));
      expect([forA.address, forB.address]).toEqual([one, other]);

      for (let sequence = 1; sequence <= 50; sequence++) {
        const [there, backwards] = [
          rtpPacket({ sequence, text: `there ${sequence}` }),
          rtpPacket({ sequence, text: `back ${sequence}` }),
        ];
        a.socket.send(there, forA);
        b.socket.send(backwards, forB);
        expect(await b.next()).toEqual({ data: Buffer.from(there), from: forB });
        expect(await a.next()).toEqual({ data: Buffer.from(backwards), from: forA });
      }
      a.socket.send(rtcpPacket(9), forA);
      expect((await b.next()).data).toEqual(Buffer.from(rtcpPacket(9)));

      const stranger = await phone(one);
      stranger.socket.send(rtpPacket({ sequence: 51, text: 'stranger' }), rtcpOf(forA));
      a.socket.send(rtpPacket({ sequence: 51, text: 'last' }), forA);
      expect((await b.next()).data.toString('latin1')).toContain('last');

      const { streams } = await relay.delete('call');
      expect(
        streams.map(({ packetsReceived, packetsLost, source }) => [packetsReceived, packetsLost, source?.port]),
      ).toEqual([
        [51, 0, a.socket.local.port],
        [50, 0, b.socket.local.port],
      ]);
      expect(relay.totals).toMatchObject({ calls: 0, ports: { used: 0, resting: 2 } });
      expect(scheduler.pending).toBe(0);
    },
  );

  test('what cannot be sent is dropped without a word: a port that is closed, an address out of reach', async () => {
    const a = await phone('127.0.0.1');
    a.socket.send(rtpPacket({ sequence: 1 }), { address: '::1', port: 9 });
    a.socket.send(new Uint8Array(70_000), { address: '127.0.0.1', port: 9 });
    a.socket.send(rtpPacket({ sequence: 1 }), { address: '127.0.0.1', port: 0 });
    a.socket.send(rtpPacket({ sequence: 2 }), a.socket.local);
    expect((await a.next()).from).toEqual(a.socket.local);
    await a.socket.close();
    a.socket.send(rtpPacket({ sequence: 3 }), a.socket.local);
  });
});
