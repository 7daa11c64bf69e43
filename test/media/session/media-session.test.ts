import { afterEach, describe, expect, test } from 'vitest';
import { AudioPipe } from '../../../src/media/audio/audio-pipe.js';
import { pcm } from '../../../src/media/audio/sounds.js';
import { dtmf, tone } from '../../../src/media/audio/tone.js';
import { type DigitWay, isDigit } from '../../../src/media/session/digit-gate.js';
import type { MediaSession } from '../../../src/media/session/media-session.js';
import { Player } from '../../../src/media/session/player.js';
import { chord } from '../../../src/protocol/audio/tones.js';
import { EventSender } from '../../../src/protocol/rtp/event-sender.js';
import { readRtcp } from '../../../src/protocol/rtp/rtcp.js';
import { audioPort, joined, offerOf, PHONE, peak, purity, type RtpPhone, Studio, sine } from './studio.js';

const A440 = tone({ steps: [{ sines: chord([440]) }] });

let studio = new Studio();

afterEach(async () => {
  await studio.close();
  expect(studio.world.leaks()).toEqual([]);
  studio = new Studio();
});

/** What a session hears, from now on. */
function listening(session: MediaSession): () => Int16Array {
  const blocks: Int16Array[] = [];
  session.listen((block) => blocks.push(block.slice()));
  return () => joined(blocks);
}

function digitsOf(session: MediaSession): string[] {
  const digits: string[] = [];
  session.events.on('digit', ({ digit, way }) => digits.push(`${digit} ${way satisfies DigitWay}`));
  return digits;
}

/** Keys pressed by the phone as RTP events, packet for packet. */
async function press(phone: RtpPhone, keys: string, session: MediaSession, payloadType = 101): Promise<void> {
  const sender = new EventSender();
  sender.press(keys);
  const to = audioPort(session.localDescription ?? '');
  while (sender.busy) {
    const event = sender.tick(phone.timestamp);
    const said = { payloadType, samples: 160 };
    if (event === undefined) phone.say(new Uint8Array(160).fill(0xd5), to);
    else phone.say(event.payload.slice(), to, { ...said, marker: event.marker, timestamp: event.timestamp });
    await studio.advance(20);
  }
}

