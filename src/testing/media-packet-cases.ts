import assert from 'node:assert/strict';
import type { SocketAddress } from '../base/ip.js';
import type { MediaEvents } from '../media/media-events.js';
import type { MediaStats, StreamStats } from '../media/media-stats.js';
import {
  assertHeard,
  between,
  description,
  heard,
  join,
  type MediaBench,
  type MediaEngineCase,
  rtcpPacket,
  rtcpTarget,
  rtpPacket,
  talk,
  target,
} from './media-bench.js';

const A = 0x0a0a0a0a;
const B = 0x0b0b0b0b;
const C = 0x0c0c0c0c;
const STRANGER = 0x66666666;

/** What an engine does to packets, and what it tells of them. */
export const PACKET_CASES: readonly MediaEngineCase[] = [
  [
    'packets pass both ways, unchanged, from the address that each party was told',
    async (bench) => {
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      await talk(bench, [
        { peer: a, to: aSendsTo, ssrc: A },
        { peer: b, to: bSendsTo, ssrc: B },
      ]);
      assertHeard(b, A);
      assertHeard(a, B);
      assert.deepEqual(Buffer.from(b.received.at(-1)?.data ?? []), rtpPacket(A, 20));
      assert.deepEqual(b.received.at(-1)?.from, bSendsTo);
      assert.deepEqual(a.received.at(-1)?.from, aSendsTo);
    },
  ],
  [
    'RTCP passes on its own ports',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, aRtcp, b, bRtcp] = [await openPeer('a'), await openPeer('a'), await openPeer('b'), await openPeer('b')];
      const lines = (rtcp: SocketAddress): string[] => [`a=rtcp:${rtcp.port}`];
      const offered = await engine.offer(between('a', 'b', description([{ at: a.local, lines: lines(aRtcp.local) }])));
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local, lines: lines(bRtcp.local) }])),
      );
      await talk(bench, [
        { peer: a, to: target(answered), ssrc: A },
        { peer: b, to: target(offered), ssrc: B },
      ]);
      await reports(bench, 5, () => {
        aRtcp.send(rtcpPacket(A), rtcpTarget(answered));
        bRtcp.send(rtcpPacket(B), rtcpTarget(offered));
      });
      assert.deepEqual(Buffer.from(bRtcp.received.at(-1)?.data ?? []), rtcpPacket(A));
      assert.deepEqual(Buffer.from(aRtcp.received.at(-1)?.data ?? []), rtcpPacket(B));
    },
  ],
  [
    'with rtcp-mux RTCP passes on the port of RTP (RFC 5761)',
    async (bench) => {
      const { a, b, aSendsTo, bSendsTo } = await join(bench, ['a=rtcp-mux']);
      await talk(bench, [
        { peer: a, to: aSendsTo, ssrc: A },
        { peer: b, to: bSendsTo, ssrc: B },
      ]);
      await reports(bench, 5, () => {
        a.send(rtcpPacket(A), aSendsTo);
        b.send(rtcpPacket(B), bSendsTo);
      });
      assert.deepEqual(Buffer.from(b.received.at(-1)?.data ?? []), rtcpPacket(A));
      assert.deepEqual(Buffer.from(a.received.at(-1)?.data ?? []), rtcpPacket(B));
    },
  ],
  [
    'encrypted packets, RTCP too, pass as they are (RFC 3711)',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, b] = [await openPeer('a'), await openPeer('b')];
      const lines = [
        'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
        'a=rtcp-mux',
      ];
      const offered = await engine.offer(
        between('a', 'b', description([{ at: a.local, protocol: 'RTP/SAVP', lines }])),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local, protocol: 'RTP/SAVP', lines }])),
      );
      await talk(bench, [
        { peer: a, to: target(answered), ssrc: A },
        { peer: b, to: target(offered), ssrc: B },
      ]);
      // A sender report whose second half nobody but the receiver can read, an index and a tag.
      const secret = Buffer.concat([Buffer.from('80c80006', 'hex'), rtcpPacket(A).subarray(4), Buffer.alloc(48, 0xd7)]);
      await reports(bench, 5, () => a.send(secret, target(answered)));
      assertHeard(b, A);
      assertHeard(a, B);
      assert.deepEqual(Buffer.from(b.received.at(-1)?.data ?? []), secret);
    },
  ],
  [
    'each of several streams goes its own way',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a1, a2, b1, b2] = [await openPeer('a'), await openPeer('a'), await openPeer('b'), await openPeer('b')];
      const video = { type: 'video', formats: '31' };
      const offered = await engine.offer(
        between('a', 'b', description([{ at: a1.local }, { at: a2.local, ...video }])),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b1.local }, { at: b2.local, ...video }])),
      );
      await talk(bench, [
        { peer: a1, to: target(answered, 0), ssrc: A },
        { peer: a2, to: target(answered, 1), ssrc: C },
        { peer: b1, to: target(offered, 0), ssrc: B },
      ]);
      assertHeard(b1, A);
      assertHeard(b2, C);
      assertHeard(a1, B);
      assert.deepEqual([heard(b1, C), heard(b2, A), heard(a2, B)], [[], [], []]);
    },
  ],
  [
    'a party that has moved says so in a new offer, and is heard and served there',
    async (bench) => {
      const { engine, openPeer } = bench;
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      await talk(bench, [
        { peer: a, to: aSendsTo, ssrc: A },
        { peer: b, to: bSendsTo, ssrc: B },
      ]);
      const moved = await openPeer('c');
      const offered = await engine.offer(between('b', 'a', description([{ at: moved.local }])));
      const answered = await engine.answer(between('a', 'b', description([{ at: a.local }])));
      assert.deepEqual([target(offered), target(answered)], [aSendsTo, bSendsTo]);
      const before = b.received.length;
      await talk(
        bench,
        [
          { peer: a, to: target(offered), ssrc: A },
          { peer: moved, to: target(answered), ssrc: C },
        ],
        20,
        21,
      );
      assertHeard(moved, A, 40);
      assertHeard(a, C, 40);
      assert.equal(b.received.length, before, 'nothing goes to the old place');
    },
  ],
  [
    'a party behind NAT is heard and served at the address that its signalling came from (RFC 7362 §4)',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, b] = [await openPeer('a'), await openPeer('b')];
      const inside = { address: '192.168.77.7', port: a.local.port };
      const offered = await engine.offer(
        between('a', 'b', description([{ at: inside }]), { fromAddress: a.local.address }),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local }]), { fromAddress: b.local.address, toAddress: a.local.address }),
      );
      await talk(bench, [
        { peer: a, to: target(answered), ssrc: A },
        { peer: b, to: target(offered), ssrc: B },
      ]);
      assertHeard(b, A);
      assertHeard(a, B);
    },
  ],
  [
    'and from whatever port its NAT gave it there',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, b] = [await openPeer('a'), await openPeer('b')];
      const inside = { address: '192.168.77.7', port: a.local.port + 2 };
      const offered = await engine.offer(
        between('a', 'b', description([{ at: inside }]), { fromAddress: a.local.address }),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local }]), { fromAddress: b.local.address }),
      );
      await talk(bench, [
        { peer: a, to: target(answered), ssrc: A },
        { peer: b, to: target(offered), ssrc: B },
      ]);
      assertHeard(b, A);
      assertHeard(a, B);
    },
  ],
  [
    'a stranger gets nothing and is not heard, from the first packet to the last (RFC 7362 §5)',
    async (bench) => {
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      const stranger = await bench.openPeer('stranger');
      const strange = [
        { peer: stranger, to: aSendsTo, ssrc: STRANGER },
        { peer: stranger, to: bSendsTo, ssrc: STRANGER },
      ];
      const fromA = { peer: a, to: aSendsTo, ssrc: A };
      const fromB = { peer: b, to: bSendsTo, ssrc: B };
      await talk(bench, strange, 10);
      await talk(bench, [...strange, fromB], 10, 11);
      await talk(bench, [...strange, fromA, fromB], 20, 21);
      assert.deepEqual([heard(a, STRANGER), heard(b, STRANGER), stranger.received.length], [[], [], 0]);
      assertHeard(b, A, 40);
      assertHeard(a, B, 40);
      const stats = await bench.engine.stats('contract');
      assert.equal(counted(stats, 'a', 'b').packetsDropped, 40);
      assert.deepEqual(counted(stats, 'a', 'b').source, a.local);
    },
  ],
  [
    'nor in the place of a party behind NAT that speaks',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, b, stranger] = [await openPeer('a'), await openPeer('b'), await openPeer('stranger')];
      const inside = { address: '192.168.77.7', port: a.local.port + 2 };
      const offered = await engine.offer(
        between('a', 'b', description([{ at: inside }]), { fromAddress: a.local.address }),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local }]), { fromAddress: b.local.address }),
      );
      const both = [
        { peer: a, to: target(answered), ssrc: A },
        { peer: b, to: target(offered), ssrc: B },
      ];
      await talk(bench, both);
      const before = stranger.received.length;
      await talk(bench, [...both, { peer: stranger, to: target(answered), ssrc: STRANGER }], 20, 21);
      assert.equal(stranger.received.length, before);
      assertHeard(a, B, 40);
      assertHeard(b, A, 40);
    },
  ],
  [
    'both phones of a fork are heard, until one is deleted',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, b, c] = [await openPeer('a'), await openPeer('b'), await openPeer('c')];
      const sdp = description([{ at: a.local }]);
      const toB = await engine.offer(between('a', 'b', sdp));
      const toC = await engine.offer(between('a', 'c', sdp));
      const fromB = await engine.answer(between('b', 'a', description([{ at: b.local }])));
      await engine.answer(between('c', 'a', description([{ at: c.local }])));
      await talk(bench, [
        { peer: b, to: target(toB), ssrc: B },
        { peer: c, to: target(toC), ssrc: C },
      ]);
      assertHeard(a, B);
      assertHeard(a, C);
      await engine.delete('contract', 'c');
      const before = heard(a, C).length;
      await talk(
        bench,
        [
          { peer: a, to: target(fromB), ssrc: A },
          { peer: b, to: target(toB), ssrc: B },
          { peer: c, to: target(toC), ssrc: C },
        ],
        20,
        21,
      );
      assertHeard(a, B, 40);
      assertHeard(b, A, 40);
      assert.equal(heard(a, C).length, before, 'the leg that is deleted is not heard any more');
      assert.equal(counted(await engine.delete('contract'), 'c', 'a').packetsReceived, 20);
    },
  ],
  [
    'what flowed is counted, and told at the end',
    async (bench) => {
      const { engine } = bench;
      const ended: MediaEvents['media.stats'][] = [];
      engine.events?.on('media.stats', (event) => ended.push(event));
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      await talk(bench, [
        { peer: a, to: aSendsTo, ssrc: A },
        { peer: b, to: bSendsTo, ssrc: B },
      ]);
      await talk(bench, [{ peer: a, to: aSendsTo, ssrc: A }], 10, 21);
      const now = await engine.stats('contract');
      assert.equal(now.path, 'relay');
      assert.equal(counted(now, 'a', 'b').packetsReceived, 30);
      assert.equal(counted(now, 'b', 'a').packetsReceived, 20);
      assert.ok(counted(now, 'a', 'b').bytesReceived >= 30 * 160);
      assert.deepEqual(counted(now, 'a', 'b').source, a.local);
      const last = await engine.delete('contract');
      assert.equal(counted(last, 'a', 'b').packetsReceived, 30);
      assert.deepEqual((await engine.delete('contract')).streams, [], 'a second time there is nothing');
      assert.deepEqual((await engine.stats('contract')).streams, []);
      assert.deepEqual(
        ended.map(({ tenantId, callId, stats }) => [tenantId, callId, counted(stats, 'b', 'a').packetsReceived]),
        engine.events === undefined ? [] : [['default', 'contract', 20]],
      );
      const before = b.received.length;
      await talk(bench, [{ peer: a, to: aSendsTo, ssrc: A }], 5, 31);
      assert.equal(b.received.length, before, 'nothing is relayed any more');
    },
  ],
  [
    'one party is heard and the other is not: told once, until it is heard',
    async (bench) => {
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      const told: MediaEvents['media.oneWay'][] = [];
      bench.engine.events?.on('media.oneWay', (event) => told.push(event));
      const packets = Math.ceil((3 * bench.times.oneWayMs) / 20);
      await talk(bench, [{ peer: a, to: aSendsTo, ssrc: A }], packets);
      assert.deepEqual(told, [
        {
          tenantId: 'default',
          callId: 'contract',
          silentLeg: 'b',
          deafLeg: 'a',
          stream: 0,
          cause: 'nothing-received',
        },
      ]);
      await talk(bench, [
        { peer: a, to: aSendsTo, ssrc: A },
        { peer: b, to: bSendsTo, ssrc: B },
      ]);
      assertHeard(a, B);
      assert.equal(told.length, 1);
    },
  ],
  [
    'nobody is heard: told once, until packets come again',
    async (bench) => {
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      const told: MediaEvents['media.lost'][] = [];
      bench.engine.events?.on('media.lost', (event) => told.push(event));
      const both = [
        { peer: a, to: aSendsTo, ssrc: A },
        { peer: b, to: bSendsTo, ssrc: B },
      ];
      await talk(bench, both);
      assert.equal(told.length, 0);
      await bench.elapse(3 * bench.times.callMs);
      assert.deepEqual(
        told.map(({ callId, legs, state }) => [callId, [...legs].sort(), state]),
        [['contract', ['a', 'b'], 'call']],
      );
      assert.ok((told[0]?.silentMs ?? 0) >= bench.times.callMs);
      await talk(bench, both, 20, 21);
      await bench.elapse(3 * bench.times.callMs);
      assert.equal(told.length, 2, 'silent again: told again');
    },
  ],
];

