/** Calls that the host app serves in plain code: answer, play, collect, dial, and media that steps in and out. */
import { describe, expect, test } from 'vitest';
import type { CallControl } from '../../src/call/control/call-control.js';
import type { DialOutcome } from '../../src/call/control/dial-outcome.js';
import { ServedMedia } from '../../src/call/control/served-media.js';
import { tone } from '../../src/media/audio/tone.js';
import { MemorySink } from '../../src/media/recording/memory-sink.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import { beep, chord } from '../../src/protocol/audio/tones.js';
import { readWav } from '../../src/protocol/audio/wav-reader.js';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../src/protocol/sdp/media.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { World } from '../../src/testing/world.js';
import { Studio } from '../media/session/studio.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { rtpOf, targetOf } from '../support/rtp-of-call.js';
import { movedTo, natOf } from '../support/voices.js';

const PBX = '192.0.2.1';
/** 440 Hz until it is stopped. */
const NOTE = tone({ steps: [{ sines: chord([440]) }] });

/** Calls a served number; resolves when the phone talks. */
async function served(office: Office, world: World, number = '700'): Promise<PhoneCall> {
  const alice = await office.registered('100');
  const call = alice.call(number);
  await world.until(call.talking());
  return call;
}

const VIDEO = 'm=video 26000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n';

/** What a phone says, with video behind the audio. */
function withVideo(sdp: string | undefined): string {
  return `${sdp}${VIDEO}`;
}

/** What a phone says when it has put its audio behind a video stream, and refuses what came first. */
function audioLast(sdp: string | undefined): string {
  const [session, audio] = (sdp ?? '').split(/^m=/m);
  return `${session}m=audio 0 RTP/AVP 0\r\n${VIDEO}m=${audio}`;
}

/** The streams of a description: `audio 20000`. */
function streams(sdp: string | undefined): string[] {
  return mediaSummary(parseSdp(sdp ?? '')).map(({ type, port }) => `${type} ${port}`);
}

function loudest(samples: Int16Array): number {
  const levels = [300, 350, 440, 480, 1_000].map((hz) => [toneDbov(samples.subarray(0, 4_000), hz), hz] as const);
  return levels.sort(([a], [b]) => b - a)[0]?.[1] ?? 0;
}

describe('answer, play, collect', () => {
  officeScenario('a tone is heard, digits come by INFO, the call ends with its function', {}, async (office, world) => {
    const seen: string[] = [];
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      const played = await call.play(tone(beep({ ms: 500 })));
      seen.push(played.kind);
      seen.push(await call.collect({ maxDigits: 3 }));
    });
    const call = await served(office, world);
    const rtp = await rtpOf(world, call);
    await world.advance({ seconds: 1 });
    expect(rtp.heard.length).toBeGreaterThan(40);
    for (const digit of '12#') {
      const request = call.session?.request('INFO', {
        body: new TextEncoder().encode(`Signal=${digit}\r\nDuration=160\r\n`),
        contentType: 'application/dtmf-relay',
      });
      const result = await world.run(() => request);
      expect(result).toMatchObject({ kind: 'response', response: { status: 200 } });
    }
    await world.advance({ ms: 200 });
    expect(seen).toEqual(['finished', '12']);
    expect(call.state).toMatchObject({ kind: 'ended', by: 'other-side' });
    await office.quiet();
    expect(office.record.legs).toHaveLength(1);
    expect(office.record.leg('a').outcome).toBe('answered');
  });

  officeScenario('what the caller says is recorded', {}, async (office, world) => {
    const sink = new MemorySink();
    const done: string[] = [];
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      done.push((await call.record(sink, { maxMs: 2_000, channels: 'received' })).reason);
    });
    const call = await served(office, world);
    const rtp = await rtpOf(world, call);
    const samples = Int16Array.from({ length: 8_000 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * 1_000 * i) / 8_000));
    await rtp.talk(samples, targetOf(call), { law: 'PCMU' });
    await world.advance({ seconds: 2 });
    expect(done).toEqual(['limit']);
    expect(loudest(readWav(sink.bytes).samples)).toBe(1_000);
    await office.quiet();
  });

  officeScenario('early media is heard before the answer, and costs no answer', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.early();
      await call.play(tone(beep({ ms: 400 })));
      call.reject(486);
    });
    const alice = await office.registered('100');
    const call = alice.call('700');
    const rtp = await rtpOf(world, call);
    await world.advance({ seconds: 2 });
    expect(call.progress.at(-1)?.status).toBe(183);
    expect(rtp.heard.length).toBeGreaterThan(15);
    expect(call.state).toMatchObject({ kind: 'ended', status: 486 });
    await office.quiet();
    expect(office.record.answeredAt).toBeUndefined();
  });

  officeScenario('hold stops what is played, resume goes on with it (RFC 3264 §8.4)', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      await call.play(NOTE);
    });
    const call = await served(office, world);
    const rtp = await rtpOf(world, call);
    await world.advance({ seconds: 1 });
    expect((await world.run(() => call.reinvite(call.media.local?.replace('a=sendrecv', 'a=inactive')))).kind).toBe(
      'accepted',
    );
    const heard = rtp.heard.length;
    await world.advance({ seconds: 1 });
    expect(rtp.heard.length).toBeLessThanOrEqual(heard + 1);
    expect((await world.run(() => call.reinvite(call.media.local?.replace('a=inactive', 'a=sendrecv')))).kind).toBe(
      'accepted',
    );
    await world.advance({ seconds: 1 });
    expect(rtp.heard.length).toBeGreaterThan(heard + 40);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('a caller that offers nothing is offered something (RFC 3261 §13.2.1)', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      await call.play(NOTE);
    });
    const alice = await office.registered('100');
    const call = alice.call('700', { lateOffer: true });
    await world.until(call.talking());
    const rtp = await rtpOf(world, call);
    await world.advance({ seconds: 1 });
    expect(rtp.heard.length).toBeGreaterThan(40);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('no codec in common: 488, and the handler is told', {}, async (office, world) => {
    const errors: unknown[] = [];
    office.pbx.onCall('700', async (call) => {
      await call.answer().catch((error: unknown) => errors.push(error));
    });
    const alice = await office.registered('100', { codecs: [{ payloadType: 9, name: 'G722', clockRate: 8_000 }] });
    const call = alice.call('700');
    await world.advance({ seconds: 1 });
    expect(call.state).toMatchObject({ kind: 'ended', status: 488 });
    expect(errors).toMatchObject([{ code: 'SDP_NEGOTIATION' }]);
    await office.quiet();
  });
});

