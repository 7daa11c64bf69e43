import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { main as echoTest } from '../../examples/echo-test/main.js';
import { main as musicLine } from '../../examples/music-line/main.js';
import { tone } from '../../src/media/audio/tone.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import { dtmfTone } from '../../src/protocol/audio/dtmf.js';
import { G711 } from '../../src/protocol/audio/g711.js';
import { beep, ToneGenerator } from '../../src/protocol/audio/tones.js';
import { realAuthority } from '../support/certificates.js';
import { type Baresip, PLAYED_LEVEL_DB } from './support/baresip.js';
import { Lab } from './support/lab.js';
import { Callee, Caller, sdp } from './support/parties.js';
import { freeSipPort } from './support/ports.js';
import { anyPossible, interopTest } from './support/programs.js';
import { Recorded, until } from './support/recorded.js';
import { isSound, soundOf } from './support/rtp.js';
import { type Step, scenario } from './support/scenario.js';
import { DOMAIN, extensions } from './support/server.js';
import { expectTone, heardMore, PATIENCE, phone, portsOf, SERVERS_FROM, serve } from './support/serving.js';
import { runSipp } from './support/sipp.js';
import { phone as sippPhone } from './support/sipp-phones.js';
import { firstSound, measureTone } from './support/tone.js';
import { Capture, type Datagram } from './support/tshark.js';
import type { Sound } from './support/wav.js';

const ALICE_HZ = 440;
const BOB_HZ = 700;
describe('echo test', () => {
  interopTest(
    'baresip hears its own tone, and a key by RFC 4733 is told once',
    { needs: ['baresip'], concurrent: true },
    async (own) => {
      const told = new Recorded<string>('keys');
      const { pbx, server } = await serve(own, '127.0.0.21', (options) => echoTest(options, (line) => told.push(line)));
      const alice = await phone(own, '100', { server, toneHz: ALICE_HZ });
      await alice.dial('600');
      await alice.event('CALL_ESTABLISHED', PATIENCE);
      await heardMore(alice, 2.5);
      const sound = alice.heard();
      expectTone(sound, firstSound(sound) + 0.2, 1, ALICE_HZ);
      await alice.command('sndcode', '5');
      await told.wait((line) => line.includes('has pressed'), PATIENCE);
      await heardMore(alice, 1);
      expect(told.items).toEqual(['100 has pressed 5 (rfc4733)']);
      await alice.command('hangup');
      await until(() => pbx.calls.length === 0, 'the end of the call');
      expect(pbx.stats().media.ports.used).toBe(0);
    },
  );

  interopTest(
    'a key by INFO and one in the sound, of a phone that knows no telephone events, are told once each',
    { needs: ['sipp'], concurrent: true },
    async (own) => {
      const told = new Recorded<string>('keys');
      const { server } = await serve(own, '127.0.0.22', (options) => echoTest(options, (line) => told.push(line)));
      const file = path.join(own.folder('dtmf'), 'nine.ulaw');
      const samples = new Int16Array(16_000);
      // Half a second of silence, a key of 150 ms, silence.
      new ToneGenerator(dtmfTone('9', { ms: 150, pauseMs: 50 })).fill(samples.subarray(4_000));
      writeFileSync(file, G711.encodeUlaw(samples));
      const caller = new Caller('100', '600');
      const steps: Step[] = [
        ...caller.invite({ body: SOUND_ONLY }),
        { receive: 200, route: true },
        caller.inside('ACK', 2),
        { playUlaw: file },
        { pauseMs: 2_500 },
        keyByInfo(caller, '7', 3),
        { receive: 200 },
        { pauseMs: 500 },
        caller.inside('BYE', 4),
        { receive: 200 },
      ];
      const port = await freeSipPort();
      await runSipp(own, { name: 'caller 100', scenario: scenario(steps), server, port });
      expect(told.items).toEqual(['100 has pressed 9 (inband)', '100 has pressed 7 (info)']);
    },
  );
});

