import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { allowedStatuses, answerPort, type TortureMessage } from './support/corpus.js';
import { Lab } from './support/lab.js';
import { isPcmu, soundOf } from './support/rtp.js';
import { branchOf, scenario } from './support/scenario.js';
import { cutStream, lengthFault, readMessage } from './support/sip-text.js';
import { firstSound, measureTone } from './support/tone.js';
import { readWav, writeTone } from './support/wav.js';

/** The judges of the interop tests are judged here: each must see the right and the wrong. */
describe('the tools of the interop tests', () => {
  const lab = new Lab();
  afterAll(() => lab.close());

  test('a tone is measured: frequency, level, purity; silence has none', () => {
    const file = path.join(lab.dir, 'tone.wav');
    for (const [hz, levelDb] of [
      [440, -13],
      [700, -20],
    ] as const) {
      writeTone(file, { hz, levelDb, seconds: 2 });
      const tone = measureTone(readWav(file), 0.5, 1);
      expect(tone.hz).toBe(hz);
      expect(tone.levelDb).toBeCloseTo(levelDb, 1);
      expect(tone.purity).toBeGreaterThan(0.99);
    }
    const rateHz = 8_000;
    const both = Int16Array.from({ length: rateHz }, (_, i) =>
      Math.round(8_000 * (Math.sin((2 * Math.PI * 440 * i) / rateHz) + Math.sin((2 * Math.PI * 700 * i) / rateHz))),
    );
    expect(measureTone({ rateHz, samples: both }, 0, 1).purity).toBeLessThan(0.6);
    expect(measureTone({ rateHz, samples: new Int16Array(rateHz) }, 0, 1).levelDb).toBe(Number.NEGATIVE_INFINITY);
    expect(() => firstSound({ rateHz, samples: new Int16Array(rateHz) })).toThrow('silence');
    expect(() => measureTone({ rateHz, samples: both }, 0.5, 1)).toThrow('recorded');
  });

  test('RTP with G.711 µ-law becomes sound: the ends and the middle of the code (ITU-T G.711 table 2b)', () => {
    const packet = (...codes: number[]): Buffer => Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, ...codes]);
    const payload = packet(0xff, 0x7f, 0x80, 0x00, 0xf0, 0x70);
    expect([...soundOf([{ from: 1, to: 2, payload }]).samples]).toEqual(
      [0, 0, 32_124, -32_124, 120, -120].map((value) => value + 0),
    );
    expect(isPcmu(packet(0xff))).toBe(true);
    // RTCP: packet type 200
    expect(isPcmu(Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]))).toBe(false);
  });

  test('a Content-Length that lies is seen; a stream is cut where the messages end', () => {
    const message = (body: string, length = body.length): string =>
      `SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\nl: ${length}\r\n\r\n${body}`;
    const [right, wrong] = [readMessage(Buffer.from(message('abc'))), readMessage(Buffer.from(message('abc', 4)))];
    expect(right === undefined ? 'unread' : lengthFault(right)).toBeUndefined();
    expect(wrong === undefined ? 'unread' : lengthFault(wrong)).toContain('Content-Length 4');
    expect(
      cutStream(Buffer.from(`${message('abc')}\r\n\r\n${message('')}`)).map(({ body }) => body.toString()),
    ).toEqual(['abc', '']);
    expect(() => cutStream(Buffer.from(message('abc', 9)))).toThrow('9 octets');
    expect(() => cutStream(Buffer.from(`${message('abc', 2)}${message('')}`))).toThrow('no message begins');
  });

  test('RFC 3261 §18.2.2: where the answer to a datagram goes is read off its Via', () => {
    const port = (via: string): number =>
      answerPort(Buffer.from(`OPTIONS sip:a SIP/2.0\r\nVia: ${via}\r\n\r\n`), 4_321);
    expect(port('SIP/2.0/UDP host.example.com;branch=z9hG4bKx')).toBe(5060);
    expect(port('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx')).toBe(5070);
    expect(port('SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKx')).toBe(5060);
    expect(port('SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKx')).toBe(6050);
    expect(port('SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKx;rport')).toBe(4_321);
    expect(port('SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw')).toBe(5060);
  });

  test('the outcome in words becomes the statuses that are allowed', () => {
    const allowed = (outcome: string, kind: TortureMessage['kind'] = 'request'): readonly number[] =>
      allowedStatuses({ rfc: 4475, section: '', file: 'x', via_transport: 'UDP', kind, outcome });
    expect(allowed('400')).toEqual([400]);
    expect(allowed('505')).toEqual([505]);
    expect(allowed('400 (or tolerate)')).toContain(407);
    expect(allowed('420 with Unsupported listing the tags')).toEqual([420]);
    expect(allowed('200, 404 (400 is tolerated by nobody: RFC says must tolerate)')).not.toContain(400);
    expect(allowed('-', 'response')).toEqual([]);
  });

  test("a scenario names the branch of an earlier request in sipp's own words", () => {
    const xml = scenario([
      { send: 'INVITE [branch]', name: 'invite' },
      { receive: 100, optional: true },
      { receive: 486 },
      { send: `ACK ${branchOf('invite')}`, once: true },
    ]);
    expect(xml).toContain('ACK [branch-3]');
    expect(() => scenario([{ send: branchOf('nothing') }])).toThrow('no step is named');
  });
});
