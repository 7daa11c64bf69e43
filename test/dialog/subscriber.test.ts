/** The subscriber's side of RFC 6665, against a notifier that does as it is told. */
import { describe, expect, test } from 'vitest';
import type { SubscriptionEnd } from '../../src/dialog/subscriber.js';
import type { World } from '../../src/testing/world.js';
import { type RawCall, RawPeer, type WireMessage } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';

const EVENT = { package: 'count', params: [{ name: 'id', value: '7' }] };

interface Told {
  readonly heard: string[];
  readonly ends: SubscriptionEnd[];
}

interface Subscribing extends Told {
  readonly peer: RawPeer;
  readonly raw: RawCall;
  readonly subscribe: WireMessage;
  readonly end: () => void;
}

/** A phone that subscribes; `raw` is the notifier's side, which has not answered yet. */
async function subscribing(world: World): Promise<Subscribing> {
  const phone = world.phone('sip:100@office.test', { password: 'secret', server: { address: '10.1.0.1', port: 5060 } });
  await world.run(() => phone.start());
  const peer = await RawPeer.open(world, { name: 'notifier', server: { address: '10.0.0.1', port: 5060 } });
  const heard: string[] = [];
  const ends: SubscriptionEnd[] = [];
  const subscriber = phone.subscribe(
    '101',
    { event: EVENT, accept: ['text/plain'], expiresSeconds: 600 },
    {
      onNotify: (request, { state }) => heard.push(`${state} ${request.bodyText()}`),
      onEnded: (end) => ends.push(end),
    },
  );
  const subscribe = await peer.expect('SUBSCRIBE');
  return { heard, ends, peer, subscribe, raw: peer.take(subscribe), end: () => subscriber.end() };
}

function notify(raw: RawCall, state: string, body = '', event = 'count;id=7'): void {
  raw.request('NOTIFY', {
    headers: [`Event: ${event}`, `Subscription-State: ${state}`],
    body,
    contentType: 'text/plain',
  });
}

function alone(name: string, body: (world: World) => Promise<void>): void {
  test(name, () => runScenario({ seed: 3, delayMs: 5 }, body));
}

describe('RFC 6665 §4.1 subscriber', () => {
  alone(
    '§4.4.1: the NOTIFY may come before the 200; §4.1.2.2: it is refreshed in that dialog before it expires',
    async (world) => {
      const { heard, ends, peer, raw, end } = await subscribing(world);
      notify(raw, 'active;expires=100', 'one');
      expect((await peer.expect('200 NOTIFY')).cseqMethod).toBe('NOTIFY');
      raw.respond(200, { headers: ['Expires: 100'] });
      const begin = world.clock.now();
      const refresh = await peer.expect('SUBSCRIBE');
      expect(world.clock.now() - begin).toBeGreaterThan(60_000);
      expect(world.clock.now() - begin).toBeLessThan(75_000);
      expect(refresh.header('To')).toBe(raw.dialog.local);
      expect([refresh.cseq, refresh.header('Expires'), refresh.header('Event')]).toEqual([2, '600', 'count;id=7']);
      peer.respond(refresh, 200, { headers: ['Expires: 100'] });
      notify(raw, 'active;expires=100', 'two');
      await peer.expect('200 NOTIFY');
      expect(heard).toEqual(['active one', 'active two']);
      end();
      const last = await peer.expect('SUBSCRIBE');
      expect(last.header('Expires')).toBe('0');
      peer.respond(last, 200, { headers: ['Expires: 0'] });
      notify(raw, 'terminated;reason=timeout', 'last');
      await peer.expect('200 NOTIFY');
      expect([heard.at(-1), ends]).toEqual(['terminated last', [{ kind: 'ended' }]]);
    },
  );

  alone('§4.1.2.4: Timer N: accepted, but no NOTIFY comes', async (world) => {
    const { ends, raw } = await subscribing(world);
    const begin = world.clock.now();
    raw.respond(200, { headers: ['Expires: 600'] });
    await world.until(() => ends.length > 0);
    expect(ends).toEqual([{ kind: 'silent' }]);
    expect(world.clock.now() - begin).toBeLessThanOrEqual(32_100);
  });

  alone('§4.1.3: a NOTIFY of another Event is 489, one of another fork 481', async (world) => {
    const { heard, peer, raw, end } = await subscribing(world);
    raw.respond(200, { headers: ['Expires: 600'] });
    notify(raw, 'active;expires=600', 'wrong', 'count;id=8');
    await peer.expect('489 NOTIFY');
    notify(raw, 'active;expires=600', 'right');
    await peer.expect('200 NOTIFY');
    raw.dialog.local = raw.dialog.local.replace(/;tag=.*/, ';tag=another');
    notify(raw, 'active;expires=600', 'fork');
    await peer.expect('481 NOTIFY');
    expect(heard).toEqual(['active right']);
    end();
    peer.respond(await peer.expect('SUBSCRIBE'), 481, { contact: '' });
    await world.advance({ seconds: 1 });
  });

  alone('§4.1.3: terminated with retry-after', async (world) => {
    const { ends, peer, raw } = await subscribing(world);
    raw.respond(200, { headers: ['Expires: 600'] });
    notify(raw, 'terminated;reason=probation;retry-after=90');
    await peer.expect('200 NOTIFY');
    expect(ends).toEqual([{ kind: 'terminated', reason: 'probation', retryAfterMs: 90_000 }]);
    notify(raw, 'active;expires=600');
    await peer.expect('481 NOTIFY');
  });

  const CHALLENGED = { headers: ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5'], contact: '' };

  alone(
    'a SUBSCRIBE that is challenged is sent again with credentials, unless nobody wants it any more',
    async (world) => {
      const { peer, subscribe, end } = await subscribing(world);
      peer.respond(subscribe, 401, { ...CHALLENGED, toTag: 'x' });
      const again = await peer.expect('SUBSCRIBE');
      expect(again.header('Authorization')).toContain('nonce="n"');
      end();
      peer.respond(again, 401, {
        headers: [CHALLENGED.headers[0]?.replace('"n"', '"m", stale=true') ?? ''],
        contact: '',
        toTag: 'y',
      });
      await world.advance({ seconds: 1 });
      expect(peer.received.filter(({ cseq }) => cseq > again.cseq)).toEqual([]);
    },
  );

  alone('nor a refresh, when the notifier has ended it meanwhile', async (world) => {
    const { ends, peer, raw } = await subscribing(world);
    raw.respond(200, { headers: ['Expires: 100'] });
    notify(raw, 'active;expires=100');
    await peer.expect('200 NOTIFY');
    const refresh = await peer.expect('SUBSCRIBE');
    notify(raw, 'terminated;reason=noresource');
    await peer.expect('200 NOTIFY');
    expect(ends).toHaveLength(1);
    peer.respond(refresh, 401, CHALLENGED);
    await world.advance({ seconds: 1 });
    expect(peer.received.filter(({ method, cseq }) => method === 'SUBSCRIBE' && cseq > refresh.cseq)).toEqual([]);
  });

  alone('refused, or its refresh is: failed', async (world) => {
    const { ends, raw } = await subscribing(world);
    raw.respond(489);
    await world.until(() => ends.length > 0);
    expect(ends).toMatchObject([{ kind: 'failed', failure: { kind: 'response' } }]);
  });
});
