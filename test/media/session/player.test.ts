import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { AudioSource, EncodedSource, Sound } from '../../../src/media/audio/audio-source.js';
import { Broadcast } from '../../../src/media/audio/broadcast.js';
import { silence } from '../../../src/media/audio/silence.js';
import { g711, pcm, wav, wavFile } from '../../../src/media/audio/sounds.js';
import { tone } from '../../../src/media/audio/tone.js';
import type { MediaSession } from '../../../src/media/session/media-session.js';
import { Player } from '../../../src/media/session/player.js';
import { G711 } from '../../../src/protocol/audio/g711.js';
import { beep, chord } from '../../../src/protocol/audio/tones.js';
import { completeWav, wavHeader } from '../../../src/protocol/audio/wav-writer.js';
import { peak, purity, type RtpPhone, Studio, sine } from './studio.js';

let studio = new Studio();

afterEach(async () => {
  await studio.close();
  expect(studio.world.leaks()).toEqual([]);
  studio = new Studio();
});

async function call(): Promise<{ session: MediaSession; phone: RtpPhone; player: Player }> {
  const session = await studio.session();
  const phone = await studio.phone();
  session.answer(phone.offer());
  return { session, phone, player: new Player(session) };
}

/** A WAV file of 16-bit samples. */
function wavBytes(samples: Int16Array, rate = 8000): Uint8Array {
  const format = { encoding: 'pcm', rate, channels: 1 } as const;
  const header = wavHeader(format);
  const { bytes, offset } = completeWav(format, samples.length * 2);
  header.set(bytes, offset);
  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}

/** How long the phone heard something, in milliseconds. */
function heardMs(phone: RtpPhone): number {
  return phone.heard.filter(({ payload }) => peak(G711.decodeAlaw(payload)) > 100).length * 20;
}

async function* slowly(pieces: readonly Int16Array[], everyMs: number): AsyncGenerator<Int16Array> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => studio.world.ports.scheduler.after(everyMs, resolve));
    yield piece;
  }
}