describe('a session that answers', () => {
  for (const [formats, law, type] of [
    [['8 PCMA/8000', '0 PCMU/8000', '101 telephone-event/8000'], 'PCMA', 8],
    [['8 PCMA/8000'], 'PCMA', 8],
    [['0 PCMU/8000'], 'PCMU', 0],
    [['18 G729/8000', '0 PCMU/8000', '8 PCMA/8000', '96 telephone-event/8000'], 'PCMU', 0],
  ] as const) {
    for (const ptimeMs of [10, 20, 30, 40]) {
      test(`${formats.join(', ')} with ptime ${ptimeMs}: a tone leaves at that pace (RFC 3264 §6.1, RFC 3551 §4.2)`, async () => {
        const session = await studio.session();
        const phone = await studio.phone();
        const answer = session.answer(phone.offer({ formats, ptimeMs }));
        expect(answer).toContain(`a=ptime:${ptimeMs}`);
        expect(session.agreed).toMatchObject({ codec: law, payloadType: type, ptimeMs, direction: 'sendrecv' });
        void new Player(session).play(A440);
        await studio.advance(1000);
        expect(phone.heard.length).toBeGreaterThanOrEqual(1000 / ptimeMs - 2);
        expect(new Set(phone.heard.map((packet) => packet.payload.length))).toEqual(new Set([ptimeMs * 8]));
        expect(new Set(phone.heard.map((packet) => packet.payloadType))).toEqual(new Set([type]));
        for (const [i, packet] of phone.heard.entries()) {
          const before = phone.heard[i - 1];
          expect(packet.marker).toBe(i === 0);
          if (before === undefined) continue;
          expect(packet.sequence).toBe((before.sequence + 1) & 0xffff);
          expect((packet.timestamp - before.timestamp) >>> 0).toBe(ptimeMs * 8);
          expect(packet.at - before.at).toBeCloseTo(ptimeMs, 6);
        }
        expect(purity(phone.samples(law).subarray(800, 7200), 440)).toBeGreaterThan(0.99);
      });
    }
  }

  test('an echo: what the phone says comes back, 60 ms of buffer and a packet later', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const pipe = new AudioPipe();
    session.listen((block) => pipe.write(block));
    session.send(pipe);
    await phone.talk(sine(1000, 1000), to);
    const echo = phone.samples();
    expect(purity(echo.subarray(echo.length - 4800), 1000)).toBeGreaterThan(0.98);
    expect(session.stats.received).toMatchObject({ lost: 0, late: 0, concealedMs: 0 });
  });

  for (const [name, offer] of [
    ['no codec that we know', { formats: ['18 G729/8000', '101 telephone-event/8000'] }],
    ['telephone events alone', { formats: ['101 telephone-event/8000'] }],
    ['DTLS', { protocol: 'UDP/TLS/RTP/SAVPF' }],
  ] as const) {
    test(`${name}: refused with 488, and the next offer is taken (RFC 3264 §6)`, async () => {
      const session = await studio.session();
      const phone = await studio.phone();
      expect(() => session.answer(phone.offer(offer))).toThrow(
        expect.objectContaining({ code: 'SDP_NEGOTIATION', kind: 'remote', status: 488 }),
      );
      expect(session.agreed).toBeUndefined();
      expect(session.answer(phone.offer())).toContain('m=audio');
    });
  }

  test('what is no description at all: 400', async () => {
    const session = await studio.session();
    expect(() => session.answer('hello')).toThrow(expect.objectContaining({ code: 'SDP_PARSE', status: 400 }));
  });

  test('other streams are refused, each in its place (RFC 3264 §6)', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const video = 'm=video 6000 RTP/AVP 97\na=rtpmap:97 H264/90000\n';
    const answer = session.answer(phone.offer({ before: video, after: 'm=audio 7000 RTP/AVP 8\n' }));
    expect(answer.match(/^m=.*$/gm)).toEqual([
      'm=video 0 RTP/AVP 97',
      expect.stringMatching(/^m=audio 2\d{4} RTP\/AVP 8 101$/),
      'm=audio 0 RTP/AVP 8',
    ]);
    void new Player(session).play(A440);
    await studio.advance(100);
    expect(phone.heard.length).toBeGreaterThan(2);
    const again = session.offer();
    expect(again.match(/^m=/gm)).toHaveLength(3);
    expect(again).toContain('m=video 0');
  });
});

describe('a session that offers (late offer, RFC 3264 §5)', () => {
  test('it offers both codecs and events; the answer decides', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const offer = session.offer();
    expect(offer).toMatch(/m=audio 2\d{4} RTP\/AVP 8 0 101\r\n/);
    expect(offer).toContain('a=ptime:20');
    await studio.advance(100);
    session.accept(offerOf(phone.local, { formats: ['0 PCMU/8000', '96 telephone-event/8000'], ptimeMs: 30 }));
    expect(session.agreed).toMatchObject({ codec: 'PCMU', ptimeMs: 30, eventPayloadType: 96 });
    void new Player(session).play(A440);
    await studio.advance(500);
    expect(purity(phone.samples('PCMU').subarray(800), 440)).toBeGreaterThan(0.98);
  });

  test('digits come under our payload type and leave under theirs (RFC 3264 §5.1)', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.offer();
    session.accept(offerOf(phone.local, { formats: ['8 PCMA/8000', '96 telephone-event/8000'] }));
    const digits = digitsOf(session);
    await press(phone, '7', session, 101);
    expect(digits).toEqual(['7 rfc4733']);
    void session.sendDigits('9');
    await studio.advance(500);
    expect(phone.heard.filter(({ payloadType }) => payloadType === 96).length).toBeGreaterThan(5);
    expect(phone.heard.filter(({ payloadType }) => payloadType === 101)).toEqual([]);
  });

  test('an answer that refuses the stream: nothing is sent, and a later offer may bring it back', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.offer();
    session.accept(offerOf(phone.local).replace(/m=audio \d+/, 'm=audio 0'));
    expect(session.agreed).toBeUndefined();
    await studio.advance(200);
    expect(phone.heard).toEqual([]);
    session.offer();
    session.accept(phone.offer());
    await studio.advance(200);
    expect(phone.heard.length).toBeGreaterThan(5);
  });

  test('a refused re-offer changes nothing (RFC 6337 §3.4)', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    session.offer({ direction: 'sendonly' });
    session.rollback();
    expect(session.agreed?.direction).toBe('sendrecv');
    expect(session.answer(phone.offer())).toContain('a=');
  });
});

