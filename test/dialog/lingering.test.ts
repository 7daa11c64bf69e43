import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { RawPeer } from '../support/raw-peer.js';
import { ANSWER, called, established, type Stack, withStack } from './stack.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Names nothing but what it returns, so that nobody but the stack can hold the sessions. */
async function twoEndedSessions(stack: Stack, peer: RawPeer): Promise<readonly WeakRef<object>[]> {
  const outgoing = await called(stack, peer);
  outgoing.raw.request('BYE');
  await peer.expect('200 BYE');
  const incoming = await established(stack, peer);
  incoming.raw.request('BYE');
  await peer.expect('200 BYE');
  return [outgoing.session, outgoing.told, incoming.session, incoming.told].map((each) => new WeakRef<object>(each));
}

test('RFC 3261 §13.2.2.4: what waits half a minute for late answers holds neither the ended session nor its owner', () =>
  withStack(async ({ world, stack, peer }) => {
    const ended = await twoEndedSessions(stack, peer);
    await world.advance({ seconds: 5 });
    expect(stack.transactions.size).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(ended.map((each) => each.deref() === undefined)).toEqual([true, true, true, true]);
  }));

test('§13.2.2.4: a 2xx that comes again after the session has ended is still acknowledged', () =>
  withStack(async ({ stack, peer }) => {
    const { raw } = await called(stack, peer);
    raw.request('BYE');
    await peer.expect('200 BYE');
    const before = peer.heard.filter((each) => each === 'ACK').length;
    raw.respond(200, { body: ANSWER });
    await peer.expect('ACK');
    expect(peer.heard.filter((each) => each === 'ACK')).toHaveLength(before + 1);
  }));
