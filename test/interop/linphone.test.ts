import { describe, expect } from 'vitest';
import { Linphone } from './support/linphone.js';
import { interopTest } from './support/programs.js';
import { extensions, startServer } from './support/server.js';
import { Capture } from './support/tshark.js';

describe('linphone', () => {
  interopTest(
    'RFC 8760: registers with SHA-256, and takes it back',
    { needs: ['linphone-daemon', 'tshark'] },
    async (own) => {
      const server = await startServer(own, { extensions: extensions(100, 1), digest: ['SHA-256'] });
      const capture = await Capture.start(own, `udp port ${server.port}`);
      const phone = await Linphone.start(own, { number: '100', server, algorithm: 'SHA-256' });
      await phone.register();
      const taken = capture.datagrams.mark();
      phone.unregister();
      // no binding is left to be named (RFC 3261 §10.3 step 8)
      const unnamed = (text: string): boolean => /^SIP\/2\.0 200 /.test(text) && !/^(Contact|m)\s*:/im.test(text);
      await capture.datagrams.wait(({ payload }) => unnamed(payload.toString('latin1')), {
        from: taken,
        what: 'the answer to the last REGISTER',
      });
      const wire = (await capture.seen()).map(({ payload }) => payload.toString('latin1'));
      const challenges = wire.filter((text) => text.startsWith('SIP/2.0 401'));
      expect(challenges.length).toBeGreaterThan(0);
      for (const text of challenges) expect(text).toMatch(/^WWW-Authenticate:.*algorithm="?SHA-256"?/im);
      const registers = wire.filter((text) => text.startsWith('REGISTER ') && /^Authorization:/im.test(text));
      expect(registers.length).toBeGreaterThan(0);
      // a SHA-256 response has 64 digits
      for (const text of registers) expect(text).toMatch(/response="[0-9a-f]{64}"/);
    },
  );
});
