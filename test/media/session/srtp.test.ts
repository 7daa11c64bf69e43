import { afterEach, describe, expect, test } from 'vitest';
import { tone } from '../../../src/media/audio/tone.js';
import { PortPool } from '../../../src/media/port-pool.js';
import { MediaClock } from '../../../src/media/session/media-clock.js';
import { MediaSession } from '../../../src/media/session/media-session.js';
import type { MediaSessionOptions } from '../../../src/media/session/media-session-options.js';
import { Player } from '../../../src/media/session/player.js';
import { G711 } from '../../../src/protocol/audio/g711.js';
import { chord } from '../../../src/protocol/audio/tones.js';
import { RTP_HEADER_BYTES, writeRtp } from '../../../src/protocol/rtp/packet.js';
import { isRejected, SrtpSender } from '../../../src/protocol/srtp/context.js';
import { formatCryptoAttribute, type SrtpMasterKey } from '../../../src/protocol/srtp/crypto-attribute.js';
import type { SrtpSuiteName } from '../../../src/protocol/srtp/suite.js';
import { audioPort, joined, peak, purity, Studio, sine } from './studio.js';

const A440 = tone({ steps: [{ sines: chord([440]) }] });

let studio = new Studio();

afterEach(async () => {
  await studio.close();
  expect(studio.world.leaks()).toEqual([]);
  studio = new Studio();
});

/** A session on another machine: the other end of the call. */
async function farSession(options: Partial<MediaSessionOptions> = {}): Promise<MediaSession> {
  const machine = studio.world.host('far', '198.51.100.7');
  const { ports } = machine;
  const session = await MediaSession.open({
    ...ports,
    clock: new MediaClock(ports),
    ports: new PortPool(ports),
    address: '198.51.100.7',
    ...options,
  });
  return studio.world.use(session);
}

function listening(session: MediaSession): () => Int16Array {
  const blocks: Int16Array[] = [];
  session.listen((block) => blocks.push(block.slice()));
  return () => joined(blocks);
}

describe('SRTP between two sessions (RFC 4568, RFC 3711)', () => {
  test('offered, answered, heard both ways; a re-offer keeps the keys and their counters', async () => {
    const near = await studio.session({ srtp: 'offer' });
    const far = await farSession();
    const offer = near.offer();
    expect(offer).toMatch(/^m=audio \d+ RTP\/SAVP /m);
    expect(offer.match(/^a=crypto:\d /gm)).toHaveLength(2);
    near.accept(far.answer(offer));
    expect(near.agreed?.crypto?.ours).toEqual(far.agreed?.crypto?.theirs);
    expect(near.agreed?.crypto?.theirs).toEqual(far.agreed?.crypto?.ours);
    const [atNear, atFar] = [listening(near), listening(far)];
    void new Player(near).play(A440);
    void new Player(far).play(tone({ steps: [{ sines: chord([1000]) }] }));
    await studio.advance(1000);
    const { crypto } = near.agreed ?? {};
    far.accept(near.answer(far.offer({ direction: 'sendrecv' })));
    expect(near.agreed?.crypto?.ours.masterKey).toEqual(crypto?.ours.masterKey);
    expect(near.agreed?.crypto?.theirs.masterKey).toEqual(crypto?.theirs.masterKey);
    await studio.advance(7000);
    expect(purity(atNear().subarray(-8000), 1000)).toBeGreaterThan(0.99);
    expect(purity(atFar().subarray(-8000), 440)).toBeGreaterThan(0.99);
    expect(near.stats).toMatchObject({ rejected: 0, strangers: 0, badRtcp: 0, received: { lost: 0, unusable: 0 } });
    expect(near.stats.roundTripMs).toBeGreaterThanOrEqual(1);
  });

  test('not offered unless asked for; refused with 488 where it is switched off', async () => {
    const near = await studio.session();
    const offer = near.offer();
    expect(offer).toMatch(/^m=audio \d+ RTP\/AVP /m);
    expect(offer).not.toContain('a=crypto');
    const far = await farSession({ srtp: 'offer' });
    const never = await studio.session({ srtp: 'never' });
    expect(() => never.answer(far.offer())).toThrow(expect.objectContaining({ status: 488 }));
  });
});

