import { describe, expect, test } from 'vitest';
import { Negotiation } from '../../src/dialog/negotiation.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { butOrigin } from '../support/but-origin.js';
import { rawSdp } from '../support/raw-peer.js';

const OURS = rawSdp('10.1.0.1', 4000);
const THEIRS = rawSdp('10.1.0.2', 5000);
const NEW = rawSdp('10.1.0.1', 4002);

describe('one offer at a time (RFC 3264 §4, RFC 6337 §4)', () => {
  test('ours: open until it is answered; then both sides hold to it', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    const sent = negotiation.offer(OURS);
    expect(negotiation.open).toBe('us');
    expect(negotiation.agreed).toBeUndefined();
    negotiation.answered(THEIRS);
    expect(negotiation.open).toBe('nobody');
    expect(negotiation.agreed).toEqual({ local: sent, remote: THEIRS });
  });

  test('theirs: our answer agrees it', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offered(THEIRS);
    expect(negotiation.open).toBe('peer');
    const sent = negotiation.answer(OURS);
    expect(butOrigin(sent)).toBe(butOrigin(OURS));
    expect(negotiation.agreed).toEqual({ local: sent, remote: THEIRS });
  });

  test('RFC 3261 §14.1: a refused offer leaves what was agreed; the version counts what was sent', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offer(OURS);
    negotiation.answered(THEIRS);
    const before = negotiation.agreed;
    negotiation.offer(NEW);
    negotiation.withdraw();
    expect(negotiation.agreed).toBe(before);
    expect(negotiation.offer(OURS)).toContain(' 3 IN IP4 ');
  });

  test('RFC 3264 §8: an offer that never left takes no version; one that may have left keeps its own', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offer(OURS);
    negotiation.answered(THEIRS);
    const before = negotiation.agreed;
    negotiation.offer(NEW);
    negotiation.withdraw(true);
    expect([negotiation.open, negotiation.agreed]).toEqual(['nobody', before]);
    // The same as what the peer knows, and then something else.
    expect(negotiation.offer(OURS)).toBe(before?.local);
    negotiation.withdraw(true);
    expect(negotiation.offer(NEW)).toContain(' 2 IN IP4 ');
    negotiation.withdraw(false);
    expect(negotiation.offer(OURS)).toContain(' 3 IN IP4 ');
  });

  test('RFC 3264 §8: an offer of the peer that is withdrawn takes nothing back of what we said', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offer(OURS);
    negotiation.answered(THEIRS);
    negotiation.offered(THEIRS);
    negotiation.withdraw(true);
    expect(negotiation.offer(NEW)).toContain(' 2 IN IP4 ');
  });

  test('an answer without a description keeps what the peer said before', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offer(OURS);
    negotiation.answered(THEIRS);
    negotiation.offer(NEW);
    negotiation.answered(undefined);
    expect(butOrigin(negotiation.agreed?.local)).toBe(butOrigin(NEW));
    expect(negotiation.agreed?.remote).toBe(THEIRS);
  });

  test('a preview agrees nothing (RFC 6337 §3.1.1)', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offered(THEIRS);
    const shown = negotiation.preview(OURS);
    expect([negotiation.open, negotiation.agreed]).toEqual(['peer', undefined]);
    expect(negotiation.answer(OURS)).toBe(shown);
  });

  test('forks and snapshots', () => {
    const negotiation = Negotiation.create(new SeededRandom(1));
    negotiation.offer(OURS);
    const fork = negotiation.fork();
    fork.answered(THEIRS);
    expect(negotiation.agreed).toBeUndefined();
    const restored = Negotiation.restore(JSON.parse(JSON.stringify(fork.snapshot())));
    expect(restored.agreed).toEqual(fork.agreed);
    expect(restored.offer(OURS)).toBe(fork.agreed?.local);
  });
});

describe('codecs that are allowed on a leg', () => {
  const offer = (formats: string): string =>
    `v=0\r\no=x 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP ${formats}\r\n`;

  test('stand alone in offers, answers and previews of ours, and in what is taken of the peer’s offers; also after a restart', () => {
    const first = Negotiation.create(new SeededRandom(1), ['PCMA']);
    expect(first.offered(offer('0 8'))).toEqual({ sdp: offer('8'), silent: false });
    expect(first.preview(offer('8 0'))).toContain('RTP/AVP 8\r\n');
    expect(first.answer(offer('8 0'))).toContain('RTP/AVP 8\r\n');
    expect(first.agreed?.remote).toBe(offer('8'));
    for (const each of [first.fork(), Negotiation.restore(first.snapshot())]) {
      expect(each.offer(offer('0 8 3'))).toContain('RTP/AVP 8\r\n');
    }
  });

  test('none left: the stream is refused, and that is told; what cannot be read stays as it is', () => {
    const negotiation = Negotiation.create(new SeededRandom(1), ['PCMA']);
    expect(negotiation.offered(offer('0'))).toMatchObject({ silent: true });
    expect(negotiation.narrow(offer('0')).sdp).toContain('m=audio 0 ');
    expect(negotiation.narrow('nothing')).toEqual({ sdp: 'nothing', silent: false });
    expect(Negotiation.create(new SeededRandom(1)).narrow(offer('0'))).toEqual({ sdp: offer('0'), silent: false });
  });
});
