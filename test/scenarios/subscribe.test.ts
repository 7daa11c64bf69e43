/** RFC 6665 through the PBX, with a package that counts. */
import { describe, expect } from 'vitest';
import type { SubscriptionEnd } from '../../src/dialog/subscriber.js';
import type { EventPackage, SubscribeRequest, Subscription } from '../../src/presence/event-package.js';
import { getParam } from '../../src/protocol/sip/params.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import { type Office, officeScenario } from '../support/office.js';
import { type RawCall, RawPeer, type WireMessage } from '../support/raw-peer.js';
import { messagesOf, seenBy } from '../support/wire.js';

const TYPE = 'text/plain';
const EVENT = { package: 'count', params: [] };

/** Tells a number; each subscriber may look. */
class Counting implements EventPackage {
  readonly name = 'count';
  readonly contentTypes = [TYPE];
  readonly maxSeconds = 600;
  readonly defaultSeconds = 300;
  readonly open_: { readonly request: SubscribeRequest; readonly subscription: Subscription }[] = [];
  ended = 0;
  value = 1;
  authorization: 'active' | 'pending' = 'active';

  open(request: SubscribeRequest, subscription: Subscription) {
    if (request.resource === '999') return { status: 404 };
    this.open_.push({ request, subscription });
    return {
      authorization: this.authorization,
      state: (full: boolean) => ({ body: `${this.value}${full ? ' full' : ''}`, contentType: TYPE }),
      onEnded: () => void this.ended++,
    };
  }

  set(value: number): void {
    this.value = value;
    for (const { subscription } of this.open_) subscription.changed();
  }
}

function counting(office: Office): Counting {
  const count = new Counting();
  office.pbx.subscriptions.register(count);
  return count;
}

/** What a phone that subscribes hears. */
function listen(phone: VirtualPhone, number = '101', expiresSeconds?: number) {
  const heard: string[] = [];
  const ends: SubscriptionEnd[] = [];
  const subscriber = phone.subscribe(
    number,
    { event: EVENT, accept: [TYPE], ...(expiresSeconds === undefined ? {} : { expiresSeconds }) },
    {
      onNotify: (request, state) => {
        const reason = getParam(state.params, 'reason');
        heard.push([state.state, reason, request.bodyText()].filter((each) => each).join(' '));
      },
      onEnded: (end) => ends.push(end),
    },
  );
  return { heard, ends, subscriber };
}

