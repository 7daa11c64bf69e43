import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { tone } from '../../../src/media/audio/tone.js';
import { fileSink } from '../../../src/media/recording/file-sink.js';
import { blobSink, MemorySink } from '../../../src/media/recording/memory-sink.js';
import { Recorder, type RecordResult } from '../../../src/media/recording/recorder.js';
import type { RecordingSink } from '../../../src/media/recording/recording-sink.js';
import type { MediaSession } from '../../../src/media/session/media-session.js';
import { Player } from '../../../src/media/session/player.js';
import { chord } from '../../../src/protocol/audio/tones.js';
import { readWav } from '../../../src/protocol/audio/wav-reader.js';
import { MemoryBlobs } from '../../../src/storage/memory-blobs.js';
import { audioPort, peak, purity, type RtpPhone, Studio, sine } from '../session/studio.js';

const A440 = tone({ steps: [{ sines: chord([440], -10) }] });

let studio = new Studio();

afterEach(async () => {
  await studio.close();
  expect(studio.world.leaks()).toEqual([]);
  studio = new Studio();
});

async function call(): Promise<{ session: MediaSession; phone: RtpPhone; recorder: Recorder; talk: Talk }> {
  const session = await studio.session();
  const phone = await studio.phone();
  const to = audioPort(session.answer(phone.offer()));
  const talk: Talk = (hz, ms) => phone.talk(hz === 0 ? new Int16Array(ms * 8) : sine(hz, ms), to);
  return { session, phone, recorder: new Recorder(session), talk };
}

type Talk = (hz: number, ms: number) => Promise<void>;

/** The two channels of a stereo file, which the reader would mix. */
function stereo(bytes: Uint8Array): readonly [Int16Array, Int16Array] {
  const samples = new Int16Array(Uint8Array.from(bytes.subarray(44)).buffer);
  const channel = (first: number): Int16Array => samples.filter((_sample, i) => i % 2 === first);
  return [channel(0), channel(1)];
}

describe('recording', () => {
  test('what is heard: the tone that the phone sends has its frequency, and nothing of what is played to it', async () => {
    const { session, recorder, talk } = await call();
    const sink = new MemorySink();
    void new Player(session).play(A440);
    const recorded = recorder.record(sink);
    await talk(1000, 2000);
    recorder.stop();
    const result = await recorded;
    expect(result).toMatchObject({ reason: 'stopped', trailingSilenceMs: 0 });
    const { samples, rate, format } = readWav(sink.bytes);
    expect(rate).toBe(8000);
    expect(format.channels).toBe(1);
    expect(samples.length).toBe(result.durationMs * 8);
    expect(result.durationMs).toBeGreaterThanOrEqual(1980);
    expect(purity(samples.subarray(800), 1000)).toBeGreaterThan(0.98);
  });

  test('both directions in one channel, or in two', async () => {
    const { session, recorder, talk } = await call();
    void new Player(session).play(A440);
    const mixed = new MemorySink();
    const first = recorder.record(mixed, { channels: 'mixed' });
    await talk(1000, 1000);
    const second = new MemorySink();
    const next = recorder.record(second, { channels: 'stereo' });
    expect((await first).reason).toBe('stopped');
    await talk(1000, 1000);
    recorder.stop();
    await next;
    const { samples } = readWav(mixed.bytes);
    for (const hz of [440, 1000]) expect(purity(samples.subarray(800), hz)).toBeGreaterThan(0.2);
    expect(readWav(second.bytes).format.channels).toBe(2);
    const [left, right] = stereo(second.bytes);
    expect(purity(left.subarray(800), 1000)).toBeGreaterThan(0.98);
    expect(purity(right.subarray(800), 440)).toBeGreaterThan(0.98);
  });

  for (const [name, options, expected] of [
    ['the longest time allowed', { maxMs: 730 }, { reason: 'limit', durationMs: 730 }],
    ['silence', { silenceMs: 500 }, { reason: 'silence' }],
    ['a key', { stopDigits: ['#'] }, { reason: 'digit', digit: '#' }],
    ['the end of the call', {}, { reason: 'closed' }],
  ] as const) {
    test(`ended by ${name}`, async () => {
      const { session, recorder, talk } = await call();
      const sink = new MemorySink();
      const recorded = recorder.record(sink, options);
      await talk(1000, 1000);
      session.injectDigit('1');
      await talk(0, 1000);
      session.injectDigit('#');
      await session.close();
      const result = await recorded;
      expect(result).toMatchObject(expected);
      expect(readWav(sink.bytes).samples.length).toBe(result.durationMs * 8);
      if (result.reason === 'silence') {
        expect(result.trailingSilenceMs).toBe(500);
        expect(Math.abs(result.durationMs - 1560)).toBeLessThanOrEqual(80);
      }
    });
  }

  test('paused: what is said then is not in it', async () => {
    const { recorder, talk } = await call();
    const sink = new MemorySink();
    const recorded = recorder.record(sink);
    await talk(500, 500);
    recorder.pause();
    await talk(900, 500);
    recorder.resume();
    await talk(500, 500);
    recorder.stop();
    const { durationMs } = await recorded;
    expect(Math.abs(durationMs - 1000)).toBeLessThanOrEqual(40);
    expect(purity(readWav(sink.bytes).samples, 900)).toBeLessThan(0.2);
  });

  test('a phone that sends nothing is recorded as silence', async () => {
    const { recorder } = await call();
    const sink = new MemorySink();
    const recorded = recorder.record(sink, { maxMs: 500 });
    await studio.advance(600);
    expect((await recorded).reason).toBe('limit');
    expect(peak(readWav(sink.bytes).samples)).toBe(0);
  });

  test('by its signal, also one that has fired before', async () => {
    const { recorder } = await call();
    const abort = new AbortController();
    const recorded = recorder.record(new MemorySink(), { signal: abort.signal });
    await studio.advance(100);
    abort.abort();
    expect((await recorded).reason).toBe('stopped');
    expect(recorder.recording).toBe(false);
    expect(await recorder.record(new MemorySink(), { signal: abort.signal })).toMatchObject({ durationMs: 0 });
  });
});

