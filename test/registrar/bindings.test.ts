import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SipHeaders } from '../../src/protocol/sip/headers.js';
import { SipRequest } from '../../src/protocol/sip/message.js';
import { parseMessage } from '../../src/protocol/sip/parse.js';
import { equalUris, parseUri, type SipUri } from '../../src/protocol/sip/uri.js';
import { acceptHeaders } from '../../src/registrar/answer.js';
import { type Binding, bindingsOfRecord, recordOfBindings } from '../../src/registrar/binding.js';
import {
  applyRegister,
  type BindingPolicy,
  type ContactWish,
  type RegisterWish,
  splitExpired,
  uriOf,
} from '../../src/registrar/bindings.js';
import { readRegister } from '../../src/registrar/register-request.js';
import { frozenCopy } from '../../src/storage/json.js';

const POLICY: BindingPolicy = {
  minSeconds: 60,
  maxSeconds: 3600,
  defaultSeconds: 600,
  maxContacts: 4,
  whenFull: 'refuse',
};
const NOW = 1_700_000_000_000;
const ADDRESS = { address: '198.51.100.7', port: 5060 };
const FLOW = { protocol: 'udp', local: { address: '192.0.2.1', port: 5060 }, remote: ADDRESS } as const;

// Some of these are one URI in two spellings; and equality is not transitive (§19.1.4: x=1 ≈ none ≈ x=2).
const URIS = [
  'sip:1@a.example',
  'sip:1@A.EXAMPLE',
  'sip:%31@a.example',
  'sip:1@a.example;x=1',
  'sip:1@a.example;x=2',
  'sip:1@a.example:5060',
  'sip:2@b.example',
  'sip:3@c.example;transport=tcp',
  'sip:4@d.example',
  'sip:5@e.example',
];

const contact: fc.Arbitrary<ContactWish> = fc
  .record({
    contact: fc.constantFrom(...URIS),
    expiresSeconds: fc.constantFrom(undefined, 0, 1, 59, 60, 500, 3600, 2 ** 32 - 1),
    instance: fc.constantFrom(undefined, '<urn:uuid:a>', '<urn:uuid:b>'),
  })
  .map(({ contact: text, expiresSeconds, instance }) => ({
    uri: parseUri(text) as SipUri,
    contact: text,
    params: [],
    q: 1,
    expiresSeconds,
    ...(instance !== undefined && { instanceId: instance }),
  }));

const wish: fc.Arbitrary<RegisterWish> = fc
  .record({
    contacts: fc.oneof(
      { weight: 8, arbitrary: fc.array(contact, { maxLength: 4 }) },
      { weight: 1, arbitrary: fc.constant('all' as const) },
    ),
    callId: fc.constantFrom('x', 'y', 'z'),
    cseq: fc.integer({ min: 1, max: 12 }),
  })
  .map((parts) => ({ ...parts, aor: '1@a.example', path: [], flow: FLOW, observed: ADDRESS, behindNat: false }));

const history = fc.array(fc.record({ wish, elapsedMs: fc.integer({ min: 0, max: 900_000 }) }), { maxLength: 25 });

/** Runs a history; calls `each` for every step. */
function replay(
  steps: readonly { readonly wish: RegisterWish; readonly elapsedMs: number }[],
  policy: BindingPolicy,
  each: (step: {
    before: readonly Binding[];
    wish: RegisterWish;
    outcome: ReturnType<typeof applyRegister>;
    now: number;
  }) => void,
): void {
  let bindings: readonly Binding[] = [];
  let now = NOW;
  for (const step of steps) {
    now += step.elapsedMs;
    const before = splitExpired(bindings, now).live;
    const outcome = applyRegister(before, step.wish, policy, now);
    each({ before, wish: step.wish, outcome, now });
    bindings = outcome.kind === 'applied' ? outcome.bindings : before;
  }
}

