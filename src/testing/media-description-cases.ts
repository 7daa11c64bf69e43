import assert from 'node:assert/strict';
import { between, description, join, type MediaEngineCase, streamsOf, target } from './media-bench.js';

const HOLD = ['a=sendonly'];

/** What an engine does to session descriptions. */
export const DESCRIPTION_CASES: readonly MediaEngineCase[] = [
  [
    'an offer and its answer lead both parties to the engine',
    async ({ engine, openPeer }) => {
      const [a, b] = [await openPeer('a'), await openPeer('b')];
      const offered = await engine.offer(between('a', 'b', description([{ at: a.local }])));
      const answered = await engine.answer(between('b', 'a', description([{ at: b.local }])));
      for (const told of [target(offered), target(answered)]) {
        assert.notEqual(told.address, a.local.address);
        assert.notEqual(told.address, b.local.address);
      }
      assert.notDeepEqual(target(offered), target(answered));
      assert.ok(!offered.includes(a.local.address), 'the address of the party is not told');
    },
  ],
  [
    'a new offer of either party keeps the ports of both (RFC 3264 §8.3.1)',
    async (bench) => {
      const { engine } = bench;
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      assert.deepEqual(target(await engine.offer(between('a', 'b', description([{ at: a.local }])))), bSendsTo);
      assert.deepEqual(target(await engine.answer(between('b', 'a', description([{ at: b.local }])))), aSendsTo);
      assert.deepEqual(target(await engine.offer(between('b', 'a', description([{ at: b.local }])))), aSendsTo);
      assert.deepEqual(target(await engine.answer(between('a', 'b', description([{ at: a.local }])))), bSendsTo);
    },
  ],
  [
    'hold and its end are passed on, over the same ports (RFC 3264 §8.4)',
    async (bench) => {
      const { engine } = bench;
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      const held = await engine.offer(between('b', 'a', description([{ at: b.local, lines: HOLD }])));
      const heldAnswer = await engine.answer(between('a', 'b', description([{ at: a.local, lines: ['a=recvonly'] }])));
      assert.deepEqual([streamsOf(held)[0]?.direction, streamsOf(heldAnswer)[0]?.direction], ['sendonly', 'recvonly']);
      assert.deepEqual([target(held), target(heldAnswer)], [aSendsTo, bSendsTo]);
      const resumed = await engine.offer(between('b', 'a', description([{ at: b.local }])));
      assert.equal(streamsOf(resumed)[0]?.direction, 'sendrecv');
      assert.deepEqual(target(resumed), aSendsTo);
    },
  ],
  [
    'a hold by the address 0.0.0.0 is still one (RFC 2543)',
    async (bench) => {
      const { engine } = bench;
      const { b } = await join(bench);
      const held = await engine.offer(
        between('b', 'a', description([{ at: { address: '0.0.0.0', port: b.local.port } }])),
      );
      assert.equal(streamsOf(held)[0]?.address, '0.0.0.0');
    },
  ],
  [
    'a refused stream stays refused, and the others keep their places',
    async ({ engine, openPeer }) => {
      const [a, video, b] = [await openPeer('a'), await openPeer('a'), await openPeer('b')];
      const streams = [{ at: video.local, type: 'video', formats: '31' }, { at: a.local }];
      const offered = await engine.offer(between('a', 'b', description(streams)));
      assert.deepEqual(
        streamsOf(offered).map(({ type, active }) => [type, active]),
        [
          ['video', true],
          ['audio', true],
        ],
      );
      const refusal = description([{ type: 'video', formats: '31' }, { at: b.local }]);
      const answered = await engine.answer(between('b', 'a', refusal));
      assert.deepEqual(
        streamsOf(answered).map(({ type, active }) => [type, active]),
        [
          ['video', false],
          ['audio', true],
        ],
      );
    },
  ],
  [
    'each stream has ports of its own',
    async ({ engine, openPeer }) => {
      const [audio, video, other] = [await openPeer('a'), await openPeer('a'), await openPeer('a')];
      const sdp = description([
        { at: audio.local },
        { at: video.local, type: 'video', formats: '31' },
        { at: other.local, formats: '8' },
      ]);
      const offered = await engine.offer(between('a', 'b', sdp));
      const ports = streamsOf(offered).map(({ port }) => port);
      assert.equal(new Set(ports).size, 3);
      for (const port of ports) assert.ok(!ports.includes(port + 1), 'room for the RTCP of each');
    },
  ],
  [
    'an offer that goes to two phones leads each of them, and the caller, elsewhere',
    async ({ engine, openPeer }) => {
      const [a, b, c] = [await openPeer('a'), await openPeer('b'), await openPeer('c')];
      const sdp = description([{ at: a.local }]);
      const toB = await engine.offer(between('a', 'b', sdp));
      const toC = await engine.offer(between('a', 'c', sdp));
      const fromB = await engine.answer(between('b', 'a', description([{ at: b.local }])));
      const fromC = await engine.answer(between('c', 'a', description([{ at: c.local }])));
      assert.equal(new Set([toB, toC, fromB, fromC].map((told) => target(told).port)).size, 4);
    },
  ],
  [
    'lines that no engine knows are kept, in their order',
    async ({ engine, openPeer }) => {
      const a = await openPeer('a');
      const session = ['a=tool:contract', 'a=x-session:1 2 3', 'a=group:LS 4'];
      const lines = [
        'i=what it is',
        'b=AS:64',
        'a=rtpmap:97 x-codec/11025/2',
        'a=fmtp:97 a=1;b',
        'a=x-odd',
        'a=ptime:30',
        'a=label:4',
      ];
      const offered = await engine.offer(
        between('a', 'b', description([{ at: a.local, formats: '97 0', lines }], session)),
      );
      const told = offered.split('\r\n');
      const kept = [...session, ...lines];
      assert.deepEqual(
        told.filter((line) => kept.includes(line)),
        kept,
      );
      assert.match(offered, /^m=audio \d+ RTP\/AVP 97 0\r$/m);
    },
  ],
  [
    'keys pass untouched (RFC 4568)',
    async ({ engine, openPeer }) => {
      const [a, b] = [await openPeer('a'), await openPeer('b')];
      const keysOf = (sdp: string): string[] => sdp.split('\r\n').filter((line) => line.startsWith('a=crypto:'));
      const offers = [
        'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4',
        'a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj',
      ];
      const chosen = ['a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR'];
      const offered = await engine.offer(
        between('a', 'b', description([{ at: a.local, protocol: 'RTP/SAVP', lines: offers }])),
      );
      const answered = await engine.answer(
        between('b', 'a', description([{ at: b.local, protocol: 'RTP/SAVP', lines: chosen }])),
      );
      assert.deepEqual([keysOf(offered), keysOf(answered)], [offers, chosen]);
      assert.equal(streamsOf(offered)[0]?.protocol, 'RTP/SAVP');
    },
  ],
  [
    'no ICE is left, with which the parties would go past the engine (RFC 8839)',
    async ({ engine, openPeer }) => {
      const a = await openPeer('a');
      const session = ['a=ice-options:trickle', 'a=ice-lite'];
      const lines = [
        'a=ice-ufrag:8hhY',
        'a=ice-pwd:asd88fgpdd777uzjYhagZg',
        `a=candidate:1 1 UDP 2130706431 ${a.local.address} ${a.local.port} typ host`,
        'a=end-of-candidates',
        'a=sendrecv',
      ];
      const offered = await engine.offer(between('a', 'b', description([{ at: a.local, lines }], session)));
      assert.doesNotMatch(offered, /^a=(ice-|candidate|end-of-candidates|remote-candidates)/m);
      assert.match(offered, /^a=sendrecv\r$/m);
    },
  ],
  [
    'RTCP on a port of its own, or on that of RTP, as the parties say (RFC 3605, RFC 5761)',
    async ({ engine, openPeer }) => {
      const [a, b] = [await openPeer('a'), await openPeer('b')];
      const offered = await engine.offer(between('a', 'b', description([{ at: a.local, lines: ['a=rtcp-mux'] }])));
      assert.equal(streamsOf(offered)[0]?.rtcpMux, true);
      const answered = await engine.answer(between('b', 'a', description([{ at: b.local, lines: ['a=rtcp-mux'] }])));
      assert.equal(streamsOf(answered)[0]?.rtcpMux, true);
      assert.equal(streamsOf(answered)[0]?.rtcpPort, target(answered).port);
      const refused = await engine.answer(between('b', 'a', description([{ at: b.local }])));
      assert.equal(streamsOf(refused)[0]?.rtcpMux, false);
      assert.notEqual(streamsOf(refused)[0]?.rtcpPort, target(refused).port);
    },
  ],
  [
    'deleting what is not known is no error, and nothing is known of it',
    async ({ engine }) => {
      assert.deepEqual((await engine.delete('never heard of')).streams, []);
      assert.deepEqual((await engine.delete('never heard of', 'a')).streams, []);
      assert.deepEqual((await engine.stats('never heard of')).streams, []);
    },
  ],
];
