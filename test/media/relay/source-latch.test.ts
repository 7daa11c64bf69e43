import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../../src/base/ip.js';
import { type LearningRule, SourceLatch, type SourceVerdict } from '../../../src/media/relay/source-latch.js';
import { rtpPacket } from './support.js';

const RULE: LearningRule = { packets: 4, silentMs: 1000, fromAnywhere: false };
const DESCRIBED: SocketAddress = { address: '10.0.0.5', port: 4000 };
const NAT: SocketAddress = { address: '203.0.113.5', port: 61_000 };
const STRANGER: SocketAddress = { address: '198.51.100.66', port: 4000 };

interface Sending {
  readonly from: SocketAddress;
  readonly sequences: readonly number[];
  readonly ssrc?: number;
  readonly at?: number;
}

function feed(latch: SourceLatch, { from, sequences, ssrc = 1, at = 0 }: Sending): SourceVerdict[] {
  return sequences.map((sequence, i) => latch.receive(rtpPacket({ sequence, ssrc }), from, at + 20 * i));
}

function setUp(rule: Partial<LearningRule> = {}): SourceLatch {
  const latch = new SourceLatch({ ...RULE, ...rule });
  latch.describe(DESCRIBED, NAT.address);
  return latch;
}

const learned = ['learning', 'learning', 'learning', 'taken'];