describe('playing', () => {
  for (const [name, sound] of [
    ['samples', () => pcm(sine(600, 1000))],
    ['bytes of samples, cut anywhere', () => pcm(inOddPieces(Buffer.from(sine(600, 1000).buffer)))],
    ['A-law', () => g711('PCMA', G711.encodeAlaw(sine(600, 1000)))],
    ['µ-law', () => g711('PCMU', G711.encodeUlaw(sine(600, 1000)))],
    ['a WAV file of 8 kHz', () => wav(wavBytes(sine(600, 1000)))],
    ['a WAV file of 44.1 kHz, cut anywhere', () => wav(inOddPieces(wavBytes(sineAt(600, 1000, 44_100), 44_100)))],
    ['a tone', () => tone({ steps: [{ sines: chord([600]) }] }, { durationMs: 1000 })],
  ] as const) {
    test(`${name}: heard as it is, once, and finished`, async () => {
      const { phone, player } = await call();
      const played = player.play(sound());
      await studio.advance(1300);
      const result = await played;
      expect(result.kind).toBe('finished');
      expect(Math.abs(result.positionMs - 1000)).toBeLessThan(3);
      expect(Math.abs(heardMs(phone) - 1000)).toBeLessThanOrEqual(40);
      const heard = phone.samples();
      const from = heard.findIndex((sample) => Math.abs(sample) > 100);
      expect(purity(heard.subarray(from + 80, from + 7600), 600)).toBeGreaterThan(0.99);
    });
  }

  test('a file on disk; one that is missing or no WAV says why it failed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'player-'));
    try {
      const path = join(folder, 'hello.wav');
      const bad = join(folder, 'bad.wav');
      await writeFile(path, wavBytes(sine(600, 700)));
      await writeFile(bad, 'no sound at all, but a text');
      const { phone, player } = await call();
      const played = player.play(wavFile(path));
      await settled(played);
      expect((await played).kind).toBe('finished');
      expect(Math.abs(heardMs(phone) - 700)).toBeLessThanOrEqual(40);
      const missing = player.play([silence(20), wavFile(join(folder, 'none.wav')), silence(1000)]);
      await settled(missing);
      expect(await missing).toMatchObject({ kind: 'failed', error: { code: 'ENOENT' } });
      const broken = player.play(wavFile(bad));
      await settled(broken);
      expect(await broken).toMatchObject({ kind: 'failed', error: { code: 'WAV_PARSE' } });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a sequence with pauses, in order', async () => {
    const { phone, player } = await call();
    const played = player.play([pcm(sine(500, 200)), silence(300), pcm(sine(900, 200))]);
    await studio.advance(1000);
    expect(await played).toEqual({ kind: 'finished', positionMs: 700 });
    const heard = phone.samples();
    const first = heard.findIndex((sample) => Math.abs(sample) > 100);
    expect(purity(heard.subarray(first + 80, first + 1500), 500)).toBeGreaterThan(0.95);
    expect(peak(heard.subarray(first + 1700, first + 3900))).toBeLessThan(20);
    expect(purity(heard.subarray(first + 4080, first + 5500), 900)).toBeGreaterThan(0.95);
  });

  test('again and again, so many times or for ever', async () => {
    const { phone, player } = await call();
    const played = player.play(pcm(sine(500, 200)), { loop: 3 });
    await studio.advance(1000);
    expect((await played).kind).toBe('finished');
    expect(Math.abs(heardMs(phone) - 600)).toBeLessThanOrEqual(60);
    const forever = player.play(tone(beep({ ms: 100 })), { loop: true });
    await studio.advance(5000);
    player.stop();
    expect((await forever).kind).toBe('stopped');
    const nothing = player.play(pcm(new Int16Array(0)), { loop: true });
    await studio.advance(100);
    expect((await nothing).kind).toBe('finished');
  });

  test('paused, gone on, moved about; the position tells what was heard', async () => {
    const { player } = await call();
    const played = player.play(pcm(sine(500, 2000)), { startMs: 500 });
    expect(player.positionMs).toBe(500);
    await studio.advance(200);
    player.pause();
    const { positionMs } = player;
    expect(Math.abs(positionMs - 680)).toBeLessThanOrEqual(30);
    await studio.advance(1000);
    expect(player.positionMs).toBe(positionMs);
    player.resume();
    player.seek(1900);
    await studio.advance(60);
    expect(player.positionMs).toBeGreaterThan(1900);
    await studio.advance(200);
    expect(await played).toEqual({ kind: 'finished', positionMs: 2000 });
  });

  test('from the middle of a sequence, and from behind its end', async () => {
    const { phone, player } = await call();
    const sounds = [pcm(sine(500, 300)), silence(200), tone(beep({ hz: 900, ms: 400 }))];
    const played = player.play(sounds, { startMs: 600 });
    await studio.advance(600);
    expect(await played).toEqual({ kind: 'finished', positionMs: 900 });
    const heard = phone.samples();
    const first = heard.findIndex((sample) => Math.abs(sample) > 100);
    expect(purity(heard.subarray(first + 80, first + 2200), 900)).toBeGreaterThan(0.95);
    const behind = player.play(sounds, { startMs: 5000 });
    await studio.advance(100);
    expect(await behind).toEqual({ kind: 'finished', positionMs: 900 });
  });

  test('moved to behind the end, it ends there: the position is that of the end, of whatever kind the sound is', async () => {
    const { player } = await call();
    for (const sound of [pcm(sine(500, 5000)), silence(5000), tone(beep({ hz: 900, ms: 5000 }))]) {
      const played = player.play(sound);
      await studio.advance(200);
      player.seek(60_000);
      await studio.advance(100);
      expect(await played).toEqual({ kind: 'finished', positionMs: 5000 });
    }
  });

  test('a key ends it where that is wanted, and still counts for what is asked next (barge-in)', async () => {
    const { session, player } = await call();
    const played = player.play(pcm(sine(500, 5000)), { interruptedBy: ['#', '*'] });
    await studio.advance(300);
    session.injectDigit('1');
    expect(player.playing).toBe(true);
    session.injectDigit('#');
    const result = await played;
    expect(result).toMatchObject({ kind: 'interrupted', digit: '#' });
    expect(player.playing).toBe(false);
    expect(await session.collect({ maxDigits: 2, terminators: '' })).toEqual({ digits: '1#', reason: 'enough' });
  });

  test('stopped by its signal, by another play, before it began', async () => {
    const { player } = await call();
    const abort = new AbortController();
    const first = player.play(pcm(sine(500, 5000)), { signal: abort.signal });
    const second = player.play(pcm(sine(500, 5000)), { signal: abort.signal });
    expect(await first).toEqual({ kind: 'stopped', positionMs: 0 });
    await studio.advance(100);
    abort.abort();
    expect((await second).kind).toBe('stopped');
    expect(await player.play(silence(), { signal: abort.signal })).toEqual({ kind: 'stopped', positionMs: 0 });
  });

  test('a source that is too slow is heard with silence between; the beat does not wait', async () => {
    const { phone, player } = await call();
    const pieces = Array.from({ length: 5 }, () => sine(500, 100));
    const played = player.play(pcm(() => slowly(pieces, 200)));
    await studio.advance(1300);
    expect((await played).kind).toBe('finished');
    expect(Math.abs(heardMs(phone) - 500)).toBeLessThanOrEqual(120);
    for (const [i, packet] of phone.heard.entries()) {
      expect(packet.at - (phone.heard[0]?.at ?? 0)).toBeCloseTo(i * 20, 6);
    }
  });

  test('a stream is read as it is played: at most a second or two ahead', async () => {
    const { player } = await call();
    let taken = 0;
    async function* endless(): AsyncGenerator<Int16Array> {
      for (;;) {
        taken += 800;
        yield sine(500, 100);
      }
    }
    const played = player.play(pcm(endless));
    await studio.advance(500);
    expect(taken).toBeLessThan(16_000);
    await studio.advance(3000);
    expect(taken).toBeGreaterThan(24_000);
    expect(taken).toBeLessThan(45_000);
    player.stop();
    await played;
  });

  test('a stream is let go when playing stops, and cannot be played twice; one that breaks says why', async () => {
    const { player } = await call();
    let closed = false;
    async function* stream(): AsyncGenerator<Int16Array> {
      try {
        for (;;) yield sine(500, 100);
      } finally {
        closed = true;
      }
    }
    const sound = pcm(stream());
    const played = player.play(sound);
    await studio.advance(200);
    player.stop();
    await played;
    await studio.advance(1);
    expect(closed).toBe(true);
    const again = player.play(sound);
    await studio.advance(100);
    expect(await again).toMatchObject({ kind: 'failed', error: { code: 'PBX_WRONG_STATE' } });
    async function* broken(): AsyncGenerator<Int16Array> {
      yield sine(500, 100);
      throw new Error('no more');
    }
    const failing = player.play([pcm(broken), silence(1000)]);
    await studio.advance(400);
    expect(await failing).toMatchObject({ kind: 'failed', error: { message: 'no more' }, positionMs: 100 });
  });

  test('a sound of the caller’s that throws is a failure, not the end of the beat', async () => {
    const { phone, player } = await call();
    const sound: Sound = {
      open: (): AudioSource => ({
        ended: false,
        read: () => {
          throw new Error('bad source');
        },
        close: () => {},
      }),
    };
    const played = player.play(sound);
    await studio.advance(100);
    expect(await played).toMatchObject({ kind: 'failed', error: { message: 'bad source' } });
    expect(phone.heard.length).toBeGreaterThanOrEqual(3);
  });

  test('one that throws when it is taken encoded, too', async () => {
    const { phone, player } = await call();
    const source: EncodedSource = {
      ended: false,
      read: (out) => out.length,
      readEncoded: () => {
        throw new Error('bad source');
      },
      close: () => {},
    };
    const played = player.play({ open: () => source });
    await studio.advance(100);
    expect(await played).toMatchObject({ kind: 'failed', error: { message: 'bad source' }, positionMs: 20 });
    expect(phone.heard.length).toBeGreaterThanOrEqual(3);
  });
});

