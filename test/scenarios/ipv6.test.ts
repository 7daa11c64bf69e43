/** Phones that have IPv6 only, through a PBX that has both families. */
import { expect, test } from 'vitest';
import { createPbx } from '../../src/pbx/pbx.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import { DOMAIN } from '../support/office.js';
import { runScenario } from '../support/scenario.js';
import { bodyOf, headerOf, messagesOf } from '../support/wire.js';

test.each(['udp', 'tcp'] as const)(
  '%s: an IPv6 phone calls an IPv4 phone, and is hung up by it (RFC 3261 §25.1, RFC 5118)',
  (transport) =>
    runScenario({ seed: 6, delayMs: 5, addresses: ['192.0.2.1', '2001:db8::1'] }, async (world) => {
      const pbx = world.use(
        createPbx({
          domain: DOMAIN,
          listen: [
            'udp://192.0.2.1:5060',
            'tcp://192.0.2.1:5060',
            'udp://[2001:db8::1]:5060',
            'tcp://[2001:db8::1]:5060',
          ],
          extensions: ['100', '101'].map((number) => ({ number, password: `secret-${number}` })),
          ...world.ports,
        }),
      );
      await world.run(() => pbx.start());
      const six = world.use(
        new VirtualPhone({
          machine: world.machine({ name: '100', addresses: ['2001:db8::100'] }),
          number: '100',
          domain: DOMAIN,
          password: 'secret-100',
          server: { address: '2001:db8::1', port: 5060 },
          transport,
        }),
      );
      const four = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', transport });
      const registered = await world.run(() => Promise.all([six.register(), four.register()]));
      expect(registered.map(({ status }) => status)).toEqual([200, 200]);
      const call = six.call('101');
      await world.until(four.ringing);
      four.calls[0]?.answer();
      await world.until(call.talking());
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      four.calls[0]?.hangUp();
      await world.until(call.ended());
      const [invite] = messagesOf(world, '101').filter(({ method }) => method === 'INVITE');
      const [bye] = messagesOf(world, '100').filter(({ method }) => method === 'BYE');
      if (invite === undefined || bye === undefined) throw new Error('the call left no trace');
      expect(headerOf(invite, 'Contact')).toContain('@192.0.2.1:5060');
      expect(bodyOf(invite)).toContain('c=IN IP6 2001:db8::100');
      expect(headerOf(bye, 'Via')).toContain('[2001:db8::1]:5060');
      expect(bye.text).toMatch(/^BYE sip:100@\[2001:db8::100\]:5060/);
      await world.advance({ seconds: 40 });
      expect(pbx.calls).toEqual([]);
    }),
);