describe('hold (RFC 3264 §8.4)', () => {
  test('while the phone holds nothing is sent and what is played waits; the stream goes on without a break in its numbers', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    const player = new Player(session);
    void player.play(A440);
    await studio.advance(200);
    expect(session.answer(phone.offer({ direction: 'sendonly' }))).toContain('a=recvonly');
    await studio.advance(20);
    const before = phone.heard.length;
    const position = player.positionMs;
    await studio.advance(1000);
    expect(phone.heard.length).toBe(before);
    expect(player.positionMs).toBe(position);
    expect(session.answer(phone.offer())).toContain('a=sendrecv');
    await studio.advance(200);
    const [last, next] = phone.heard.slice(before - 1);
    expect(phone.heard.length).toBeGreaterThan(before + 5);
    expect(((next?.sequence ?? 0) - (last?.sequence ?? 0)) & 0xffff).toBe(1);
    expect(((next?.timestamp ?? 0) - (last?.timestamp ?? 0)) >>> 0).toBeGreaterThan(8000);
    expect(next?.marker).toBe(true);
  });

  for (const [name, options] of [
    ['inactive', { direction: 'inactive' }],
    ['0.0.0.0 (RFC 2543)', { address: '0.0.0.0' }],
  ] as const) {
    test(`${name}: nothing leaves`, async () => {
      const session = await studio.session();
      const phone = await studio.phone();
      session.answer(phone.offer(options));
      void new Player(session).play(A440);
      await studio.advance(300);
      expect(phone.heard).toEqual([]);
    });
  }

  test('we hold: music leaves, and what the phone says is not heard', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    expect(session.offer({ direction: 'sendonly' })).toContain('a=sendonly');
    session.accept(phone.offer({ direction: 'recvonly' }));
    const heard = listening(session);
    void new Player(session).play(A440);
    await phone.talk(sine(1000, 400), audioPort(session.localDescription ?? ''));
    expect(peak(heard())).toBe(0);
    expect(purity(phone.samples().subarray(800), 440)).toBeGreaterThan(0.9);
  });
});

