import { parseMessage, SipParseError } from '../../../src/protocol/sip/parse.js';
import { type Frame, StreamFramer } from '../../../src/protocol/sip/stream-framer.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { sipSeeds, sipWords } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const LIMITS = { maxHeaderBytes: 4_096, maxBodyBytes: 2_048 };
const LARGEST_CHUNK = 512;

const SEEDS: readonly Uint8Array[] = sipSeeds.flatMap((bytes, i) => {
  const next = sipSeeds[(i * 7 + 3) % sipSeeds.length] as Uint8Array;
  return [bytes, Buffer.concat([bytes, Buffer.from(i % 2 === 0 ? '\r\n\r\n' : ''), next])];
});

/** A byte stream: the same messages and the same end, however it is cut into segments (RFC 3261 §18.3). */
export const streamTarget: FuzzTarget = {
  name: 'stream',
  share: 80,
  material: {
    seeds: SEEDS,
    words: [Buffer.from('\r\nContent-Length: 3'), Buffer.from('\r\nl: 3'), ...sipWords],
    lines: true,
  },
  check(input) {
    const whole = framesOf(input, [input.length]);
    const random = new SeededRandom(input.length * 31 + (input[0] ?? 0));
    const sizes = Array.from({ length: 64 }, () => 1 + random.integer(random.chance(0.5) ? 4 : LARGEST_CHUNK));
    const pieces = framesOf(input, sizes);
    hold(pieces.length === whole.length, `in pieces ${pieces.length} frames, at once ${whole.length}`);
    whole.forEach((frame, i) => {
      hold(frame.equals(pieces[i] as Buffer), `frame ${i} is the same in pieces`);
      refusedAs(SipParseError, () => parseMessage(frame));
    });
  },
};

/** The messages, and `error` for a stream that cannot be followed; keep-alives are told apart by timing and do not count. */
function framesOf(input: Uint8Array, sizes: readonly number[]): Buffer[] {
  const framer = new StreamFramer(LIMITS);
  const frames: Frame[] = [];
  for (let at = 0, i = 0; at < input.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] as number);
    frames.push(...framer.push(input.subarray(at, at + size)));
    at += size;
    hold(
      framer.pending <= LIMITS.maxHeaderBytes + LIMITS.maxBodyBytes + Math.max(size, LARGEST_CHUNK),
      'no more waits than one message',
    );
  }
  return frames.flatMap((frame) => {
    if (frame.type === 'message') return [Buffer.from(frame.bytes)];
    return frame.type === 'error' ? [Buffer.from(`error ${frame.error.status}`)] : [];
  });
}