describe('music for many', () => {
  test('each listener hears it whole, on PCMA and PCMU and any packet time; it stands still when nobody listens', async () => {
    const broadcast = new Broadcast({ clock: studio.clock, sound: pcm(sine(500, 2000)) });
    const phones: RtpPhone[] = [];
    const sessions: MediaSession[] = [];
    for (const [i, [formats, ptimeMs]] of (
      [
        [['8 PCMA/8000'], 20],
        [['8 PCMA/8000'], 30],
        [['8 PCMA/8000'], 40],
        [['0 PCMU/8000'], 10],
        [['0 PCMU/8000'], 20],
      ] as const
    ).entries()) {
      const session = await studio.session();
      const phone = await studio.phone({ port: 4000 + 10 * i });
      session.answer(phone.offer({ formats, ptimeMs }));
      const source = broadcast.listen();
      session.send(source);
      session.signal.addEventListener('abort', () => source.close());
      phones.push(phone);
      sessions.push(session);
    }
    expect(broadcast.size).toBe(5);
    await studio.advance(1500);
    for (const [i, phone] of phones.entries()) {
      const heard = phone.samples(i < 3 ? 'PCMA' : 'PCMU');
      expect(heard.length).toBeGreaterThan(11_000);
      expect(purity(heard.subarray(1600, 11_000), 500)).toBeGreaterThan(0.99);
    }
    for (const session of sessions) await session.close();
    expect(broadcast.size).toBe(0);
    expect(studio.clock.size).toBe(0);
    broadcast.close();
    expect(broadcast.listen().ended).toBe(true);
  });

  test('a sound without a sample is silence, and says so', async () => {
    const { session } = await call();
    const broadcast = new Broadcast({ clock: studio.clock, sound: silence(0) });
    session.send(broadcast.listen());
    await studio.advance(200);
    expect(broadcast.failure).toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    broadcast.close();
  });
});

