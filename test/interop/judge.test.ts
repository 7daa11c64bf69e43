import { describe, expect } from 'vitest';
import { Baresip } from './support/baresip.js';
import type { Lab } from './support/lab.js';
import { interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { isPcmu } from './support/rtp.js';
import { extensions, type SipServer, standIn, startServer } from './support/server.js';
import { cutStream, lengthFault, readMessage } from './support/sip-text.js';
import { Capture } from './support/tshark.js';

const NEEDS = ['baresip', 'tshark'] as const;

/** Registers two phones, calls, holds, resumes, hangs up. */
async function wholeCall(own: Lab, server: SipServer, transport: 'udp' | 'tcp'): Promise<readonly [Baresip, Baresip]> {
  const [a, b] = await Promise.all([
    Baresip.start(own, { number: '100', server, transport }),
    Baresip.start(own, { number: '101', server, transport }),
  ]);
  await Promise.all([a.registered(), b.registered()]);
  await a.dial('101');
  await b.event('CALL_INCOMING');
  await b.command('accept');
  await Promise.all([a.event('CALL_ESTABLISHED'), b.event('CALL_ESTABLISHED')]);
  await until(() => a.heardSeconds() >= 1 && b.heardSeconds() >= 1, 'a second of sound');
  for (const command of ['hold', 'resume']) {
    const from = b.child.lines.mark();
    await a.command(command);
    await b.child.lines.wait((line) => line.startsWith('ACK '), { from, what: `the ACK of the ${command}` });
  }
  await a.command('hangup');
  await b.event('CALL_CLOSED');
  return [a, b];
}

describe('tshark judges what is on the wire during calls of two phones', () => {
  interopTest(
    'UDP: nothing malformed, every Content-Length right; the sound goes end to end',
    { needs: NEEDS, concurrent: true },
    async (own) => {
      const server = await startServer(own, { extensions: extensions(100, 2) });
      const capture = await Capture.start(own, `udp port ${server.port} or udp portrange 10000-31100`);
      const [a, b] = await wholeCall(own, server, 'udp');
      const datagrams = await capture.seen();
      const { messages, complaints } = await capture.judge(own, [server.port, a.sipPort, b.sipPort]);
      expect(complaints).toEqual([]);
      for (const kind of ['REGISTER', 'INVITE', 'ACK', 'BYE', '200', '401', '407', '180'])
        expect(messages).toContain(kind);
      const sip = datagrams.filter(({ from, to }) => from === server.port || to === server.port);
      expect(sip.length).toBeGreaterThan(20);
      for (const { payload } of sip) {
        const message = readMessage(payload);
        if (message !== undefined) expect(lengthFault(message)).toBeUndefined();
      }
      const ours = datagrams.filter(({ payload, from, to }) => isPcmu(payload) && (a.ownsRtp(from) || a.ownsRtp(to)));
      expect(ours.length).toBeGreaterThan(50);
      expect(
        ours.every(({ from, to }) => (a.ownsRtp(from) && b.ownsRtp(to)) || (b.ownsRtp(from) && a.ownsRtp(to))),
      ).toBe(true);
    },
  );

  interopTest(
    'TCP: nothing malformed, the streams cut exactly into messages',
    { needs: NEEDS, concurrent: true },
    async (own) => {
      const server = await startServer(own, { extensions: extensions(100, 2) });
      const capture = await Capture.start(own, `tcp port ${server.port}`);
      await wholeCall(own, server, 'tcp');
      const { messages, complaints } = await capture.judge(own, [server.port]);
      expect(complaints).toEqual([]);
      expect(messages).toContain('INVITE');
      const streams = await capture.tcpStreams(own, server.port);
      // two phones, both directions
      if (!standIn) expect(streams.length).toBeGreaterThanOrEqual(4);
      const cut = streams.flatMap(cutStream);
      expect(cut.length).toBeGreaterThan(20);
      for (const message of cut) expect(lengthFault(message)).toBeUndefined();
    },
  );
});
