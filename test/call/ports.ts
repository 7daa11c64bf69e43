import type { CallJournal, CallSnapshot } from '../../src/call/journal.js';
import type { Destination, RouteContext, Router } from '../../src/call/route.js';
import type { RouteOutcome } from '../../src/call/route-outcome.js';
import type { MediaEngine, MediaExchange } from '../../src/media/media-engine.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { LeaseOutcome, Target } from '../../src/ua/target.js';

/** A router of the host that asks `decide` first; undefined: the PBX's own decides. */
export function deciding(
  decide: (context: RouteContext, last: RouteOutcome | undefined) => Destination | Promise<Destination> | undefined,
): (own: Router) => Router {
  return (own) => ({
    next: async (context, last) => (await decide(context, last)) ?? own.next(context, last),
  });
}

/** A phone as a target, with a lease that keeps how it was released. */
export function targetOf(phone: VirtualPhone, released?: LeaseOutcome[]): Target {
  return {
    uri: phone.contact.uri,
    policy: { peer: 'phone' },
    ...(released === undefined ? {} : { lease: { release: (outcome: LeaseOutcome) => void released.push(outcome) } }),
  };
}

export const NOWHERE: Target = { uri: parseUri('sip:nobody@10.99.99.99:5060'), policy: { peer: 'phone' } };

/** A media engine that marks what goes through it, and keeps what it was asked. */
export class MarkingEngine implements MediaEngine {
  readonly asked: string[] = [];
  readonly deleted: string[] = [];
  /** Legs that have left before their call was over. */
  readonly left: string[] = [];
  /** Awaited before each answer: for engines that are slow, or fail. */
  before: (what: 'offer' | 'answer', exchange: MediaExchange) => Promise<void> = () => Promise.resolve();

  async offer(exchange: MediaExchange): Promise<string> {
    this.asked.push(`offer ${exchange.fromLeg}>${exchange.toLeg}`);
    await this.before('offer', exchange);
    return `${exchange.sdp}a=through:offer-${exchange.toLeg}\r\n`;
  }

  async answer(exchange: MediaExchange): Promise<string> {
    this.asked.push(`answer ${exchange.fromLeg}>${exchange.toLeg}`);
    await this.before('answer', exchange);
    return `${exchange.sdp}a=through:answer-${exchange.toLeg}\r\n`;
  }

  delete(callId: string, legId?: string) {
    if (legId === undefined) this.deleted.push(callId);
    else this.left.push(legId);
    return Promise.resolve({ path: 'relay', streams: [] } as const);
  }

  stats() {
    return Promise.resolve({ path: 'relay', streams: [] } as const);
  }
}

/** A journal that keeps the order of what it was told. */
export class ListJournal implements CallJournal {
  readonly told: string[] = [];
  readonly saved = new Map<string, CallSnapshot>();
  fail = false;

  save(snapshot: CallSnapshot): Promise<void> {
    this.told.push('save');
    this.saved.set(snapshot.record.id, snapshot);
    return this.fail ? Promise.reject(new Error('the disk is full')) : Promise.resolve();
  }

  remove(_tenantId: string, callId: string): Promise<void> {
    this.told.push('remove');
    this.saved.delete(callId);
    return Promise.resolve();
  }

  load(): Promise<readonly CallSnapshot[]> {
    return Promise.resolve([]);
  }
}