describe('what a session hears', () => {
  test('silence from a peer that sends nothing; it is sent to all the same', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    const heard = listening(session);
    await studio.advance(1000);
    expect(heard().length).toBeGreaterThan(7000);
    expect(peak(heard())).toBe(0);
    expect(phone.heard.length).toBeGreaterThan(45);
    expect(peak(phone.samples())).toBeLessThanOrEqual(8);
    expect(session.stats.received.packets).toBe(0);
  });

  test('one packet in ten lost: hidden, and counted (RFC 3550 §A.3)', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const heard = listening(session);
    await phone.talk(sine(400, 2000), to, { lose: (i) => i % 10 === 5 });
    const { lost, concealedMs } = session.stats.received;
    expect(lost).toBe(10);
    expect(concealedMs).toBeGreaterThan(150);
    expect(purity(heard().subarray(3200, 14_400), 400)).toBeGreaterThan(0.9);
  });

  test('packets in the wrong order and doubled: heard in the right one, once', async () => {
    studio = new Studio({ reorder: 0.2, duplicate: 0.2, delayMs: [1, 5] });
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const heard = listening(session);
    await phone.talk(sine(400, 2000), to);
    expect(session.stats.received.outOfOrder).toBeGreaterThan(5);
    expect(session.stats.received.duplicates).toBeGreaterThan(5);
    expect(purity(heard().subarray(3200, 14_400), 400)).toBeGreaterThan(0.95);
  });

  test('comfort noise (RFC 3389) and payload types that were not agreed on are passed over', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const heard = listening(session);
    for (let i = 0; i < 20; i++) {
      phone.say(new Uint8Array(1).fill(40), to, { payloadType: i % 2 === 0 ? 13 : 18, samples: 160 });
      await studio.advance(20);
    }
    expect(peak(heard())).toBe(0);
    expect(session.stats.received.unusable).toBe(20);
  });

  test('our own packets, sent back by a loop, are not heard (RFC 3550 §8.2); nor are giant ones', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const heard = listening(session);
    void new Player(session).play(A440);
    await studio.advance(200);
    phone.ssrc = phone.heard[0]?.ssrc ?? 0;
    await phone.talk(sine(1000, 300), to);
    phone.ssrc = 77;
    for (let i = 0; i < 10; i++) phone.say(new Uint8Array(20_000).fill(i), to, { samples: 160 });
    await studio.advance(300);
    expect(peak(heard())).toBe(0);
    expect(session.stats.received.unusable).toBe(25);
  });

  test('STUN, DTLS and rubbish on the port of RTP; giant RTCP and our own, sent back, on that of RTCP: each is counted once', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const rtcpTo = { ...to, port: to.port + 1 };
    const heard = listening(session);
    await studio.advance(10_000);
    const [report] = phone.rtcp;
    expect(report?.length).toBeGreaterThan(20);
    const looped = report ?? new Uint8Array(0);
    const binding = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    for (const data of [
      binding,
      Buffer.from('16feff0000', 'hex'),
      Buffer.from('ff00', 'hex'),
      Buffer.from([0x80, 8, 0]),
    ])
      phone.raw(data, to);
    phone.rawRtcp(looped, rtcpTo);
    phone.rawRtcp(
      Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 9]))),
      rtcpTo,
    );
    phone.rawRtcp(binding, rtcpTo);
    await studio.advance(200);
    expect(session.stats).toMatchObject({ received: { unusable: 4, packets: 0 }, badRtcp: 3, strangers: 0 });
    const stranger = await studio.phone({ address: '203.0.113.66', port: 4000 });
    for (const data of [binding, looped]) {
      stranger.raw(data, to);
      stranger.rawRtcp(data, rtcpTo);
    }
    await studio.advance(200);
    expect(session.stats).toMatchObject({ received: { unusable: 4 }, badRtcp: 3, strangers: 4 });
    expect([peak(heard()), stranger.heard, stranger.rtcp]).toEqual([0, [], []]);
  });

  test('bytes that are no RTP, cut and random ones, on both ports: counted, never thrown, never heard', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    const heard = listening(session);
    const random = studio.world.random.fork('noise');
    for (let i = 0; i < 400; i++) {
      const noise = random.bytes(random.integer(i % 10 === 0 ? 1500 : 40));
      if (i % 3 === 0 && noise.length > 0) noise[0] = 0x80 | random.integer(64);
      if (i % 7 === 0 && noise.length > 1) noise[1] = 200 + random.integer(5);
      phone.raw(noise, to);
      phone.rawRtcp(noise, { ...to, port: to.port + 1 });
      if (i % 4 === 0) await studio.advance(5);
    }
    expect(peak(heard())).toBe(0);
    await phone.talk(sine(500, 600), to);
    expect(purity(heard().subarray(-2400), 500)).toBeGreaterThan(0.98);
  });
});