describe('the caller hangs up', () => {
  officeScenario('the step under way rejects with CALL_ENDED, and no port is left', {}, async (office, world) => {
    const errors: unknown[] = [];
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      try {
        await call.play(NOTE, { loop: true });
      } catch (error) {
        errors.push(error);
        throw error;
      }
    });
    const call = await served(office, world);
    await world.advance({ seconds: 1 });
    call.hangUp();
    await office.quiet();
    expect(errors).toMatchObject([{ code: 'CALL_ENDED', kind: 'aborted' }]);
    expect(office.pbx.stats().media.ports.used).toBe(0);
    expect(office.record.leg('a').releasedBy).toBe('this-party');
  });

  test('while its ports are being bound: they are free again', async () => {
    const studio = new Studio();
    let bind = (): void => {};
    const bound = new Promise<void>((resolve) => {
      bind = resolve;
    });
    const open = (): ReturnType<Studio['session']> => bound.then(() => studio.session());
    const media = new ServedMedia(open, { remoteAddress: '10.0.0.1', srtp: false }, () => {});
    const described = media.describe(undefined);
    await media.close();
    bind();
    await expect(described).rejects.toMatchObject({ code: 'CALL_ENDED' });
    expect(media.current).toBeUndefined();
    expect(studio.ports.stats.used).toBe(0);
    await studio.close();
  });

  officeScenario('a handler that fails: 500 before the answer, BYE after it', {}, async (office, world) => {
    office.pbx.onCall('700', () => Promise.reject(new Error('no such prompt')));
    office.pbx.onCall('701', async (call) => {
      await call.answer();
      await call.play('/there/is/no/such/file.wav');
    });
    const alice = await office.registered('100');
    const first = alice.call('700');
    await world.advance({ seconds: 1 });
    expect(first.state).toMatchObject({ kind: 'ended', status: 500 });
    const second = alice.call('701');
    await world.until(second.talking());
    await world.advance({ seconds: 2 });
    await new Promise((resolve) => setImmediate(resolve));
    await office.quiet();
    expect(second.state.kind).toBe('ended');
    expect(office.pbx.stats().media.ports.used).toBe(0);
  });
});

