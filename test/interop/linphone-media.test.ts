/** What linphone plays, hears and presses: in calls that the server serves, and with baresip through the relay. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { main as echoTest } from '../../examples/echo-test/main.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { Lab } from './support/lab.js';
import { LinphoneConsole } from './support/linphonec.js';
import { anyPossible, interopTest } from './support/programs.js';
import { Recorded, until } from './support/recorded.js';
import { isSound } from './support/rtp.js';
import { expectTone, heardMore, PATIENCE, phone, portsOf, serve } from './support/serving.js';
import { firstSound } from './support/tone.js';
import { Capture, type Datagram } from './support/tshark.js';

const LINPHONE_HZ = 500;
const BARESIP_HZ = 700;

const lab = new Lab();
let capture: Capture;
beforeAll(async () => {
  if (anyPossible(['tshark'])) capture = await Capture.start(lab, 'udp portrange 10000-32999');
});
afterAll(() => lab.close());

/** How many bytes of sound each packet has that leaves the ports of a server, and each that comes. */
function payloadSizes(packets: readonly Datagram[], host: string, codec: 'PCMA' | 'PCMU') {
  const { from, to } = portsOf(host);
  const ofServer = (port: number): boolean => port >= from && port <= to + 1;
  const sizes = (own: (packet: Datagram) => number): readonly number[] => [
    ...new Set(
      packets
        .filter((each) => ofServer(own(each)) && isSound(each.payload, codec))
        .map(({ payload }) => payload.length - 12),
    ),
  ];
  return { sent: sizes((packet) => packet.from), received: sizes((packet) => packet.to) };
}

describe('the echo test', () => {
  interopTest(
    'linphone, PCMA alone, 30 ms a packet: hears its tone, also after a hold of its own; a key of payload type 97 is told once',
    { needs: ['linphonec', 'tshark'], concurrent: true },
    async (own) => {
      const host = '127.0.0.30';
      const told = new Recorded<string>('keys');
      const { pbx, server } = await serve(own, host, (options) => echoTest(options, (line) => told.push(line)));
      const options = { codec: 'PCMA', ptime: 30, telephoneEvent: 97 } as const;
      const alice = await LinphoneConsole.start(own, { number: '100', server, toneHz: LINPHONE_HZ, ...options });
      await alice.call('600');
      await heardMore(alice, 2.5);
      const sound = alice.heard();
      expectTone(sound, firstSound(sound) + 0.2, 1, LINPHONE_HZ);
      alice.press('5');
      await told.wait((line) => line.includes('has pressed'), PATIENCE);
      await alice.does('pause', 'Paused');
      const paused = alice.heardSeconds();
      await alice.does('resume', 'StreamsRunning');
      await until(() => alice.heardSeconds() >= paused + 2.5, 'sound after the hold', PATIENCE.timeoutMs);
      expectTone(alice.heard(), -1.2, 1, LINPHONE_HZ);
      expect(told.items).toEqual(['100 has pressed 5 (rfc4733)']);
      await alice.does('terminate', 'Released');
      await until(() => pbx.calls.length === 0, 'the end of the call');
      expect(payloadSizes(await capture.seen(), host, 'PCMA')).toEqual({ sent: [240], received: [240] });
    },
  );

  interopTest(
    'linphone, PCMU alone, 20 ms: hears its tone; a key by INFO is told once',
    { needs: ['linphonec', 'tshark'], concurrent: true },
    async (own) => {
      const host = '127.0.0.31';
      const told = new Recorded<string>('keys');
      const { server } = await serve(own, host, (options) => echoTest(options, (line) => told.push(line)));
      const options = { codec: 'PCMU', keys: 'info' } as const;
      const alice = await LinphoneConsole.start(own, { number: '100', server, toneHz: LINPHONE_HZ, ...options });
      await alice.call('600');
      await heardMore(alice, 2.5);
      const sound = alice.heard();
      expectTone(sound, firstSound(sound) + 0.2, 1, LINPHONE_HZ);
      alice.press('7');
      await told.wait((line) => line.includes('has pressed'), PATIENCE);
      await heardMore(alice, 1);
      expect(told.items).toEqual(['100 has pressed 7 (info)']);
      await alice.does('terminate', 'Released');
      expect(payloadSizes(await capture.seen(), host, 'PCMU')).toEqual({ sent: [160], received: [160] });
    },
  );

  for (const [ptime, host, codec] of [
    [10, '127.0.0.32', 'PCMU'],
    [40, '127.0.0.33', 'PCMA'],
  ] as const) {
    interopTest(
      `baresip, ${codec} alone, ${ptime} ms a packet: hears its tone in packets as long`,
      { needs: ['baresip', 'tshark'], concurrent: true },
      async (own) => {
        const { server } = await serve(own, host, (options) => echoTest(options, () => undefined));
        const alice = await phone(own, '100', { server, codec, ptime });
        await alice.dial('600');
        await alice.event('CALL_ESTABLISHED', PATIENCE);
        await heardMore(alice, 2.5);
        const sound = alice.heard();
        expectTone(sound, firstSound(sound) + 0.2, 1, 440);
        await alice.command('hangup');
        expect(payloadSizes(await capture.seen(), host, codec)).toEqual({ sent: [8 * ptime], received: [8 * ptime] });
      },
    );
  }
});