describe('from whom (RFC 7362, RFC 4961)', () => {
  test('what is not taken is counted once: before the agreement, until it is known whose it is, and on hold', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const other = await studio.phone({ port: 4600 });
    const to = audioPort(session.offer());
    const ignored = () => [session.stats.ignored, session.stats.strangers, session.stats.received.packets];
    await phone.talk(sine(500, 60), to);
    phone.rawRtcp(new Uint8Array(8), { ...to, port: to.port + 1 });
    await studio.advance(20);
    expect(ignored()).toEqual([4, 0, 0]);
    session.accept(phone.offer());
    // From another port than the one described: the fourth packet tells.
    await other.talk(sine(500, 200), to);
    await studio.advance(20);
    expect(ignored().slice(0, 2)).toEqual([7, 0]);
    const taken = session.stats.received.packets;
    session.answer(phone.offer({ direction: 'inactive' }));
    await other.talk(sine(500, 100), to);
    await studio.advance(20);
    expect(ignored()).toEqual([12, 0, taken]);
  });

  test('a stranger is neither heard nor sent to, before and after the phone has spoken', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const stranger = await studio.phone({ address: '203.0.113.66', port: 4000 });
    const to = audioPort(session.answer(phone.offer()));
    const heard = listening(session);
    await stranger.talk(sine(700, 300), to);
    expect(peak(heard())).toBe(0);
    await phone.talk(sine(500, 600), to);
    await stranger.talk(sine(700, 300), to);
    expect(stranger.heard).toEqual([]);
    expect(session.stats.strangers).toBe(30);
    expect(purity(heard().subarray(3200, 5600), 500)).toBeGreaterThan(0.95);
  });

  test('a phone behind a NAT: learned from the address of its signalling, whatever port, after several packets', async () => {
    const session = await studio.session({ remoteAddress: PHONE });
    const phone = await studio.phone({ port: 9100 });
    const to = audioPort(session.answer(offerOf({ address: '192.168.1.20', port: 4000 })));
    void new Player(session).play(A440);
    await studio.advance(200);
    expect(phone.heard).toEqual([]);
    await phone.talk(sine(500, 400), to);
    expect(phone.heard.length).toBeGreaterThan(10);
    expect(session.stats.remote).toEqual({ address: PHONE, port: 9100 });
  });

  test('its signalling comes from elsewhere: from the next agreement on its media may, and no longer from where it was', async () => {
    const moved = '203.0.113.66';
    const session = await studio.session({ remoteAddress: PHONE });
    const [before, after] = [await studio.phone({ port: 9100 }), await studio.phone({ address: moved, port: 9200 })];
    const offer = offerOf({ address: '192.168.1.20', port: 4000 });
    const to = audioPort(session.answer(offer));
    await before.talk(sine(500, 200), to);
    expect(session.stats.remote).toEqual(before.local);
    session.peerAt(moved);
    session.answer(offer);
    await before.talk(sine(500, 100), to);
    expect(session.stats.strangers).toBe(5);
    await after.talk(sine(500, 200), to);
    expect(session.stats).toMatchObject({ strangers: 5, remote: after.local });
  });

  test('once learned, another port of the same address is a stranger too, until the phone describes itself anew', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const other = await studio.phone({ port: 5000 });
    const to = audioPort(session.answer(phone.offer()));
    await phone.talk(sine(500, 200), to);
    await other.talk(sine(500, 200), to);
    expect(other.heard).toEqual([]);
    session.answer(other.offer());
    await other.talk(sine(500, 200), to);
    expect(other.heard.length).toBeGreaterThan(5);
  });
});

describe('digits', () => {
  test('RFC 4733: one for each key, also with an end packet lost; collected up to the terminator', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    const digits = digitsOf(session);
    const collected = session.collect({ firstDigitMs: 5000 });
    await press(phone, '120#', session);
    expect(digits).toEqual(['1 rfc4733', '2 rfc4733', '0 rfc4733', '# rfc4733']);
    expect(await collected).toEqual({ digits: '120', reason: 'terminator', terminator: '#' });
  });

  test('by two ways at once a key is one; the same key twice by one way is two', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    const digits = digitsOf(session);
    await press(phone, '5', session);
    session.injectDigit('5');
    await studio.advance(300);
    session.injectDigit('5');
    session.injectDigit('hook');
    expect(digits).toEqual(['5 rfc4733', '5 info']);
  });

  test('as tones, from a peer that has no RTP events', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer({ formats: ['8 PCMA/8000'] })));
    const digits = digitsOf(session);
    const played = render('19#', 6);
    await phone.talk(played, to);
    await studio.advance(300);
    expect(digits).toEqual(['1 inband', '9 inband', '# inband']);
  });

  test('tones of a peer that agreed on RTP events are audio, unless told otherwise', async () => {
    for (const [inbandDigits, expected] of [
      ['auto', []],
      ['always', ['1 inband']],
    ] as const) {
      const session = await studio.session({ inbandDigits });
      const phone = await studio.phone({ port: inbandDigits === 'auto' ? 4000 : 4100 });
      const to = audioPort(session.answer(phone.offer()));
      const digits = digitsOf(session);
      await phone.talk(render('1', 3), to);
      await studio.advance(300);
      expect(digits).toEqual(expected);
    }
  });

  test('sent as RTP events: three end packets each, and audio goes on afterwards (RFC 4733 §2.5.1)', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    await studio.advance(100);
    let done = false;
    void session.sendDigits('1#').then(() => (done = true));
    await studio.advance(300);
    expect(done).toBe(false);
    await studio.advance(300);
    expect(done).toBe(true);
    const events = phone.heard.filter(({ payloadType }) => payloadType === 101);
    expect([...new Set(events.map(({ payload }) => payload[0]))]).toEqual([1, 11]);
    for (const code of [1, 11]) {
      const ends = events.filter(({ payload }) => payload[0] === code && ((payload[1] ?? 0) & 0x80) !== 0);
      expect(ends).toHaveLength(3);
    }
    await studio.advance(100);
    expect(phone.heard.at(-1)?.payloadType).toBe(8);
  });

  test('sent as tones to a peer that has no RTP events', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer({ formats: ['0 PCMU/8000'] }));
    let done = false;
    void session.sendDigits('5').then(() => (done = true));
    await studio.advance(400);
    expect(done).toBe(true);
    const loud = phone.samples('PCMU').filter((sample) => Math.abs(sample) > 100);
    expect(loud.length).toBeGreaterThan(600);
  });

  test('what is no digit is the caller’s mistake; an aborted signal and a closed session end it', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    session.answer(phone.offer());
    await expect(session.sendDigits('1x')).rejects.toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    const abort = new AbortController();
    const sending = session.sendDigits('1234567890', { signal: abort.signal });
    const sounding = session.sendDigits('1234567890', { by: 'inband' });
    await studio.advance(100);
    abort.abort();
    await studio.advance(300);
    await sending;
    await session.close();
    await sounding;
  });
});