describe('dial', () => {
  officeScenario(
    'hand-back: both talk end to end, and no packet passes the server (RFC 3725)',
    {},
    async (office, world) => {
      const outcomes: DialOutcome[] = [];
      office.pbx.onCall('700', async (call) => {
        await call.answer();
        await call.play(tone(beep()));
        outcomes.push(await call.dial('101'));
      });
      const bob = await office.registered('101');
      const incoming = bob.incoming();
      const call = await served(office, world);
      const rtp = await rtpOf(world, call);
      const answered = await world.run(() => incoming);
      expect(targetOf(call).address).toBe(PBX);
      await world.advance({ seconds: 3 });
      expect(rtp.heard.length).toBeGreaterThan(100);
      answered.answer();
      await world.advance({ ms: 500 });
      expect(targetOf(call)).toEqual({ address: '10.0.0.1', port: expect.any(Number) });
      expect(targetOf(call).address).not.toBe(PBX);
      expect(targetOf(answered).address).not.toBe(PBX);
      const heard = rtp.heard.length;
      await world.advance({ seconds: 5 });
      expect(rtp.heard.length).toBe(heard);
      expect(office.pbx.stats().media.ports.used).toBe(0);
      answered.hangUp();
      await office.quiet();
      expect(call.state.kind).toBe('ended');
      expect(outcomes).toMatchObject([{ kind: 'answered', number: '101' }]);
      expect(office.record.legs.map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
    },
  );

  officeScenario('nobody answers: the handler goes on, and the caller hears the server', {}, async (office, world) => {
    const outcomes: DialOutcome[] = [];
    office.pbx.onCall('700', async (call) => {
      for (const number of ['101', '102', '103']) outcomes.push(await call.dial(number, { noAnswerSeconds: 5 }));
      await call.play(NOTE);
    });
    const bob = await office.registered('101');
    await office.registered('102');
    void bob.incoming().then((incoming) => incoming.reject(486));
    const call = await served(office, world);
    const rtp = await rtpOf(world, call);
    await world.advance({ seconds: 8 });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['busy', 'no-answer', 'unreachable']);
    const heard = rtp.heard.length;
    await world.advance({ seconds: 1 });
    expect(rtp.heard.length).toBeGreaterThan(heard + 40);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'early media of the called party is heard end to end; busy then: the server is heard again',
    {},
    async (office, world) => {
      const outcomes: DialOutcome[] = [];
      office.pbx.onCall('700', async (call) => {
        outcomes.push(await call.dial('101'));
        await call.play(NOTE);
      });
      const bob = await office.registered('101', { onCall: (incoming) => incoming.earlyMedia() });
      const incoming = bob.incoming();
      const call = await served(office, world);
      const rtp = await rtpOf(world, call);
      const ringing = await world.run(() => incoming);
      await world.advance({ seconds: 1 });
      expect(targetOf(call).address).not.toBe(PBX);
      const heard = rtp.heard.length;
      await world.advance({ seconds: 1 });
      expect(rtp.heard.length).toBe(heard);
      ringing.reject(486);
      await world.advance({ seconds: 2 });
      expect(outcomes).toMatchObject([{ kind: 'busy', status: 486 }]);
      expect(targetOf(call).address).toBe(PBX);
      expect(rtp.heard.length).toBeGreaterThan(heard + 20);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'early media, then an answer that says the same: the caller is told once',
    {},
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.dial('101');
      });
      const bob = await office.registered('101', { onCall: (incoming) => incoming.earlyMedia() });
      const incoming = bob.incoming();
      const call = await served(office, world);
      const ringing = await world.run(() => incoming);
      await world.advance({ seconds: 1 });
      const told = call.media.remote;
      let modified = 0;
      const { onModify } = call;
      call.onModify = (modify, media) => {
        modified++;
        onModify(modify, media);
      };
      ringing.answer();
      await world.advance({ seconds: 1 });
      expect([call.state.kind, ringing.state.kind]).toEqual(['talking', 'talking']);
      expect([modified, call.media.remote]).toEqual([0, told]);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('the caller hangs up while it rings: the called phone is cancelled', {}, async (office, world) => {
    const errors: unknown[] = [];
    office.pbx.onCall('700', (call) =>
      call.dial('101').then(
        () => {},
        (error: unknown) => void errors.push(error),
      ),
    );
    const bob = await office.registered('101');
    const incoming = bob.incoming();
    const call = await served(office, world);
    const ringing = await world.run(() => incoming);
    call.hangUp();
    await office.quiet();
    expect(ringing.state).toMatchObject({ kind: 'ended', status: 487 });
    expect(errors).toMatchObject([{ code: 'CALL_ENDED' }]);
    expect(office.record.legs.map(({ outcome }) => outcome)).toEqual(['answered', 'cancelled']);
  });

  officeScenario(
    'through the relay where the caller is set to it',
    { pbx: { media: { path: 'relay' } } },
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.dial('101');
      });
      const bob = await office.registered('101', { onCall: (incoming) => incoming.answer() });
      const incoming = bob.incoming();
      const call = await served(office, world);
      const answered = await world.run(() => incoming);
      await world.advance({ seconds: 1 });
      expect([targetOf(call).address, targetOf(answered).address]).toEqual([PBX, PBX]);
      const [near, far] = [await rtpOf(world, call), await rtpOf(world, answered)];
      for (let i = 0; i < 20; i++) {
        near.say(new Uint8Array(160).fill(1), targetOf(call), { payloadType: 0 });
        far.say(new Uint8Array(160).fill(2), targetOf(answered), { payloadType: 0 });
        await world.advance({ ms: 20 });
      }
      await world.advance({ ms: 50 });
      expect(near.heard.filter(({ payload }) => payload[0] === 2).length).toBeGreaterThan(10);
      expect(far.heard.filter(({ payload }) => payload[0] === 1).length).toBeGreaterThan(10);
      call.hangUp();
      await office.quiet();
      expect(office.pbx.stats().media.ports.used).toBe(0);
    },
  );
});

