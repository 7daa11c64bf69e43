import { afterAll, beforeAll, describe, expect } from 'vitest';
import { assertHeard, between, description, join, talk, target } from '../../src/testing/media-bench.js';
import { mediaEngineContract } from '../../src/testing/media-engine-contract.js';
import { Lab } from './support/lab.js';
import { realMediaBench } from './support/media-bench.js';
import { anyPossible, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { RtpEngineProgram } from './support/rtpengine.js';

const NEEDS = ['rtpengine'] as const;

describe('the contract of media engines on Debian’s rtpengine, over real sockets', () => {
  const lab = new Lab();
  let program: RtpEngineProgram | undefined;
  beforeAll(async () => {
    if (anyPossible(NEEDS)) program = await RtpEngineProgram.start(lab, { ipv6: anyPossible(['ipv6']) });
  });
  afterAll(() => lab.close());

  for (const { name, run } of mediaEngineContract(() => realMediaBench([program?.url ?? '']), {
    ipv6: anyPossible(['ipv6']),
  })) {
    interopTest(name, { needs: NEEDS }, run);
  }
});

describe('a phone with STUN behind a symmetric NAT', () => {
  interopTest('is heard and served where its packets come from, if that is wanted', { needs: NEEDS }, async (lab) => {
    const { url } = await RtpEngineProgram.start(lab);
    const bench = realMediaBench([url], true);
    lab.own({ stop: () => bench.close() });
    const { engine, openPeer } = bench;
    const [a, b] = [await openPeer('a'), await openPeer('b')];
    const { address, port } = a.local;
    const outside = description([{ at: { address, port: port + 2 } }]);
    const offered = await engine.offer(between('a', 'b', outside, { fromAddress: address }));
    const answered = await engine.answer(between('b', 'a', description([{ at: b.local }])));
    const both = [
      { peer: a, to: target(answered), ssrc: 1 },
      { peer: b, to: target(offered), ssrc: 2 },
    ];
    await talk(bench, both, 100);
    assertHeard(a, 2, 100);
    assertHeard(b, 1, 100);
  });
});

describe('several instances of rtpengine', () => {
  interopTest(
    'one is killed: what comes next goes to the other, and so does a call that is offered anew',
    { needs: NEEDS },
    async (lab) => {
      const programs = [await RtpEngineProgram.start(lab), await RtpEngineProgram.start(lab)];
      const bench = realMediaBench(programs.map(({ url }) => url));
      lab.own({ stop: () => bench.close() });
      const { a, b, aSendsTo, bSendsTo } = await join(bench);
      await talk(bench, [{ peer: a, to: aSendsTo, ssrc: 1 }], 5);
      expect(b.received).toHaveLength(5);
      const mediaPort = bSendsTo.port;
      const holder = programs.find((program) => program.holdsPort(mediaPort));
      const other = programs.find((program) => program !== holder);
      await holder?.kill();

      const again = target(await bench.engine.offer(between('a', 'b', description([{ at: a.local }]))));
      expect(other?.holdsPort(again.port)).toBe(true);
      const answered = target(await bench.engine.answer(between('b', 'a', description([{ at: b.local }]))));
      await talk(bench, [{ peer: a, to: answered, ssrc: 1 }], 5, 6);
      expect(b.received).toHaveLength(10);
      expect(b.received.at(-1)?.from).toEqual(again);
      await until(
        () =>
          bench.engine
            .stats('contract')
            .then(({ streams }) => streams.find(({ legId }) => legId === 'a')?.packetsReceived === 10),
        'the packets of both instances counted',
      );
    },
  );
});