/** No telephone-event: keys can come in the sound only. */
const SOUND_ONLY = `v=0
o=- 1234 1 IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

function keyByInfo(caller: Caller, key: string, cseq: number): Step {
  const step = caller.inside('INFO', cseq);
  if (!('send' in step)) throw new Error('an INFO is sent');
  const body = `Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal=${key}\nDuration=160\n`;
  return { ...step, send: step.send.replace('Content-Length: 0\n\n', body) };
}

describe('music line', () => {
  interopTest('baresip hears the tune', { needs: ['baresip'], concurrent: true }, async (own) => {
    const { server } = await serve(own, '127.0.0.23', (options) => musicLine(options));
    const alice = await phone(own, '100', { server });
    await alice.dial('500');
    await alice.event('CALL_ESTABLISHED', PATIENCE);
    await heardMore(alice, 5);
    const sound = alice.heard();
    const begin = firstSound(sound);
    const pieces = Array.from({ length: 40 }, (_, i) => measureTone(sound, begin + i / 10, 0.1));
    const notes = pieces
      .filter(({ purity }) => purity > 0.9)
      .map(({ hz }) => [261.6, 293.7, 329.6, 349.2, 392].find((note) => Math.abs(hz - note) < 8) ?? hz);
    expect(notes.length).toBeGreaterThan(15);
    // E E F G G F E …, begun where nobody had listened before
    expect(notes.filter((note, i) => note !== notes[i - 1]).slice(0, 5)).toEqual([329.6, 349.2, 392, 349.2, 329.6]);
    await alice.command('hangup');
  });
});

describe('SRTP (RFC 4568, RFC 3711)', () => {
  interopTest(
    'keys in the description, over TLS: baresip hears its own tone',
    { needs: ['baresip'], concurrent: true },
    async (own) => {
      const host = '127.0.0.28';
      const authority = await realAuthority('The lab');
      const certificate = await authority.issue({ names: [host] });
      const ca = path.join(own.folder('tls'), 'ca.pem');
      writeFileSync(ca, authority.cert);
      const port = await freeSipPort();
      const pbx = await echoTest({
        domain: DOMAIN,
        listen: [`tls://${host}:${port}`],
        tls: { certificate },
        extensions: extensions(100, 2),
        media: { ports: portsOf(host) },
      });
      own.own({ stop: () => pbx.close() });
      const alice = await phone(own, '100', { server: { host, port }, transport: 'tls', ca, srtp: true });
      await alice.dial('600');
      await Promise.all([alice.event('CALL_ESTABLISHED', PATIENCE), alice.event('CALL_MENC', PATIENCE)]);
      await heardMore(alice, 3);
      const sound = alice.heard();
      expectTone(sound, firstSound(sound) + 0.2, 1, ALICE_HZ);
      await alice.command('hangup');
    },
  );
});

describe('hand-back', () => {
  const lab = new Lab();
  let capture: Capture;
  beforeAll(async () => {
    if (anyPossible(['baresip', 'tshark'])) capture = await Capture.start(lab, 'udp portrange 10000-32999');
  });
  afterAll(() => lab.close());

  for (const [host, codec] of [
    ['127.0.0.24', 'PCMA'],
    ['127.0.0.25', 'PCMU'],
  ] as const) {
    interopTest(
      `${codec} alone: a prompt of the server, then the called phone: no packet passes the server`,
      { needs: ['baresip', 'tshark'], concurrent: true },
      async (own) => {
        const { pbx, server } = await serve(own, host, startReception);
        const [alice, bob] = await Promise.all([
          phone(own, '100', { server, codec, toneHz: ALICE_HZ }),
          phone(own, '101', { server, codec, toneHz: BOB_HZ }),
        ]);
        const wire = new Wire(capture, alice, host, codec);
        await alice.dial('700');
        await expectPrompt(alice);
        await bob.event('CALL_INCOMING', PATIENCE);
        await bob.command('accept');
        await wire.handedOver(pbx);
        await bob.event('CALL_ESTABLISHED', PATIENCE);
        await wire.talk(75);
        await alice.command('hangup');
        await bob.event('CALL_CLOSED', PATIENCE);
        const { toCaller, toCalled } = await wire.endToEnd();
        expectTone(toCaller, -1, 1, BOB_HZ);
        expectTone(toCalled, -1, 1, ALICE_HZ);
      },
    );
  }

  interopTest(
    'a called phone is heard before it answers, and afterwards: no packet passes the server',
    { needs: ['baresip', 'sipp', 'tshark'], concurrent: true },
    async (own) => {
      const { pbx, server } = await serve(own, '127.0.0.27', startReception);
      const alice = await phone(own, '100', { server, codec: 'PCMU', toneHz: ALICE_HZ });
      const file = path.join(own.folder('early'), 'tone.ulaw');
      const peak = 32_768 * 10 ** (PLAYED_LEVEL_DB / 20) * Math.SQRT2;
      const tone20s = Int16Array.from(
        { length: 160_000 },
        (_, i) => peak * Math.sin((2 * Math.PI * BOB_HZ * i) / 8_000),
      );
      writeFileSync(file, G711.encodeUlaw(tone20s));
      const callee = new Callee('101');
      const body = sdp({ port: '[rtpstream_audio_port]' });
      const bob = await sippPhone(
        own,
        server,
        '101',
        [
          Callee.invited,
          callee.provisional(183, 'Session Progress', { body }),
          { playUlaw: file },
          { pauseMs: 6_000 },
          callee.final(200, 'OK', { body }),
          { receive: 'ACK' },
          { pauseMs: 1_500 },
          callee.inside('BYE', 1),
          { receive: 200 },
        ],
        { timeoutSeconds: 45 },
      );
      const wire = new Wire(capture, alice, '127.0.0.27', 'PCMU');
      await alice.dial('700');
      await expectPrompt(alice);
      await wire.handedOver(pbx);
      const heardAt = Date.now();
      await alice.event('CALL_CLOSED', { timeoutMs: 30_000 });
      const { messages } = await bob.succeeded();
      const answered = messages.find(({ direction, text }) => direction === 'sent' && text.startsWith('SIP/2.0 200'));
      expect(answered?.at).toBeGreaterThan(heardAt);
      const { toCaller } = await wire.endToEnd();
      expectTone(toCaller, 0, 1, BOB_HZ);
      expectTone(toCaller, -1, 1, BOB_HZ);
    },
  );
});