describe('RFC 3261 §10.3, for any history of REGISTERs', () => {
  test('the changes told are exactly the difference', () => {
    fc.assert(
      fc.property(history, fc.constantFrom('refuse' as const, 'replace-oldest' as const), (steps, whenFull) => {
        replay(steps, { ...POLICY, whenFull }, ({ before, outcome }) => {
          if (outcome.kind === 'refused') return;
          const removed = outcome.changes.filter(({ type }) => type === 'removed').map(({ binding }) => binding);
          const added = outcome.changes.filter(({ type }) => type === 'added').map(({ binding }) => binding);
          const refreshed = outcome.changes.filter(({ type }) => type === 'refreshed').map(({ binding }) => binding);
          expect(removed.every((binding) => before.includes(binding) && !outcome.bindings.includes(binding))).toBe(
            true,
          );
          expect(outcome.bindings.length).toBe(before.length - removed.length + added.length);
          const fresh = outcome.bindings.filter((binding) => !before.includes(binding));
          expect(new Set([...added, ...refreshed])).toEqual(new Set(fresh));
          expect(new Set(outcome.granted.keys())).toEqual(new Set(fresh));
        });
      }),
    );
  });

  test('never more than allowed, unless there were already; never an interval that was not granted', () => {
    fc.assert(
      fc.property(history, fc.constantFrom('refuse' as const, 'replace-oldest' as const), (steps, whenFull) => {
        replay(steps, { ...POLICY, whenFull }, ({ outcome, now }) => {
          if (outcome.kind === 'refused') return;
          expect(outcome.bindings.length).toBeLessThanOrEqual(POLICY.maxContacts);
          for (const [binding, seconds] of outcome.granted) {
            expect(seconds).toBeGreaterThan(0);
            expect(seconds).toBeLessThanOrEqual(POLICY.maxSeconds);
            expect(binding.expiresAt).toBe(now + seconds * 1000);
          }
        });
      }),
    );
  });

  test('what a request asks to remove is gone, what it asks for is there', () => {
    fc.assert(
      fc.property(history, (steps) => {
        replay(steps, POLICY, ({ wish: { contacts }, outcome }) => {
          if (outcome.kind === 'refused') return;
          if (contacts === 'all') {
            expect(outcome.bindings).toEqual([]);
            return;
          }
          const last = contacts.at(-1);
          if (last === undefined) return;
          const there = outcome.bindings.some((binding) => equalUris(uriOf(binding), last.uri));
          expect(there).toBe(last.expiresSeconds !== 0);
        });
      }),
    );
  });

  test('a request of the same Call-ID that is not newer changes nothing it touches (step 7)', () => {
    fc.assert(
      fc.property(history, (steps) => {
        replay(steps, POLICY, ({ before, wish: asked, outcome }) => {
          const { contacts } = asked;
          const touched =
            contacts === 'all'
              ? before
              : before.filter((binding) => contacts.some(({ uri }) => equalUris(uriOf(binding), uri)));
          const stale = touched.some(({ callId, cseq }) => callId === asked.callId && cseq >= asked.cseq);
          if (!stale) expect(outcome.kind === 'refused' && outcome.refusal.kind === 'out-of-order').toBe(false);
          else if (contacts === 'all') expect(outcome.kind).toBe('refused');
        });
      }),
    );
  });

  test('a query is always granted and changes nothing', () => {
    fc.assert(
      fc.property(history, (steps) => {
        replay(steps, POLICY, ({ before, wish: asked }) => {
          const outcome = applyRegister(before, { ...asked, contacts: [] }, POLICY, NOW);
          expect(outcome).toMatchObject({ kind: 'applied', changes: [], bindings: before });
        });
      }),
    );
  });

  test('bindings come back from the store as they went in', () => {
    fc.assert(
      fc.property(history, (steps) => {
        replay(steps, POLICY, ({ before }) => {
          expect(bindingsOfRecord(frozenCopy(recordOfBindings(before)))).toEqual(before);
        });
      }),
    );
  });
});

