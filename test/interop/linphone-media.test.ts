/** What linphone plays, hears and presses: in calls that the server serves, and with baresip through the relay. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { main as echoTest } from '../../examples/echo-test/main.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { G711 } from '../../src/protocol/audio/g711.js';
import type { Baresip } from './support/baresip.js';
import { Lab } from './support/lab.js';
import { LinphoneConsole } from './support/linphonec.js';
import { Callee, sdp } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { Recorded, until } from './support/recorded.js';
import { isSound } from './support/rtp.js';
import { expectTone, heardMore, PATIENCE, phone, portsOf, serve } from './support/serving.js';
import { phone as sippPhone } from './support/sipp-phones.js';
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

function isServers(host: string, port: number): boolean {
  const { from, to } = portsOf(host);
  return port >= from && port <= to + 1;
}

/** How many bytes of sound each packet has that leaves the ports of a server, and each that comes. */
function payloadSizes(packets: readonly Datagram[], host: string, codec: 'PCMA' | 'PCMU') {
  const sizes = (own: (packet: Datagram) => number): readonly number[] => [
    ...new Set(
      packets
        .filter((each) => isServers(host, own(each)) && isSound(each.payload, codec))
        .map(({ payload }) => payload.length - 12),
    ),
  ];
  return { sent: sizes((packet) => packet.from), received: sizes((packet) => packet.to) };
}

describe('the echo test', () => {
  interopTest(
    'linphone, PCMA alone, 30 ms a packet: hears its tone, also after a hold of its own; a key of payload type 96 is told once',
    { needs: ['linphonec', 'tshark'], concurrent: true },
    async (own) => {
      const host = '127.0.0.30';
      const told = new Recorded<string>('keys');
      const { pbx, server } = await serve(own, host, (options) => echoTest(options, (line) => told.push(line)));
      const options = { codec: 'PCMA', ptime: 30 } as const;
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
        LinphoneConsole.start(own, { number: '100', server, toneHz: LINPHONE_HZ, codec: 'PCMA' }),
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

      await keysBothWays(alice, bob);

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

  interopTest(
    'RFC 3264 §6.1: keys follow when the server hands its caller to a phone that answers with another payload type for them',
    { needs: ['linphonec', 'sipp', 'tshark'], concurrent: true },
    async (own) => {
      const host = '127.0.0.35';
      const { server } = await serve(own, host, async (options) => {
        const reception = createPbx(options);
        reception.onCall('700', async (call) => {
          await call.answer();
          await call.collect({ maxDigits: 1 });
          await call.dial('101');
        });
        await reception.start();
        return reception;
      });
      const file = path.join(own.folder('sound'), 'tone.ulaw');
      const callee = new Callee('101');
      const body = sdp({ port: '[rtpstream_audio_port]' }).replaceAll('101', `${CALLED_KEYS}`);
      writeFileSync(file, G711.encodeUlaw(new Int16Array(160_000)));
      const bob = await sippPhone(
        own,
        server,
        '101',
        [
          ...[Callee.invited, callee.provisional(180, 'Ringing'), callee.final(200, 'OK', { body })],
          // What the caller has answered to that description: 119 in place of 96.
          ...[{ receive: 'ACK' }, { receive: 'INVITE' }, callee.okInside({ body, untilAck: true }), { receive: 'ACK' }],
          ...[{ playUlaw: file }, { receive: 'BYE' }, callee.okInside()],
        ],
        { timeoutSeconds: 45 },
      );
      const alice = await LinphoneConsole.start(own, { number: '100', server, toneHz: LINPHONE_HZ, codec: 'PCMU' });
      await alice.call('700');
      const keysOfAlice = async () => {
        const packets = (await capture.seen()).filter(({ from, payload }) => alice.ownsRtp(from) && isKey(payload));
        return [
          ...new Set(
            packets.map(
              ({ to, payload }) => `to the ${isServers(host, to) ? 'server' : 'phone'}, ${(payload[1] ?? 0) & 0x7f}`,
            ),
          ),
        ];
      };
      const joining = alice.child.lines.mark();
      alice.press('1');
      await alice.comesTo('StreamsRunning', joining);
      expect(await keysOfAlice()).toEqual([`to the server, ${LINPHONE_KEYS}`]);
      alice.press('5');
      await until(async () => (await keysOfAlice()).length > 1, 'the second key', PATIENCE.timeoutMs);
      expect(await keysOfAlice()).toEqual([`to the server, ${LINPHONE_KEYS}`, `to the phone, ${CALLED_KEYS}`]);
      await alice.does('terminate', 'Released');
      await bob.succeeded();
    },
  );
});

/** What linphone calls its telephone events when it has one codec: the first number that is free. */
const LINPHONE_KEYS = 96;
const CALLED_KEYS = 119;

/** A telephone event (RFC 4733 §2.3) is four bytes long, and sound is longer. */
function isKey(payload: Buffer): boolean {
  return payload.length === 16 && payload[0] === 0x80;
}

/** A key of each is heard by the other. */
async function keysBothWays(alice: LinphoneConsole, bob: Baresip): Promise<void> {
  const heard = bob.events.mark();
  alice.press('5');
  expect((await bob.event('CALL_DTMF_START', { ...PATIENCE, from: heard })).param).toBe('5');
  const pressed = alice.child.lines.mark();
  await bob.command('sndcode', '8');
  await alice.says('tone 8', pressed);
}