/** The packets between a caller and whom it talks to, or the server. */
class Wire {
  readonly #capture: Capture;
  readonly #caller: Baresip;
  readonly #servers: { readonly from: number; readonly to: number };
  readonly #codec: 'PCMA' | 'PCMU';
  #since = 0;

  constructor(capture: Capture, caller: Baresip, host: string, codec: 'PCMA' | 'PCMU') {
    this.#capture = capture;
    this.#caller = caller;
    this.#servers = portsOf(host);
    this.#codec = codec;
  }

  /** Resolves when the caller hears, and is heard by, somebody who is not the server; then the server holds no port. */
  async handedOver(pbx: Pbx): Promise<void> {
    await this.talk(25);
    expect(pbx.stats().media.ports.used).toBe(0);
    this.#since = (await this.#capture.seen()).length;
  }

  /** Resolves when so many packets more have gone each way. */
  async talk(packets: number): Promise<void> {
    const before = this.#between(await this.#capture.seen());
    await until(
      async () => {
        const { toCaller, toCalled } = this.#between(await this.#capture.seen());
        const least = Math.min(toCaller.length - before.toCaller.length, toCalled.length - before.toCalled.length);
        return least >= packets;
      },
      `${packets} packets each way`,
      PATIENCE.timeoutMs,
    );
  }

  /** What was heard since the server is out of it. Nothing has gone to it or come from it. */
  async endToEnd(): Promise<{ readonly toCaller: Sound; readonly toCalled: Sound }> {
    const seen = await this.#capture.seen();
    const packets = seen.slice(this.#since);
    const { from: first, to: last } = this.#servers;
    const isServers = (port: number): boolean => port >= first && port <= last + 1;
    const passed = (list: readonly Datagram[]) => list.filter(({ from, to }) => isServers(from) || isServers(to));
    // The prompt went there and is seen: a packet that passed would be seen too.
    expect(passed(seen.slice(0, this.#since)).length).toBeGreaterThan(50);
    expect(passed(packets)).toEqual([]);
    const { toCaller, toCalled } = this.#between(packets);
    return { toCaller: soundOf(toCaller, this.#codec), toCalled: soundOf(toCalled, this.#codec) };
  }

  #between(packets: readonly Datagram[]) {
    const direct = packets.filter(
      ({ from, to, payload }) => from < SERVERS_FROM && to < SERVERS_FROM && isSound(payload, this.#codec),
    );
    return {
      toCaller: direct.filter(({ to }) => this.#caller.ownsRtp(to)),
      toCalled: direct.filter(({ from }) => this.#caller.ownsRtp(from)),
    };
  }
}

async function expectPrompt(caller: Baresip): Promise<void> {
  await until(() => caller.heardSeconds() >= 1.5, 'the prompt to be heard', PATIENCE.timeoutMs);
  const prompt = caller.heard();
  expect(measureTone(prompt, firstSound(prompt) + 0.1, 0.5).hz).toBe(1_000);
}

/** 700: a beep, then extension 101. */
async function startReception(options: PbxOptions): Promise<Pbx> {
  const pbx = createPbx(options);
  pbx.onCall('700', async (call) => {
    await call.answer();
    await call.play(tone(beep({ ms: 2_000 })));
    await call.dial('101');
  });
  await pbx.start();
  return pbx;
}

describe('media path relay', () => {
  interopTest(
    'two baresips hear each other through the server, and its ports are free afterwards',
    { needs: ['baresip'], concurrent: true },
    async (own) => {
      const { pbx, server } = await serve(own, '127.0.0.26', async (options) => {
        const relaying = createPbx({ ...options, media: { ...options.media, path: 'relay' } });
        await relaying.start();
        return relaying;
      });
      const [alice, bob] = await Promise.all([
        phone(own, '100', { server, toneHz: ALICE_HZ }),
        phone(own, '101', { server, toneHz: BOB_HZ }),
      ]);
      await alice.dial('101');
      await bob.event('CALL_INCOMING', PATIENCE);
      await bob.command('accept');
      await Promise.all([alice, bob].map((each) => each.event('CALL_ESTABLISHED', PATIENCE)));
      await Promise.all([alice, bob].map((each) => heardMore(each, 2)));
      for (const [listener, hz] of [
        [alice, BOB_HZ],
        [bob, ALICE_HZ],
      ] as const) {
        const sound = listener.heard();
        expectTone(sound, firstSound(sound) + 0.2, 1, hz);
      }
      const { ports, relay } = pbx.stats().media;
      expect(ports.used).toBeGreaterThan(0);
      expect(relay?.packets.relayed).toBeGreaterThan(150);
      await alice.command('hangup');
      await bob.event('CALL_CLOSED', PATIENCE);
      await until(() => pbx.stats().media.ports.used === 0, 'the ports of the relay to be free');
    },
  );
});