describe('a subscription from begin to end', () => {
  officeScenario(
    '§4.2.1.2: NOTIFY at once, at each change, after each refresh, and at the end',
    {},
    async (office, world) => {
      const count = counting(office);
      const alice = await office.registered('100');
      const { heard, ends, subscriber } = listen(alice);
      await world.advance({ seconds: 1 });
      expect(heard).toEqual(['active 1 full']);
      expect(count.open_[0]?.request).toMatchObject({ subscriber: '100', resource: '101' });
      count.set(2);
      await world.advance({ seconds: 1 });
      expect(heard).toEqual(['active 1 full', 'active 2']);
      // Granted 600 s: refreshed in time, and again.
      await world.advance({ seconds: 1200 });
      expect(heard.filter((each) => each === 'active 2 full').length).toBeGreaterThanOrEqual(2);
      expect(ends).toEqual([]);
      expect(office.pbx.subscriptions.size).toBe(1);
      subscriber.end();
      await world.advance({ seconds: 1 });
      expect(heard.at(-1)).toBe('terminated timeout 2 full');
      expect(ends).toEqual([{ kind: 'ended' }]);
      expect([count.ended, office.pbx.subscriptions.size]).toEqual([1, 0]);
      await office.quiet();
      expect(alice.busy).toEqual({ dialogs: 0, transactions: 0 });
    },
  );

  officeScenario('§4.4.3: Expires 0 asks once', {}, async (office, world) => {
    const count = counting(office);
    const alice = await office.registered('100');
    const begin = world.clock.now();
    const { heard, ends } = listen(alice, '101', 0);
    await world.advance({ seconds: 1 });
    expect(heard).toEqual(['terminated timeout 1 full']);
    expect(ends).toMatchObject([{ kind: 'terminated', reason: 'timeout' }]);
    expect(seenBy(world, '100', begin)).toEqual(['>SUBSCRIBE', '<407', '>SUBSCRIBE', '<200', '<NOTIFY', '>200']);
    expect([count.ended, office.pbx.subscriptions.size]).toEqual([1, 0]);
    await office.quiet();
  });

  officeScenario('§4.2.1.3: pending tells nothing until it is allowed', {}, async (office, world) => {
    const count = counting(office);
    count.authorization = 'pending';
    const alice = await office.registered('100');
    const { heard } = listen(alice);
    await world.advance({ seconds: 1 });
    count.set(7);
    await world.advance({ seconds: 1 });
    expect(heard).toEqual(['pending', 'pending']);
    count.open_[0]?.subscription.authorize();
    await world.advance({ seconds: 1 });
    expect(heard.at(-1)).toBe('active 7 full');
    count.open_[0]?.subscription.terminate('noresource');
    await world.advance({ seconds: 1 });
    expect(heard.at(-1)).toBe('terminated noresource 7 full');
    await office.quiet();
  });

  officeScenario('§4.1.3: the reasons say when to come back', {}, async (office, world) => {
    const count = counting(office);
    const alice = await office.registered('100');
    const ends: SubscriptionEnd[][] = [];
    for (const [reason, wait] of [
      ['rejected', 5],
      ['probation', 60],
      ['deactivated', undefined],
      ['giveup', undefined],
    ] as const) {
      const heard = listen(alice);
      ends.push(heard.ends);
      await world.advance({ seconds: 1 });
      count.open_.at(-1)?.subscription.terminate(reason, wait);
      await world.advance({ seconds: 1 });
    }
    expect(ends.flat()).toEqual([
      { kind: 'terminated', reason: 'rejected', retryAfterMs: undefined },
      { kind: 'terminated', reason: 'probation', retryAfterMs: 60_000 },
      { kind: 'terminated', reason: 'deactivated', retryAfterMs: 0 },
      { kind: 'terminated', reason: 'giveup', retryAfterMs: 0 },
    ]);
    await office.quiet();
  });

  officeScenario('close() tells every subscriber to come back', {}, async (office, world) => {
    counting(office);
    const alice = await office.registered('100');
    const { heard } = listen(alice);
    await world.advance({ seconds: 1 });
    await world.run(() => office.pbx.close());
    expect(heard.at(-1)).toBe('terminated deactivated');
  });

  officeScenario('many changes at once: one NOTIFY under way, then the newest', {}, async (office, world) => {
    const count = counting(office);
    const alice = await office.registered('100');
    const { heard, subscriber } = listen(alice);
    await world.advance({ seconds: 1 });
    for (let value = 2; value <= 50; value++) count.set(value);
    await world.advance({ seconds: 1 });
    expect(heard).toEqual(['active 1 full', 'active 2', 'active 50']);
    expect(heard.at(-1)).toBe('active 50');
    subscriber.end();
    await office.quiet();
  });
});

/** A SUBSCRIBE of extension 103, authenticated. */
async function subscribe(
  peer: RawPeer,
  headers: readonly string[],
  number = '101',
): Promise<{ raw: RawCall; answer: WireMessage }> {
  const raw = peer.dial(number, { from: '<sip:103@office.test>' });
  raw.ackFailure(await peer.expect('407 INVITE'));
  raw.request('SUBSCRIBE', { headers });
  let answer = await peer.expect((message) => message.cseqMethod === 'SUBSCRIBE' && message.status !== undefined);
  if (answer.status === 407) {
    raw.requestAuthorized('SUBSCRIBE', answer, '103', 'secret-103', { headers });
    answer = await peer.expect((message) => message.cseqMethod === 'SUBSCRIBE' && message.status !== undefined);
  }
  return { raw, answer };
}