describe('linphone and baresip', () => {
  interopTest(
    'relayed: each hears the other, baresip holds and resumes, keys go both ways',
    { needs: ['linphonec', 'baresip', 'tshark'], concurrent: true },
    async (own) => {
      const host = '127.0.0.34';
      const { pbx, server } = await serve(own, host, async (options) => {
        const relaying = createPbx({ ...options, media: { ...options.media, path: 'relay' } });
        await relaying.start();
        return relaying;
      });
      const [alice, bob] = await Promise.all([
        LinphoneConsole.start(own, { number: '100', server, toneHz: LINPHONE_HZ, codec: 'PCMA', telephoneEvent: 97 }),
        phone(own, '101', { server, codec: 'PCMA', toneHz: BARESIP_HZ }),
      ]);
      const talking = alice.call('101');
      await bob.event('CALL_INCOMING', PATIENCE);
      await bob.command('accept');
      await Promise.all([talking, bob.event('CALL_ESTABLISHED', PATIENCE)]);
      await Promise.all([heardMore(alice, 2), heardMore(bob, 2)]);
      const [atAlice, atBob] = [alice.heard(), bob.heard()];
      expectTone(atAlice, firstSound(atAlice) + 0.2, 1, BARESIP_HZ);
      expectTone(atBob, firstSound(atBob) + 0.2, 1, LINPHONE_HZ);

      alice.press('5');
      expect((await bob.event('CALL_DTMF_START', PATIENCE)).param).toBe('5');
      const pressed = alice.child.lines.mark();
      await bob.command('sndcode', '8');
      await alice.says('tone 8', pressed);

      const held = alice.child.lines.mark();
      await bob.command('hold');
      await alice.comesTo('PausedByRemote', held);
      const resumed = alice.child.lines.mark();
      await bob.command('resume');
      await alice.comesTo('StreamsRunning', resumed);
      const before = alice.heardSeconds();
      await until(() => alice.heardSeconds() >= before + 2.5, 'sound after the hold', PATIENCE.timeoutMs);
      expectTone(alice.heard(), -1.2, 1, BARESIP_HZ);

      const { ports, relay } = pbx.stats().media;
      expect(ports.used).toBeGreaterThan(0);
      expect(relay?.packets.relayed).toBeGreaterThan(300);
      await alice.does('terminate', 'Released');
      await bob.event('CALL_CLOSED', PATIENCE);
      await until(() => pbx.stats().media.ports.used === 0, 'the ports of the relay to be free');
    },
  );
});