describe('where a peer is (RFC 4961, RFC 7362 §4)', () => {
  test('until packets come, where its description says; its packets from there are taken at once', () => {
    const latch = setUp();
    expect(latch.target).toEqual(DESCRIBED);
    expect(feed(latch, { from: DESCRIBED, sequences: [1, 2, 3, 4, 5] })).toEqual(Array(5).fill('taken'));
    expect(latch.locked).toEqual(DESCRIBED);
  });

  test('it is heard from its first packet that is taken; what only teaches us its address, or comes from a stranger, is not heard', () => {
    const latch = setUp();
    expect(latch.heardAt).toBe(Number.NEGATIVE_INFINITY);
    feed(latch, { from: STRANGER, sequences: [1], at: 100 });
    feed(latch, { from: NAT, sequences: [1], at: 200 });
    expect(latch.heardAt).toBe(Number.NEGATIVE_INFINITY);
    feed(latch, { from: DESCRIBED, sequences: [1], at: 500 });
    expect(latch.heardAt).toBe(500);
    feed(latch, { from: DESCRIBED, sequences: [2, 3, 4, 5], at: 520 });
    expect(latch.heardAt).toBe(580);
  });

  test('from the host of its signalling, any port: after four consecutive packets', () => {
    const latch = setUp();
    expect(feed(latch, { from: NAT, sequences: [1, 2, 3] })).toEqual(learned.slice(0, 3));
    expect(latch.target).toEqual(DESCRIBED);
    expect(feed(latch, { from: NAT, sequences: [4] })).toEqual(['taken']);
    expect(latch.target).toEqual(NAT);
  });

  test('from the described host at another port likewise', () => {
    const latch = setUp();
    const from = { ...DESCRIBED, port: 4100 };
    expect(feed(latch, { from, sequences: [1, 2, 3, 4] })).toEqual(learned);
    expect(latch.target).toEqual(from);
  });

  test('a gap is no break, for packets get lost; a number that does not rise is, and another SSRC', () => {
    expect(feed(setUp(), { from: NAT, sequences: [1, 3, 9, 10] })).toEqual(learned);
    expect(feed(setUp(), { from: NAT, sequences: [65_534, 65_535, 0, 1] })).toEqual(learned);
    const notRising = setUp();
    expect(feed(notRising, { from: NAT, sequences: [5, 5, 4, 3, 2, 1] })).toEqual(Array(6).fill('learning'));
    const mixed = setUp();
    for (let i = 0; i < 6; i++) {
      expect(feed(mixed, { from: NAT, sequences: [i], ssrc: i % 2 })).toEqual(['learning']);
    }
    expect(mixed.locked).toBeUndefined();
  });

  test('a stranger is never learned, however regular its packets, before and after', () => {
    const latch = setUp();
    const sequences = Array.from({ length: 50 }, (_, i) => i);
    expect(feed(latch, { from: STRANGER, sequences })).toEqual(Array(50).fill('stranger'));
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    expect(feed(latch, { from: STRANGER, sequences, at: 60_000 })).toEqual(Array(50).fill('stranger'));
    expect(latch.target).toEqual(NAT);
  });

  test('a stranger between a peer’s packets does not keep it from being learned', () => {
    const latch = setUp();
    const verdicts = [1, 2, 3, 4].flatMap((sequence) => [
      ...feed(latch, { from: NAT, sequences: [sequence] }),
      ...feed(latch, { from: STRANGER, sequences: [sequence] }),
    ]);
    expect(verdicts.filter((verdict) => verdict !== 'stranger')).toEqual(learned);
  });

  test('two sources of one host: the one that began is learned, the other stays out', () => {
    const latch = setUp();
    const other = { ...NAT, port: 62_000 };
    const verdicts: SourceVerdict[] = [];
    for (const [i, sequence] of [1, 2, 3, 4].entries()) {
      verdicts.push(...feed(latch, { from: NAT, sequences: [sequence], at: 20 * i }));
      verdicts.push(...feed(latch, { from: other, sequences: [sequence], at: 20 * i + 1, ssrc: 2 }));
    }
    expect(verdicts.filter((_, i) => i % 2 === 0)).toEqual(learned);
    expect(latch.locked).toEqual(NAT);
    expect(verdicts.at(-1)).toBe('stranger');
  });

  test('one that sent a packet and stopped makes room', () => {
    const latch = setUp();
    feed(latch, { from: { ...NAT, port: 62_000 }, sequences: [1] });
    expect(feed(latch, { from: NAT, sequences: [1, 2, 3, 4], at: 200 })).toEqual(learned);
  });

  test('once locked, the right SSRC from another port of the same host is a stranger’s while the peer talks', () => {
    const latch = setUp();
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    for (let i = 0; i < 200; i++) {
      expect(feed(latch, { from: NAT, sequences: [5 + i], at: 80 + 20 * i })).toEqual(['taken']);
      expect(feed(latch, { from: { ...NAT, port: 5 }, sequences: [6 + i], at: 81 + 20 * i })).toEqual(['stranger']);
    }
  });

  test('a NAT that rebinds: the old port silent for a second, the new one is learned by the same rule', () => {
    const latch = setUp();
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    const rebound = { ...NAT, port: 61_777 };
    expect(feed(latch, { from: rebound, sequences: [5], at: 1059 })).toEqual(['stranger']);
    expect(feed(latch, { from: rebound, sequences: [6, 7, 8, 9], at: 1060 })).toEqual(learned);
    expect(latch.target).toEqual(rebound);
    expect(feed(latch, { from: NAT, sequences: [10], at: 1200 })).toEqual(['stranger']);
  });

  test('the described address itself is learned at any time: the signalling has named it', () => {
    const latch = setUp();
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    expect(feed(latch, { from: DESCRIBED, sequences: [5, 6, 7, 8], at: 100 })).toEqual(learned);
    expect(latch.target).toEqual(DESCRIBED);
  });

  test('a new description of another address unlocks and is learned anew; the same one changes nothing', () => {
    const latch = setUp();
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    latch.describe({ ...DESCRIBED }, NAT.address);
    expect(latch.target).toEqual(NAT);
    const moved = { address: '10.0.0.6', port: 4000 };
    latch.describe(moved, NAT.address);
    expect(latch.target).toEqual(moved);
    expect(feed(latch, { from: DESCRIBED, sequences: [5], at: 100 })).toEqual(['stranger']);
    expect(feed(latch, { from: moved, sequences: [6], at: 120 })).toEqual(['taken']);
  });

  test('on hold by 0.0.0.0 nothing is sent; what was learned is forgotten', () => {
    const latch = setUp();
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    latch.describe(undefined, NAT.address);
    expect(latch.target).toBeUndefined();
    expect(feed(latch, { from: NAT, sequences: [5, 6, 7, 8], at: 100 })).toEqual(learned);
    expect(latch.target).toEqual(NAT);
  });

  test('signalling that moves to another host takes the lock along', () => {
    const latch = setUp();
    feed(latch, { from: NAT, sequences: [1, 2, 3, 4] });
    latch.describe(DESCRIBED, '203.0.113.99');
    expect(latch.locked).toBeUndefined();
    expect(feed(latch, { from: NAT, sequences: [5], at: 100 })).toEqual(['stranger']);
    expect(feed(latch, { from: { address: '203.0.113.99', port: 9 }, sequences: [6, 7, 8, 9], at: 120 })).toEqual(
      learned,
    );
  });

  test('without signalling address and description nobody is learned', () => {
    const latch = new SourceLatch(RULE);
    expect(feed(latch, { from: NAT, sequences: [1, 2, 3, 4, 5] })).toEqual(Array(5).fill('stranger'));
    latch.describe(undefined, undefined);
    expect(feed(latch, { from: NAT, sequences: [6, 7, 8, 9] })).toEqual(Array(4).fill('stranger'));
  });

  test('from anywhere: only where that was chosen, and by the same rule', () => {
    const latch = setUp({ fromAnywhere: true });
    expect(feed(latch, { from: STRANGER, sequences: [1, 2, 3, 4] })).toEqual(learned);
    expect(feed(latch, { from: NAT, sequences: [1, 2, 3, 4], at: 80 })).toEqual(Array(4).fill('stranger'));
  });

  test('IPv6 in any spelling', () => {
    const latch = new SourceLatch(RULE);
    latch.describe({ address: '2001:db8::5', port: 4000 }, '2001:0DB8:0:0:0:0:0:7');
    expect(feed(latch, { from: { address: '2001:db8::7', port: 9 }, sequences: [1, 2, 3, 4] })).toEqual(learned);
  });

  test('a protocol without sequence numbers is learned by as many datagrams of one source', () => {
    const latch = setUp();
    const verdicts = Array.from({ length: 5 }, (_, i) => latch.receiveDatagram(NAT, 20 * i));
    expect(verdicts).toEqual([...learned, 'taken']);
    expect(latch.receiveDatagram(STRANGER, 100)).toBe('stranger');
  });
});