describe('what a notifier refuses (RFC 6665 §4.2.1)', () => {
  officeScenario('an unknown package, or none: 489 with Allow-Events', {}, async (office, world) => {
    counting(office);
    const peer = await RawPeer.open(world);
    for (const headers of [['Event: nonsense'], ['Event: COUNT'], []]) {
      const { answer } = await subscribe(peer, headers);
      expect([answer.status, answer.header('Allow-Events')]).toEqual([489, 'count']);
    }
    await office.quiet();
  });

  officeScenario(
    'too short: 423 with Min-Expires; another media type: 406; no such resource: 404',
    {},
    async (office, world) => {
      const count = counting(office);
      const peer = await RawPeer.open(world);
      const brief = await subscribe(peer, ['Event: count', 'Expires: 10']);
      expect([brief.answer.status, brief.answer.header('Min-Expires')]).toEqual([423, '60']);
      expect((await subscribe(peer, ['Event: count', 'Accept: application/pidf+xml'])).answer.status).toBe(406);
      expect((await subscribe(peer, ['Event: count'], '999')).answer.status).toBe(404);
      expect([count.open_.length, count.ended, office.pbx.subscriptions.size]).toEqual([1, 1, 0]);
      await office.quiet();
    },
  );

  officeScenario('§4.2.2: a NOTIFY that is refused with 481 ends it', {}, async (office, world) => {
    const count = counting(office);
    const peer = await RawPeer.open(world);
    const { answer } = await subscribe(peer, ['Event: count']);
    expect([answer.status, answer.header('Expires')]).toEqual([200, '300']);
    const first = await peer.expect('NOTIFY');
    expect(first.header('Subscription-State')).toBe('active;expires=300');
    peer.respond(first, 481, { contact: '' });
    await world.advance({ seconds: 1 });
    expect([count.ended, office.pbx.subscriptions.size]).toEqual([1, 0]);
    count.set(5);
    await office.quiet();
    expect(peer.heard.filter((each) => each === 'NOTIFY')).toHaveLength(1);
  });

  officeScenario('§4.2.2: nobody answers the NOTIFY: it ends with timer F', {}, async (office, world) => {
    const count = counting(office);
    const peer = await RawPeer.open(world);
    await subscribe(peer, ['Event: count']);
    await world.advance({ seconds: 33 });
    expect([count.ended, office.pbx.subscriptions.size]).toEqual([1, 0]);
    await office.quiet();
  });

  officeScenario(
    '§4.2.1.4: it expires without refresh; another Event in its dialog is 481',
    {},
    async (office, world) => {
      const count = counting(office);
      const peer = await RawPeer.open(world);
      peer.onMessage = (message) => {
        if (message.method === 'NOTIFY') peer.respond(message, 200, { contact: '' });
      };
      const { raw, answer } = await subscribe(peer, ['Event: count;id=5', 'Expires: 100']);
      raw.learn(answer);
      raw.request('SUBSCRIBE', { headers: ['Event: count;id=6'] });
      expect((await peer.expect((message) => message.cseq === raw.dialog.cseq)).status).toBe(481);
      raw.request('SUBSCRIBE', { headers: ['Event: count;id=5', 'Expires: 100'] });
      expect((await peer.expect((message) => message.cseq === raw.dialog.cseq)).status).toBe(200);
      await world.advance({ seconds: 101 });
      const last = messagesOf(world, 'raw')
        .filter((message) => message.method === 'NOTIFY')
        .at(-1);
      expect(last?.text).toContain('Subscription-State: terminated;reason=timeout');
      expect(last?.text).toContain('Event: count;id=5');
      expect(count.ended).toBe(1);
      raw.request('SUBSCRIBE', { headers: ['Event: count;id=5'] });
      expect((await peer.expect((message) => message.cseq === raw.dialog.cseq)).status).toBe(481);
      await office.quiet();
    },
  );
});

describe('over a wire that loses, repeats and reorders', () => {
  for (const seed of [31, 32, 33, 34]) {
    officeScenario(
      `the last state arrives (seed ${seed})`,
      { seed, loss: 0.2, duplicate: 0.1, reorder: 0.2 },
      async (office, world) => {
        const count = counting(office);
        const alice = await office.registered('100');
        const { heard, ends, subscriber } = listen(alice);
        await world.advance({ seconds: 20 });
        for (let value = 2; value <= 20; value++) {
          count.set(value);
          await world.advance({ ms: 300 });
        }
        await world.advance({ seconds: 40 });
        expect(heard.at(-1)).toMatch(/^active 20/);
        expect(ends).toEqual([]);
        subscriber.end();
        await world.advance({ seconds: 70 });
        expect([ends.length, count.ended, office.pbx.subscriptions.size]).toEqual([1, 1, 0]);
        await office.quiet();
      },
    );
  }
});