/** Only where the bench has IPv6. */
export const IPV6_CASES: readonly MediaEngineCase[] = [
  [
    'a party with IPv6 alone and one with IPv4 alone hear each other',
    async (bench) => {
      const { engine, openPeer } = bench;
      const [a, b] = [await openPeer('a'), await openPeer('b', 6)];
      const offered = await engine.offer(
        between('a', 'b', description([{ at: a.local }]), { toAddress: b.local.address }),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local }]), { toAddress: a.local.address }),
      );
      assert.match(offered, /^c=IN IP6 /m);
      assert.match(answered, /^c=IN IP4 /m);
      await talk(bench, [
        { peer: a, to: target(answered), ssrc: A },
        { peer: b, to: target(offered), ssrc: B },
      ]);
      assertHeard(b, A);
      assertHeard(a, B);
    },
  ],
];

async function reports(bench: MediaBench, count: number, send: () => void): Promise<void> {
  for (let i = 0; i < count; i++) {
    send();
    await bench.elapse(20);
  }
  await bench.elapse(100);
}

function counted(stats: MediaStats, legId: string, toLeg: string): StreamStats {
  const found = stats.streams.filter((each) => each.legId === legId && each.toLeg === toLeg);
  assert.equal(found.length, 1, `what came from ${legId} for ${toLeg} is counted once`);
  return found[0] as StreamStats;
}