test('one contact twice in a request: the last one counts', () => {
  const [a] = URIS as [string];
  const uri = parseUri(a) as SipUri;
  const twice = (first: number, second: number): RegisterWish => ({
    aor: '1@a.example',
    contacts: [first, second].map((expiresSeconds) => ({ uri, contact: a, params: [], q: 1, expiresSeconds })),
    callId: 'x',
    cseq: 1,
    path: [],
    flow: FLOW,
    observed: ADDRESS,
    behindNat: false,
  });
  expect(applyRegister([], twice(0, 100), POLICY, NOW)).toMatchObject({ bindings: [{ expiresAt: NOW + 100_000 }] });
  expect(applyRegister([], twice(100, 0), POLICY, NOW)).toMatchObject({ bindings: [], changes: [] });
  const both = applyRegister([], twice(100, 200), POLICY, NOW);
  expect(both).toMatchObject({ bindings: [{ expiresAt: NOW + 200_000 }], changes: [{ type: 'added' }] });
});

test('a limit that was lowered does not stop refreshes', () => {
  const wishOf = (uris: readonly string[], cseq: number): RegisterWish => ({
    aor: '1@a.example',
    contacts: uris.map((text) => ({
      uri: parseUri(text) as SipUri,
      contact: text,
      params: [],
      q: 1,
      expiresSeconds: 100,
    })),
    callId: 'x',
    cseq,
    path: [],
    flow: FLOW,
    observed: ADDRESS,
    behindNat: false,
  });
  const full = applyRegister([], wishOf(URIS.slice(6), 1), POLICY, NOW);
  if (full.kind !== 'applied') throw new Error('refused');
  expect(full.bindings.length).toBe(4);
  const lower = { ...POLICY, maxContacts: 1 };
  expect(applyRegister(full.bindings, wishOf(['sip:2@b.example'], 2), lower, NOW)).toMatchObject({ kind: 'applied' });
  expect(applyRegister(full.bindings, wishOf(['sip:9@new.example'], 2), lower, NOW)).toEqual({
    kind: 'refused',
    refusal: { kind: 'too-many', maxContacts: 1 },
  });
});

const corpora = process.env['PBXKIT_CORPORA'] ?? join(import.meta.dirname, '../../../shared/corpora');
const torture = join(corpora, 'rfc4475');

describe.skipIf(!existsSync(torture))('RFC 4475 vectors (needs PBXKIT_CORPORA or ../shared/corpora)', () => {
  /** The Contacts of the 200 that a vector gets. */
  function answerTo(file: string): string[] {
    const request = parseMessage(readFileSync(join(torture, file)));
    if (!(request instanceof SipRequest)) throw new Error(`${file} is no request`);
    const source = {
      protocol: 'udp',
      local: FLOW.local,
      remote: ADDRESS,
      flow: FLOW,
      secure: false,
      receivedAt: 0,
    } as const;
    const asked = readRegister({ request, source });
    const outcome = applyRegister([], asked, POLICY, NOW);
    if (outcome.kind !== 'applied') throw new Error(`${file} is refused`);
    return SipHeaders.from(acceptHeaders(outcome, asked, NOW, false)).raw('Contact');
  }

  test('§3.1.1.4 escnull: two different contacts', () => {
    expect(answerTo('escnull.dat')).toEqual([
      '<sip:%00@host5.example.com>;expires=600',
      '<sip:%00%00@host5.example.com>;expires=600',
    ]);
  });

  test('§3.3.14 regescrt: the escaped Route stays in the URI, inside the brackets', () => {
    expect(answerTo('regescrt.dat')).toEqual(['<sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=600']);
  });

  test('§3.3.12 cparam01: a parameter of the header is echoed outside the brackets', () => {
    expect(answerTo('cparam01.dat')).toEqual(['<sip:+19725552222@gw1.example.net>;unknownparam;expires=600']);
  });

  test('§3.3.13 cparam02: a parameter of the URI is echoed inside the brackets', () => {
    expect(answerTo('cparam02.dat')).toEqual(['<sip:+19725552222@gw1.example.net;unknownparam>;expires=600']);
  });

  test('§3.1.2.13 regbadct: the malformed Contact is refused', () => {
    expect(() => answerTo('regbadct.dat')).toThrow(expect.objectContaining({ code: 'SIP_PARSE', status: 400 }));
  });
});
