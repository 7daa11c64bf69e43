/** INFO in an established call, in the way phones used it before RFC 6086. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';

async function talking(world: World) {
  const a = await RawPeer.open(world, { name: 'a' });
  const b = await RawPeer.open(world, { name: 'b', address: '10.1.0.2' });
  await b.register('101', 'secret-101');
  const from = a.dial('101', { from: '<sip:100@office.test>' });
  from.authorize(await a.expect(407), '100', 'secret-100');
  const to = b.take(await b.expect('INVITE'));
  to.respond(200, { body: rawSdp('10.1.0.2', 5000) });
  await b.expect('ACK');
  from.learn(await a.expect('200 INVITE'));
  from.ack();
  await world.advance({ ms: 50 });
  to.dialog.cseq = 10;
  const hangUp = async (): Promise<void> => {
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
  };
  return { a, b, from, to, hangUp };
}

const PICTURE =
  '<?xml version="1.0"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>';

describe('INFO', () => {
  officeScenario(
    'digits and the wish for a picture pass, from both sides, byte for byte',
    {},
    async (office, world) => {
      const { a, b, from, to, hangUp } = await talking(world);
      const bodies = [
        ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'],
        ['application/dtmf', '5'],
        ['Application/Media_Control+XML', PICTURE],
      ] as const;
      for (const [contentType, body] of bodies) {
        from.request('INFO', { contentType, body });
        const passed = await b.expect('INFO');
        expect([passed.header('Content-Type'), passed.body]).toEqual([contentType.toLowerCase(), body]);
        expect(passed.callId).not.toBe(from.dialog.callId);
        b.respond(passed, 200);
        await a.expect('200 INFO');
      }
      to.request('INFO', { contentType: 'application/dtmf-relay', body: 'Signal=#\r\n' });
      const back = await a.expect('INFO');
      expect(back.body).toBe('Signal=#\r\n');
      a.respond(back, 480);
      await b.expect('480 INFO');
      await hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'what is not known gets 415 with Accept, an Info Package 469 (RFC 6086 §4.2.2), an empty one 200; none passes',
    {},
    async (office, world) => {
      const { a, b, from, hangUp } = await talking(world);
      const before = b.received.length;
      from.request('INFO', { contentType: 'text/plain', body: 'hello' });
      expect((await a.expect('415 INFO')).header('Accept')).toContain('application/dtmf-relay');
      from.request('INFO', { contentType: 'application/dtmf', body: '1', headers: ['Info-Package: dtmf'] });
      expect((await a.expect('469 INFO')).header('Recv-Info')).toBe('');
      from.request('INFO');
      await a.expect('200 INFO');
      from.request('INFO', { contentType: 'application/dtmf', body: '1'.repeat(5000) });
      await a.expect('413 INFO');
      expect(b.received.length).toBe(before);
      await hangUp();
      await office.quiet();
    },
  );

  officeScenario('481 of the other side ends the call (RFC 3261 §12.2.1.2)', {}, async (office, world) => {
    const { a, b, from } = await talking(world);
    from.request('INFO', { contentType: 'application/dtmf', body: '1' });
    b.respond(await b.expect('INFO'), 481);
    await a.expect('481 INFO');
    a.respond(await a.expect('BYE'), 200);
    b.respond(await b.expect('BYE'), 481);
    await office.quiet();
    expect(office.record.leg('b1')).toMatchObject({ releasedBy: 'network' });
  });
});
