/** Flow C4 of RFC 3665 §3.6: a phone answers 302. */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { headerOf, messagesOf, seenBy } from '../support/wire.js';

describe('C4: redirection', () => {
  officeScenario('to another extension: it is called instead', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101', { onCall: (call) => call.redirect(sipUri({ user: '102', host: DOMAIN })) });
    const carol = await office.registered('102');
    const begin = world.clock.now();
    const next = carol.incoming();
    const call = alice.call('101');
    (await world.run(() => next)).answer();
    await world.until(call.talking());
    expect(call.state.kind).toBe('talking');
    expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>302', '<ACK']);
    const [invite] = messagesOf(world, '102', begin).filter(({ method }) => method === 'INVITE');
    expect(invite && headerOf(invite, 'Diversion')).toBe(`<sip:101@${DOMAIN}>;reason=deflection`);
    // RFC 3261 §21.1.3: the caller learns that it is forwarded.
    expect(seenBy(world, '100', begin).filter((each) => each !== '<100')).toEqual([
      '>INVITE',
      '<407',
      '>ACK',
      '>INVITE',
      '<181',
      '<180',
      '<200',
      '>ACK',
    ]);
    call.hangUp();
    await office.quiet();
    expect(office.record.legs.map((leg) => [leg.number, leg.outcome])).toEqual([
      ['100', 'answered'],
      ['101', 'redirected'],
      ['102', 'answered'],
    ]);
  });

  officeScenario('in a circle: given up after five', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101', { onCall: (call) => call.redirect(sipUri({ user: '102', host: DOMAIN })) });
    await office.registered('102', { onCall: (call) => call.redirect(sipUri({ user: '101', host: DOMAIN })) });
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 482 });
    expect(office.record.legs).toHaveLength(7);
    // RFC 5806 §5.1: the last one to send it on stands first.
    const last = messagesOf(world, '101').findLast(({ method }) => method === 'INVITE') ?? expect.fail('no INVITE');
    const users = [...last.text.matchAll(/^Diversion: .*?<sip:(\d+)@/gm)].map((each) => each[1]);
    expect(users).toEqual(['102', '101', '102', '101']);
    await office.quiet();
  });

  officeScenario('to the outside: not followed, the caller gets 480', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101', { onCall: (call) => call.redirect(sipUri({ user: '1', host: 'premium.example' })) });
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 480 });
    await office.quiet();
  });
});