describe('RTCP (RFC 3550 §6)', () => {
  test('sender reports with a name, about what is heard, and a goodbye at the end', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    const to = audioPort(session.answer(phone.offer()));
    await phone.talk(sine(400, 10_000), to, { lose: (i) => i % 10 === 0 });
    expect(phone.rtcp.length).toBeGreaterThanOrEqual(1);
    const [report, description] = readRtcp(phone.rtcp[0] ?? new Uint8Array()) ?? [];
    expect(report).toMatchObject({ kind: 'sr', reports: [{ ssrc: phone.ssrc }] });
    expect(description).toMatchObject({ kind: 'sdes', chunks: [{ items: [{ type: 1 }] }] });
    const lost = readRtcp(phone.rtcp.at(-1) ?? new Uint8Array())?.[0];
    expect(lost?.kind === 'sr' && (lost.reports[0]?.fractionLost ?? 0) > 10).toBe(true);
    await session.close();
    await studio.advance(100);
    expect(readRtcp(phone.rtcp.at(-1) ?? new Uint8Array())?.map(({ kind }) => kind)).toEqual(['sr', 'sdes', 'bye']);
  });

  test('on the port of RTP where both say so (RFC 5761)', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    expect(session.answer(phone.offer({ attributes: ['rtcp-mux'] }))).toContain('a=rtcp-mux');
    expect(session.agreed?.rtcpMux).toBe(true);
    await studio.advance(10_000);
    expect(phone.rtcp.length).toBeGreaterThanOrEqual(1);
  });
});

describe('the end', () => {
  test('every port comes back, whoever closes when', async () => {
    for (let i = 0; i < 50; i++) {
      const session = await studio.session();
      if (i % 3 === 0) session.offer();
      if (i % 3 === 1) session.answer(offerOf({ address: PHONE, port: 4000 }));
      await studio.advance(i);
      await Promise.all([session.close(), session.close()]);
    }
    expect(studio.ports.stats.used).toBe(0);
    expect(studio.clock.size).toBe(0);
  });

  test('a closed session says so', async () => {
    const session = await studio.session();
    const collected = session.collect();
    const played = new Player(session).play(pcm(sine(400, 1000)));
    await session.close();
    expect(session.signal.aborted).toBe(true);
    expect((await collected).reason).toBe('closed');
    expect((await played).kind).toBe('stopped');
    expect(() => session.offer()).toThrow(expect.objectContaining({ code: 'PBX_WRONG_STATE' }));
  });
});

/** Digits as tones, with silence around them: as many tenths of a second as asked for and a little. */
function render(digits: string, tenths: number): Int16Array {
  const source = dtmf([...digits].filter(isDigit)).open();
  const out = new Int16Array((tenths + 2) * 800);
  source.read(out.subarray(800));
  return out;
}
