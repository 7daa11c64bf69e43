import { describe, expect, test } from 'vitest';
import { outcome } from '../../src/call/outcome.js';
import type { RouteContext } from '../../src/call/route.js';
import type { RouteOutcome } from '../../src/call/route-outcome.js';
import { DialPlan } from '../../src/dialplan/dial-plan.js';
import { extensionFrom } from '../../src/directory/extension.js';
import { MemoryDirectory } from '../../src/directory/memory-directory.js';
import { PbxRouter } from '../../src/pbx/router.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { Target } from '../../src/ua/target.js';

const directory = new MemoryDirectory(
  [
    { number: '100', password: 'x' },
    { number: '101', password: 'x', noAnswerSeconds: 15 },
    { number: '102', password: 'x', enabled: false },
    { number: '103', password: 'x' },
  ].map((options) => extensionFrom(options, 'office.test')),
  'default',
);
const targetOf = (user: string): Target => ({ uri: parseUri(`sip:${user}@10.0.0.1`), policy: { peer: 'phone' } });
const plan = new DialPlan({ outPrefix: '' });
const router = new PbxRouter({
  directory,
  isOurs: (host) => host === 'office.test',
  locate: async (_tenant, user) => (user === '103' ? [] : [targetOf(user)]),
  plan: () => plan,
  served: () => undefined,
  trunks: {
    select: () => {
      throw new Error('no call goes out here');
    },
  },
  clock: new ManualClock(),
  random: new SeededRandom(1),
});

function context(called: string, redirections = 0): RouteContext {
  const address = { address: '10.0.0.9', port: 5060 };
  return {
    callId: 'c',
    tenantId: 'default',
    caller: { number: '100' },
    called,
    requestUri: parseUri(called === '' ? 'sip:office.test' : `sip:${called}@office.test`),
    source: {
      protocol: 'udp',
      local: address,
      remote: address,
      flow: { protocol: 'udp', local: address, remote: address },
      secure: false,
      receivedAt: 0,
    },
    redirections,
    signal: new AbortController().signal,
  };
}

const redirectedTo = (...contacts: string[]): RouteOutcome => ({
  ...outcome('redirected', 480),
  contacts: contacts.map(parseUri),
});

describe('where a call goes first', () => {
  test('to the phones of the extension, as long as it wants to ring', async () => {
    expect(await router.next(context('100'))).toEqual({ kind: 'targets', targets: [targetOf('100')], called: '100' });
    expect(await router.next(context('101'))).toMatchObject({ called: '101', noAnswerSeconds: 15 });
  });

  test('404 for nobody, and for an extension that is switched off; 480 for one without phones', async () => {
    expect(await router.next(context('999'))).toEqual({ kind: 'reject', status: 404 });
    expect(await router.next(context('102'))).toEqual({ kind: 'reject', status: 404 });
    expect(await router.next(context(''))).toEqual({ kind: 'reject', status: 484, reason: 'Address Incomplete' });
    expect(await router.next(context('103'))).toEqual({ kind: 'reject', status: 480 });
  });

  test('an extension of another tenant is nobody', async () => {
    expect(await router.next({ ...context('100'), tenantId: 'other' })).toEqual({ kind: 'reject', status: 404 });
  });
});

describe('after an attempt that failed', () => {
  test('the caller is told its outcome', async () => {
    const busy: RouteOutcome = { ...outcome('busy', 486), reason: 'In a meeting', reasonHeaders: ['Q.850;cause=17'] };
    expect(await router.next(context('100'), busy)).toEqual({
      kind: 'reject',
      status: 486,
      reason: 'In a meeting',
      reasonHeaders: ['Q.850;cause=17'],
    });
  });

  test('a redirection is followed to the first contact that is here', async () => {
    const outcome = redirectedTo('tel:+4930123', 'sip:1@premium.example', 'sip:101@office.test', 'sip:100@office.test');
    expect(await router.next(context('100', 1), outcome)).toMatchObject({ kind: 'targets', called: '101' });
  });

  test('none is followed to the outside', async () => {
    expect(await router.next(context('100', 1), redirectedTo('sip:1@premium.example'))).toEqual({
      kind: 'reject',
      status: 480,
    });
    expect(await router.next(context('100', 1), redirectedTo())).toEqual({ kind: 'reject', status: 480 });
  });

  test('nor to somebody who does not exist', async () => {
    expect(await router.next(context('100', 1), redirectedTo('sip:999@office.test'))).toMatchObject({ status: 404 });
  });

  test('nor more than five times', async () => {
    const there = redirectedTo('sip:101@office.test');
    expect(await router.next(context('100', 5), there)).toMatchObject({ kind: 'targets' });
    expect(await router.next(context('100', 6), there)).toMatchObject({ kind: 'reject', status: 482 });
  });
});