describe('three hundred players', () => {
  test('each gets its packets on the beat', async () => {
    const count = 300;
    const phone = await studio.phone();
    const arrivals = new Map<number, number[]>();
    phone.heard.push = (packet) => {
      const own = arrivals.get(packet.ssrc) ?? [];
      arrivals.set(packet.ssrc, own);
      return own.push(packet.at);
    };
    for (let i = 0; i < count; i++) {
      const session = await studio.session();
      session.answer(phone.offer());
      void new Player(session).play(tone(beep({ ms: 100 })), { loop: true });
    }
    await studio.advance(1000);
    expect(arrivals.size).toBe(count);
    for (const own of arrivals.values()) {
      expect(own.length).toBeGreaterThanOrEqual(48);
      const off = own.map((at, i) => Math.abs(at - (own[0] ?? 0) - i * 20));
      expect(Math.max(...off)).toBeLessThan(1e-6);
    }
  });
});

/** Until it is done, with a moment of real time for the disk on the way. */
async function settled(played: Promise<unknown>): Promise<void> {
  let done = false;
  void played.then(() => (done = true));
  for (let i = 0; i < 500 && !done; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await studio.advance(20);
  }
}

async function* inOddPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 13) % 1999) {
    yield bytes.subarray(at, at + Math.max(1, size));
    if (size === 0) size = 1;
  }
}

function sineAt(hz: number, ms: number, rate: number): Int16Array {
  return Int16Array.from({ length: (ms * rate) / 1000 }, (_none, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hz * i) / rate)),
  );
}