describe('where it goes', () => {
  test('a file, which can be played at any time while it grows', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recorder-'));
    try {
      const path = join(folder, 'call.wav');
      const { recorder, talk } = await call();
      const recorded = recorder.record(fileSink(path));
      await talk(1000, 2500);
      await written(path, 44 + 32_000);
      // As a process leaves it that is killed now.
      const early = readWav(await readFile(path));
      expect(early.samples.length).toBe(16_000);
      expect(purity(early.samples.subarray(800), 1000)).toBeGreaterThan(0.98);
      recorder.stop();
      const { durationMs } = await recorded;
      const bytes = await readFile(path);
      expect(bytes.readUInt32LE(40)).toBe(durationMs * 16);
      expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
      expect(readWav(bytes).samples.length).toBe(durationMs * 8);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a blob store, whole', async () => {
    const store = new MemoryBlobs({ clock: studio.world.ports.scheduler });
    const { recorder, talk } = await call();
    const recorded = recorder.record(blobSink(store, 't/voicemail/1.wav'), { maxMs: 500 });
    await talk(1000, 700);
    await recorded;
    const info = await store.stat('t/voicemail/1.wav');
    expect(info).toMatchObject({ size: 44 + 8000, contentType: 'audio/wav' });
  });

  test('a sink that fails ends it and says why; it is closed all the same', async () => {
    for (const step of ['write', 'patch', 'close'] as const) {
      const { recorder, talk, session } = await call();
      const closed: string[] = [];
      const fail = (own: string): void => {
        if (own === 'close') closed.push(own);
        if (own === step) throw new Error(`no ${own}`);
      };
      const sink: RecordingSink = {
        write: async () => fail('write'),
        patch: async () => fail('patch'),
        close: async () => fail('close'),
      };
      const recorded = recorder.record(sink, { maxMs: 3000 });
      await talk(1000, 3500);
      expect(await recorded).toMatchObject({ reason: 'failed', error: { message: `no ${step}` } });
      expect(closed).toEqual(['close']);
      await session.close();
      await studio.close();
      studio = new Studio();
    }
  });

  test('a sink that hangs fills no memory: the recording ends', async () => {
    const { recorder, session } = await call();
    let release: () => void = () => {};
    const hangs = new Promise<void>((resolve) => (release = resolve));
    const recorded = recorder.record({ write: () => hangs, patch: () => {}, close: () => {} });
    let result: RecordResult | undefined;
    void recorded.then((value) => (result = value));
    await studio.advance(80_000);
    expect(recorder.recording).toBe(false);
    release();
    await studio.advance(10);
    expect(result).toMatchObject({ reason: 'failed', error: { code: 'STORAGE_FAILED' } });
    await session.close();
  });
});

/** Real time, in which a file grows to a size. */
async function written(path: string, size: number): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    if (bytes.length >= size && bytes.readUInt32LE(40) === size - 44) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