describe('SRTP with a phone', () => {
  const keyOf = (keyBytes: number, saltBytes: number): SrtpMasterKey => ({
    key: Uint8Array.from({ length: keyBytes }, (_none, i) => i + 1),
    salt: Uint8Array.from({ length: saltBytes }, (_none, i) => i + 100),
  });
  const keys: Readonly<Record<SrtpSuiteName, SrtpMasterKey>> = {
    AES_CM_128_HMAC_SHA1_80: keyOf(16, 14),
    AES_CM_128_HMAC_SHA1_32: keyOf(16, 14),
    AEAD_AES_128_GCM: keyOf(16, 12),
  };

  for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const) {
    test(`${suite}: the first line that we can do is answered by its tag; only what is genuine is heard`, async () => {
      const session = await studio.session();
      const phone = await studio.phone();
      const line = formatCryptoAttribute({ tag: 4, suite, masterKey: keys[suite] });
      const attributes = ['crypto:3 F8_128_HMAC_SHA1_80 inline:AAAA', `crypto:${line}`];
      const answer = session.answer(phone.offer({ protocol: 'RTP/SAVP', attributes }));
      expect(answer).toMatch(new RegExp(`^a=crypto:4 ${suite} inline:`, 'm'));
      expect(answer.match(/^a=crypto:/gm)).toHaveLength(1);
      const to = audioPort(answer);
      const heard = listening(session);
      const sender = new SrtpSender({ suite, masterKey: keys[suite] });
      const voice = sine(1000, 1000);
      let last: Uint8Array = new Uint8Array();
      for (let i = 0; i < 50; i++) {
        const packet = new Uint8Array(RTP_HEADER_BYTES + 160);
        const header = { payloadType: 8, marker: false, sequence: 65_520 + i, timestamp: i * 160, ssrc: 5 };
        writeRtp(packet, header, G711.encodeAlaw(voice.subarray(i * 160, (i + 1) * 160)));
        const secured = sender.protect(packet);
        if (isRejected(secured)) throw new Error(secured.why);
        phone.raw(secured, to);
        // The same again, one with a byte changed, and one in the clear.
        if (i % 5 === 0) {
          phone.raw(secured.slice(), to);
          const forged = secured.slice();
          forged[20] = (forged[20] ?? 0) ^ 1;
          phone.raw(forged, to);
          phone.raw(packet, to);
        }
        last = secured;
        await studio.advance(20);
      }
      expect(last.length).toBeGreaterThan(RTP_HEADER_BYTES + 160);
      expect(purity(heard().subarray(1600, 7600), 1000)).toBeGreaterThan(0.98);
      expect(session.stats).toMatchObject({ rejected: 30, strangers: 0, ignored: 0 });
      expect(session.stats.received).toMatchObject({ lost: 0, duplicates: 0, restarts: 0 });
      for (const { payload } of phone.heard)
        expect(payload.length).toBe(160 + (suite === 'AEAD_AES_128_GCM' ? 16 : 10));
    });
  }

  test('without a line that we can do: 488; with plain RTP offered beside keys, plain RTP', async () => {
    const session = await studio.session();
    const phone = await studio.phone();
    for (const attributes of [
      [],
      ['crypto:1 NULL_CIPHER inline:AAAA'],
      ['crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA'],
    ]) {
      expect(() => session.answer(phone.offer({ protocol: 'RTP/SAVP', attributes }))).toThrow(
        expect.objectContaining({ code: 'SDP_NEGOTIATION', status: 488 }),
      );
    }
    const line = formatCryptoAttribute({ tag: 1, suite: 'AEAD_AES_128_GCM', masterKey: keys.AEAD_AES_128_GCM });
    const answer = session.answer(phone.offer({ attributes: [`crypto:${line}`] }));
    expect(answer).not.toContain('a=crypto');
    const heard = listening(session);
    await phone.talk(sine(1000, 200), audioPort(answer));
    expect(peak(heard())).toBeGreaterThan(1000);
  });
});
