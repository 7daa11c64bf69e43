import { isRejected, SrtpReceiver, SrtpSender } from '../../../src/protocol/srtp/context.js';
import type { SrtpMasterKey } from '../../../src/protocol/srtp/crypto-attribute.js';
import { type SrtpSuiteName, srtpSuite } from '../../../src/protocol/srtp/suite.js';
import { vectors } from '../../protocol/srtp/vectors.js';
import { hex, packetsOf, rtcpSeeds, SSRC, train, voicePacket } from '../input/media-seeds.js';
import { type FuzzTarget, hold } from './target.js';

interface Keyed {
  readonly suite: SrtpSuiteName;
  readonly masterKey: SrtpMasterKey;
}

function keyed(suite: SrtpSuiteName, more: Partial<SrtpMasterKey> = {}): Keyed {
  const { keyBytes, saltBytes } = srtpSuite(suite);
  const masterKey = { key: new Uint8Array(keyBytes).fill(0x11), salt: new Uint8Array(saltBytes).fill(0x22), ...more };
  return { suite, masterKey };
}

/** A tag of 32 bits may be guessed in a million tries of many packets, and is left to the tests of the cipher. */
const CONTEXTS: readonly Keyed[] = [
  keyed('AES_CM_128_HMAC_SHA1_80'),
  keyed('AEAD_AES_128_GCM'),
  keyed('AES_CM_128_HMAC_SHA1_80', { mki: hex('0001') }),
  keyed('AEAD_AES_128_GCM', { mki: hex('0a0b0c0d') }),
];

/** Over the wrap of the sequence numbers. */
const FIRST = 0xfffc;
const VOICE = Array.from({ length: 8 }, (_none, i) => voicePacket((FIRST + i) & 0xffff));
/** Encoded, so that authenticity is a look-up. */
const GENUINE = new Set([...VOICE, ...rtcpSeeds].map((packet) => Buffer.from(packet).toString('latin1')));

const AFTER = 8;

function sealed(context: Keyed): Uint8Array[] {
  const sender = new SrtpSender(context);
  const results = [
    ...VOICE.map((packet) => sender.protect(packet)),
    ...rtcpSeeds.map((packet) => sender.protectRtcp(packet)),
  ];
  return results.filter((result) => !isRejected(result)) as Uint8Array[];
}

/** What each sender protects after all that: it must still be taken. */
const NEXT = CONTEXTS.map((context) => {
  const sender = new SrtpSender(context);
  for (const packet of VOICE) sender.protect(packet);
  return sender.protect(voicePacket((FIRST + AFTER) & 0xffff)) as Uint8Array;
});

const SEEDS = CONTEXTS.map((context, i) => Buffer.concat([Buffer.from([i]), train(sealed(context))]));
const FOREIGN = vectors
  .flatMap(({ srtp, srtcp }) => [srtp, srtcp])
  .filter((text) => text !== undefined)
  .map(hex);

/**
 * Trains of SRTP and SRTCP under a key of ours (the first byte says which): nothing is taken but what was sent, each once, and what is
 * refused changes nothing: the next genuine packet is taken (RFC 3711 §3.3, RFC 7714).
 */
export const srtpTarget: FuzzTarget = {
  name: 'srtp',
  share: 30,
  material: {
    seeds: [...SEEDS, ...FOREIGN.map((packet) => Buffer.concat([Buffer.from([1]), train([packet])]))],
    words: [...SEEDS.map((seed) => seed.subarray(1, 200)), hex('80c90001'), hex('80000000')],
    lines: false,
    binary: true,
  },
  check(input) {
    const which = (input[0] ?? 0) % CONTEXTS.length;
    const receiver = new SrtpReceiver(CONTEXTS[which] as Keyed);
    const taken = new Set<string>();
    for (const packet of packetsOf(input.subarray(1))) {
      const before = Buffer.from(packet).toString('latin1');
      for (const result of [receiver.unprotect(packet), receiver.unprotectRtcp(packet)]) {
        if (isRejected(result)) continue;
        const clear = Buffer.from(result).toString('latin1');
        hold(GENUINE.has(clear), 'only what was sent is taken');
        hold(!taken.has(clear), 'and once');
        taken.add(clear);
      }
      hold(before === Buffer.from(packet).toString('latin1'), 'a packet stays as it came');
    }
    // Without the first packets the receiver cannot know of the wrap (RFC 3711 §3.3.1).
    const wrapped = [...taken].some((clear) => clear.charCodeAt(1) === 8 && clear.charCodeAt(2) === 0xff);
    if (!wrapped) return;
    const next = receiver.unprotect(NEXT[which] as Uint8Array);
    hold(
      !isRejected(next) && next.length === 172,
      `the next genuine packet of ${SSRC} is taken: ${JSON.stringify(next)}`,
    );
  },
};