describe('wrong use', () => {
  officeScenario('play before the caller hears anything', {}, async (office, world) => {
    const errors: unknown[] = [];
    office.pbx.onCall('700', async (call: CallControl) => {
      await call.play(NOTE).catch((error: unknown) => errors.push(error));
    });
    const alice = await office.registered('100');
    const call = alice.call('700');
    await world.advance({ seconds: 1 });
    expect(call.state).toMatchObject({ kind: 'ended', status: 480 });
    expect(errors).toMatchObject([{ code: 'PBX_WRONG_STATE' }]);
    await office.quiet();
  });

  test('a number that is none, and one that is served already', () => {
    const pbx = createPbx({ domain: DOMAIN });
    expect(() => pbx.onCall('7 0', () => {})).toThrow('onCall: found "7 0", expected a number such as "700"');
    const stop = pbx.onCall('700', () => {});
    expect(() => pbx.onCall('700', () => {})).toThrow('700 is served already');
    stop();
    pbx.onCall('700', () => {});
  });
});

describe('music on hold (RFC 5359 §2.3, flow H3)', () => {
  const pbx = { media: { holdMusic: NOTE } };
  officeScenario(
    'the held party hears it, the holder hears nothing of it, and both talk again',
    { pbx },
    async (office, world) => {
      const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
      const [holder, held] = [await rtpOf(world, call), await rtpOf(world, answered)];
      const [told, tells] = [targetOf(answered), targetOf(call)];
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      // Else it would go on sending to the held phone, beside the music.
      expect(call.media.remote).toContain('a=inactive');
      expect(targetOf(answered).address).toBe(PBX);
      await world.advance({ seconds: 1 });
      expect(held.heard.length).toBeGreaterThan(40);
      expect(
        loudest(held.samples('PCMU').subarray(0, 4_000).length > 0 ? held.samples('PCMU') : held.samples('PCMA')),
      ).toBe(440);
      expect(holder.heard).toHaveLength(0);
      expect((await world.run(() => call.resume())).kind).toBe('accepted');
      await world.advance({ ms: 200 });
      expect([targetOf(answered), targetOf(call)]).toEqual([told, tells]);
      expect(office.pbx.stats().media.ports.used).toBe(0);
      const heard = held.heard.length;
      await world.advance({ seconds: 1 });
      expect(held.heard.length).toBe(heard);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('a held party that refuses is held without music', { pbx }, async (office, world) => {
    const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
    const { onModify } = answered;
    let asked = 0;
    answered.onModify = (modify, media) => (asked++ === 0 ? modify.reject(488) : onModify(modify, media));
    expect((await world.run(() => call.hold())).kind).toBe('accepted');
    expect(answered.media.remote).toContain('a=sendonly');
    expect(office.pbx.stats().media.ports.used).toBe(0);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'a held party that hangs up, a holder that hangs up: no port is left',
    { pbx },
    async (office, world) => {
      const [alice, bob] = [await office.registered('100'), await office.registered('101')];
      for (const who of ['held', 'holder'] as const) {
        const { call, answered } = await office.talk(alice, bob);
        await world.run(() => call.hold());
        await world.advance({ ms: 500 });
        expect(office.pbx.stats().media.ports.used).toBe(1);
        (who === 'held' ? answered : call).hangUp();
        await office.quiet();
        expect(office.pbx.stats().media.ports.used).toBe(0);
      }
    },
  );

  officeScenario(
    'blind transfer of a held party: it talks to the target afterwards',
    { pbx },
    async (office, world) => {
      const [alice, bob, carol] = [
        await office.registered('100'),
        await office.registered('101'),
        await office.registered('102'),
      ];
      const { call, answered } = await office.talk(alice, bob);
      await world.run(() => call.hold());
      const next = carol.incoming();
      const transfer = call.transfer({ to: sipUri({ user: '102', host: DOMAIN }) });
      const third = await world.run(() => next);
      third.answer();
      await world.advance({ seconds: 2 });
      void transfer;
      expect(targetOf(answered).address).toBe('10.0.0.3');
      expect(targetOf(third).address).toBe('10.0.0.2');
      expect(office.pbx.stats().media.ports.used).toBe(0);
      answered.hangUp();
      await office.quiet();
    },
  );
});

/** What nobody has caught while `body` ran. */
async function uncaught(body: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  process.on('unhandledRejection', note);
  try {
    await body();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note);
  }
  return errors;
}

/** The phone asks for an offer, and has not answered it yet. */
async function offered(world: World, call: PhoneCall): Promise<() => void> {
  const asked = await world.run(() => call.session?.modify() ?? Promise.reject(new Error('nobody talks')));
  if (asked.kind !== 'accepted' || asked.sdp === undefined) throw new Error('nothing was offered');
  const { sdp, acknowledge } = asked;
  return () => acknowledge(call.media.answer(sdp));
}

describe('re-INVITEs of a served caller', () => {
  officeScenario(
    'the answer to our offer comes when the media has gone to somebody else: it is nobody’s, and nothing fails',
    {},
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.dial('101');
      });
      const bob = await office.registered('101');
      const incoming = bob.incoming();
      const call = await served(office, world);
      const ringing = await world.run(() => incoming);
      const acknowledge = await offered(world, call);
      ringing.answer();
      await world.advance({ ms: 100 });
      expect(office.pbx.stats().media.ports.used).toBe(0);
      const errors = await uncaught(async () => {
        acknowledge();
        await world.advance({ seconds: 5 });
      });
      expect(errors).toEqual([]);
      expect([call.state.kind, ringing.state.kind]).toEqual(['talking', 'talking']);
      expect(targetOf(call).address).toBe('10.0.0.1');
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('the same when the handler has closed the audio itself', {}, async (office, world) => {
    const audio: CallControl['audio'][] = [];
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      audio.push(call.audio);
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    });
    const call = await served(office, world);
    const acknowledge = await offered(world, call);
    const errors = await uncaught(async () => {
      await audio[0]?.close();
      acknowledge();
      await world.advance({ ms: 100 });
    });
    expect(errors).toEqual([]);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'the caller is in another network: its media is taken from where its re-INVITE came (RFC 7362 §4)',
    {},
    async (office, world) => {
      const audio: CallControl['audio'][] = [];
      office.pbx.onCall('700', async (call) => {
        await call.answer();
        audio.push(call.audio);
        await call.play(NOTE);
      });
      const alice = await office.registered('100', { behindNat: 'port-restricted' });
      const call = alice.call('700');
      await world.until(call.talking());
      world.network.readdress(natOf(world, '100'), '203.0.113.150');
      const { address, port } = mediaSummary(parseSdp(call.media.local ?? ''))[0] ?? {};
      const moved = movedTo(call.media.local, { address: address ?? '', port: (port ?? 0) + 100 });
      expect((await world.run(() => call.reinvite(moved))).kind).toBe('accepted');
      const rtp = await rtpOf(world, call);
      await rtp.talk(new Int16Array(8_000), targetOf(call), { law: 'PCMU' });
      expect(audio[0]?.stats).toMatchObject({ strangers: 0, remote: { address: '203.0.113.150' } });
      expect(rtp.heard.length).toBeGreaterThan(40);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'a caller that has moved before it comes back to the server is heard from where it is now',
    {},
    async (office, world) => {
      const audio: (() => CallControl['audio'])[] = [];
      office.pbx.onCall('700', async (call) => {
        audio.push(() => call.audio);
        await call.dial('101');
        await call.play(NOTE);
      });
      const bob = await office.registered('101');
      const incoming = bob.incoming();
      const alice = await office.registered('100', { behindNat: 'port-restricted' });
      const call = alice.call('700');
      await world.until(call.talking());
      const ringing = await world.run(() => incoming);
      world.network.readdress(natOf(world, '100'), '203.0.113.150');
      const { address, port } = mediaSummary(parseSdp(call.media.local ?? ''))[0] ?? {};
      const moved = movedTo(call.media.local, { address: address ?? '', port: (port ?? 0) + 100 });
      expect((await world.run(() => call.reinvite(moved))).kind).toBe('accepted');
      ringing.earlyMedia();
      await world.advance({ seconds: 1 });
      expect(audio[0]?.()).toBeUndefined();
      ringing.reject(486);
      await world.advance({ seconds: 1 });
      const rtp = await rtpOf(world, call);
      await rtp.talk(new Int16Array(8_000), targetOf(call), { law: 'PCMU' });
      expect(audio[0]?.()?.stats).toMatchObject({ strangers: 0, remote: { address: '203.0.113.150' } });
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'a caller with audio and video comes back to the server: offered both, the video refused (RFC 3264 §8)',
    {},
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.dial('101');
        await call.play(NOTE);
      });
      const bob = await office.registered('101');
      const incoming = bob.incoming();
      const call = await served(office, world);
      const rtp = await rtpOf(world, call);
      expect((await world.run(() => call.reinvite(withVideo(call.media.local)))).kind).toBe('accepted');
      const ringing = await world.run(() => incoming);
      ringing.earlyMedia();
      await world.advance({ seconds: 1 });
      expect(targetOf(call).address).not.toBe(PBX);
      ringing.reject(486);
      await world.advance({ seconds: 1 });
      expect(streams(call.media.remote)).toEqual([expect.stringMatching(/^audio [1-9]/), 'video 0']);
      const heard = rtp.heard.length;
      await world.advance({ seconds: 1 });
      expect(rtp.heard.length).toBeGreaterThan(heard + 40);
      // What is offered from then on has as many streams as well.
      const asked = await world.run(() => call.reinvite());
      expect(asked.kind).toBe('accepted');
      expect(streams(call.media.remote)).toEqual([expect.stringMatching(/^audio [1-9]/), 'video 0']);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('music on hold for phones with more than one stream, or a secured one', () => {
  const pbx = { media: { holdMusic: NOTE } };
  /** Both talk, and `bob` has changed what it offers; `alice` answers in kind. */
  async function changed(office: Office, world: World, change: (sdp: string | undefined) => string) {
    const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
    const heard = await rtpOf(world, answered);
    const { onModify } = call;
    call.onModify = (modify, media) => void modify.accept(media.say(change(media.local)));
    expect((await world.run(() => answered.reinvite(change(answered.media.local)))).kind).toBe('accepted');
    call.onModify = onModify;
    let asked = 0;
    const { onModify: answer } = answered;
    answered.onModify = (modify, media) => {
      asked++;
      answer(modify, media);
    };
    return { call, answered, heard, asked: () => asked };
  }

  officeScenario('the audio stays in its place (RFC 3264 §8)', { pbx }, async (office, world) => {
    const { call, answered, heard } = await changed(office, world, audioLast);
    expect((await world.run(() => call.hold())).kind).toBe('accepted');
    expect(streams(answered.media.remote)).toEqual(['audio 0', 'video 0', expect.stringMatching(/^audio [1-9]/)]);
    expect(answered.media.remote).toContain(PBX);
    await world.advance({ seconds: 1 });
    expect(heard.heard.length).toBeGreaterThan(40);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'a secured stream is held without music, and never made a clear one',
    { pbx },
    async (office, world) => {
      const key = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`;
      const secured = (sdp: string | undefined): string =>
        `${sdp?.replace('RTP/AVP', 'RTP/SAVP').replace('a=sendrecv\r\n', '')}${key}\r\n`;
      const { call, answered, asked } = await changed(office, world, secured);
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      expect(asked()).toBe(1);
      expect(answered.media.remote).toContain('RTP/SAVP');
      expect(answered.media.remote).toContain('a=sendonly');
      expect(office.pbx.stats().media.ports.used).toBe(0);
      call.hangUp();
      await office.quiet();
    },
  );
});
