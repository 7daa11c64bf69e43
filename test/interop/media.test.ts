import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { main as echoTest } from '../../examples/echo-test/main.js';
import { main as musicLine } from '../../examples/music-line/main.js';
import { tone } from '../../src/media/audio/tone.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import { dtmfTone } from '../../src/protocol/audio/dtmf.js';
import { G711 } from '../../src/protocol/audio/g711.js';
import { beep, ToneGenerator } from '../../src/protocol/audio/tones.js';
import { Baresip, type BaresipOptions, PLAYED_LEVEL_DB } from './support/baresip.js';
import type { Lab } from './support/lab.js';
import { Caller } from './support/parties.js';
import { freeSipPort } from './support/ports.js';
import { interopTest } from './support/programs.js';
import { Recorded, until } from './support/recorded.js';
import { isSound, soundOf } from './support/rtp.js';
import { type Step, scenario } from './support/scenario.js';
import { DOMAIN, extensions } from './support/server.js';
import { runSipp } from './support/sipp.js';
import { firstSound, measureTone } from './support/tone.js';
import { Capture, type Datagram } from './support/tshark.js';
import type { Sound } from './support/wav.js';

const ALICE_HZ = 440;
const BOB_HZ = 700;
/** Of servers here: where no phone takes its own from, so that a port number tells whose packet it is. */
const SERVER_PORTS = { from: 31_100, to: 31_998 };
const PATIENCE = { timeoutMs: 20_000 };

interface Serving {
  readonly pbx: Pbx;
  readonly server: { readonly host: string; readonly port: number };
}

/** Starts a PBX on an address of its own: nothing else receives packets there. */
async function serve(lab: Lab, host: string, start: (options: PbxOptions) => Pbx | Promise<Pbx>): Promise<Serving> {
  const port = await freeSipPort();
  const listen = [`udp://${host}:${port}`];
  const pbx = await start({ domain: DOMAIN, listen, extensions: extensions(100, 2), media: { ports: SERVER_PORTS } });
  lab.own({ stop: () => pbx.close() });
  return { pbx, server: { host, port } };
}

async function phone(lab: Lab, number: string, options: Omit<BaresipOptions, 'number'>): Promise<Baresip> {
  const started = await Baresip.start(lab, { number, ...options });
  await started.registered(PATIENCE.timeoutMs);
  return started;
}

function heardMore(listener: Baresip, seconds: number): Promise<boolean> {
  const before = listener.heardSeconds();
  return until(() => listener.heardSeconds() >= before + seconds, `${seconds} s more of sound`, PATIENCE.timeoutMs);
}

function expectTone(sound: Sound, from: number, seconds: number, hz: number): void {
  const heard = measureTone(sound, from, seconds);
  expect(Math.abs(heard.hz - hz) / hz, `heard ${heard.hz} Hz, played ${hz} Hz`).toBeLessThan(0.02);
  expect(Math.abs(heard.levelDb - PLAYED_LEVEL_DB), `heard ${heard.levelDb} dB`).toBeLessThan(1.5);
  expect(heard.purity).toBeGreaterThan(0.9);
}

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

describe('hand-back', () => {
  for (const [host, codec, earlyMedia] of [
    ['127.0.0.24', 'PCMA', false],
    ['127.0.0.25', 'PCMU', true],
  ] as const) {
    interopTest(
      `${codec} alone: a prompt of the server, then the called phone${earlyMedia ? ', before it answers' : ''}: no packet passes the server`,
      { needs: ['baresip', 'tshark'], concurrent: true },
      async (own) => {
        const { pbx, server } = await serve(own, host, startReception);
        const [alice, bob] = await Promise.all([
          phone(own, '100', { server, codec, toneHz: ALICE_HZ }),
          phone(own, '101', { server, codec, toneHz: BOB_HZ, earlyMedia }),
        ]);
        const capture = await Capture.start(
          own,
          `udp portrange ${alice.rtpPort}-${alice.rtpPort + 19} or udp portrange ${bob.rtpPort}-${bob.rtpPort + 19} or (host ${host} and udp portrange ${SERVER_PORTS.from}-${SERVER_PORTS.to})`,
        );
        await alice.dial('700');
        await until(() => alice.heardSeconds() >= 1.5, 'the prompt to be heard', PATIENCE.timeoutMs);
        const prompt = alice.heard();
        expect(measureTone(prompt, firstSound(prompt) + 0.1, 0.5).hz).toBe(1_000);

        const between = (from: Baresip, to: Baresip) => (packet: Datagram) =>
          from.ownsRtp(packet.from) && to.ownsRtp(packet.to) && isSound(packet.payload, codec);
        const toAlice = between(bob, alice);
        const toBob = between(alice, bob);
        const count = async (which: typeof toAlice, least: number, since = 0): Promise<boolean> =>
          (await capture.seen()).slice(since).filter(which).length >= least;
        // Set to early media, baresip tells of no incoming call.
        if (!earlyMedia) {
          await bob.event('CALL_INCOMING', PATIENCE);
          await bob.command('accept');
        }
        await until(() => count(toAlice, 50), 'the sound of the called phone', PATIENCE.timeoutMs);
        await until(() => count(toBob, 1), 'the sound of the caller', PATIENCE.timeoutMs);
        expect(pbx.stats().media.ports.used).toBe(0);
        const since = (await capture.seen()).length;
        if (earlyMedia) await bob.command('accept');
        await bob.event('CALL_ESTABLISHED', PATIENCE);
        const enough = async (): Promise<boolean> =>
          (await count(toAlice, 75, since)) && (await count(toBob, 75, since));
        await until(enough, 'a second and a half of sound, both ways', PATIENCE.timeoutMs);
        const after = (await capture.seen()).slice(since);
        expect(after.filter(({ from, to }) => isServers(from) || isServers(to))).toEqual([]);
        expectTone(soundOf(after.filter(toAlice), codec), -1, 1, BOB_HZ);
        expectTone(soundOf(after.filter(toBob), codec), -1, 1, ALICE_HZ);
        await alice.command('hangup');
        await bob.event('CALL_CLOSED', PATIENCE);
      },
    );
  }
});

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

function isServers(port: number): boolean {
  return port >= SERVER_PORTS.from && port <= SERVER_PORTS.to;
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
