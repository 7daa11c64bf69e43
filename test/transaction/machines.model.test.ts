import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientEffect, ServerEffect } from '../../src/transaction/effects.js';
import { InviteClientMachine } from '../../src/transaction/invite-client.js';
import { InviteServerMachine } from '../../src/transaction/invite-server.js';
import { NonInviteClientMachine } from '../../src/transaction/non-invite-client.js';
import { NonInviteServerMachine } from '../../src/transaction/non-invite-server.js';
import { response } from './machine-world.js';

const STATUSES = [100, 180, 183, 200, 202, 302, 401, 408, 486, 487, 503, 603];

type Step =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'cancel' | 'error' | 'again' | 'ack' };

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
    fc.record({ kind: fc.constant('response' as const), status: fc.constantFrom(...STATUSES) }),
    fc.record({ kind: fc.constantFrom('cancel' as const, 'error' as const, 'again' as const, 'ack' as const) }),
  ),
  { maxLength: 30 },
);

/** Long enough for every timer that runs to end. */
const LONG = 200_000;

interface Machine<Effect> {
  readonly terminated: boolean;
  readonly nextDeadline: number | undefined;
  onTimer(now: number): readonly Effect[];
}

/** Feeds the steps and hands every effect to `see`, with whether the machine had ended before the input. */
function play<Effect>(
  machine: Machine<Effect>,
  list: readonly Step[],
  input: (step: Step, now: number) => readonly Effect[],
  see: (effect: Effect) => void,
): void {
  let now = 0;
  const take = (run: () => readonly Effect[]): void => {
    const ended = machine.terminated;
    const effects = run();
    if (ended) expect(effects).toEqual([]);
    if (machine.terminated) expect(machine.nextDeadline).toBeUndefined();
    for (const effect of effects) see(effect);
  };
  for (const step of [...list, { kind: 'wait' as const, ms: LONG }]) {
    if (step.kind !== 'wait') {
      take(() => input(step, now));
      continue;
    }
    const end = now + step.ms;
    for (let next = machine.nextDeadline; next !== undefined && next <= end; next = machine.nextDeadline) {
      expect(next).toBeGreaterThanOrEqual(now);
      now = next;
      take(() => machine.onTimer(now));
    }
    now = end;
  }
}

describe('transaction machines, random inputs', () => {
  it('a client tells exactly one outcome, ends, and asks for nothing afterwards', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), fc.boolean(), (list, reliable, invite) => {
        const machine = invite ? new InviteClientMachine(reliable) : new NonInviteClientMachine(reliable);
        const outcomes: string[] = [];
        let acks = 0;
        let cancels = 0;
        const see = (effect: ClientEffect): void => {
          if (effect.type === 'deliver' && effect.response.status >= 200) {
            const success = effect.response.status < 300;
            if (!(invite && success && outcomes.at(-1) === '2xx')) outcomes.push(success ? '2xx' : 'final');
          }
          if (effect.type === 'timeout' || effect.type === 'unsent') outcomes.push(effect.type);
          if (effect.type === 'ack') acks++;
          if (effect.type === 'cancel') cancels++;
        };
        for (const effect of machine.start(0)) see(effect);
        play<ClientEffect>(
          machine,
          list,
          (step, now) => {
            if (step.kind === 'response') return machine.onResponse(response(step.status), now);
            if (step.kind === 'error') return machine.onTransportError();
            if (step.kind === 'cancel' && machine instanceof InviteClientMachine) return machine.cancel(now);
            return [];
          },
          see,
        );
        const ringing = machine.state === 'proceeding' && invite && cancels === 0;
        expect(machine.terminated).toBe(!ringing);
        expect(outcomes).toHaveLength(ringing ? 0 : 1);
        expect(acks > 0).toBe(invite && outcomes[0] === 'final');
        expect(cancels).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it('a server sends one final response only, ends once it has one, and asks for nothing afterwards', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), fc.boolean(), (list, reliable, invite) => {
        const make = invite ? InviteServerMachine : NonInviteServerMachine;
        const machine = new make(reliable, () => response(100), 0);
        const finals = new Set<number>();
        let given: number | undefined;
        let timeouts = 0;
        let acknowledged = 0;
        play<ServerEffect>(
          machine,
          list,
          (step, now) => {
            if (step.kind === 'again') return machine.onRetransmission();
            if (step.kind === 'ack' && machine instanceof InviteServerMachine) return machine.onAck(now);
            if (step.kind !== 'response') return [];
            if (machine.accepts(step.status) && step.status >= 200) given ??= step.status;
            return machine.respond(response(step.status), now);
          },
          (effect) => {
            if (effect.type === 'send' && effect.response.status >= 200) finals.add(effect.response.status);
            if (effect.type === 'timeout') timeouts++;
            if (effect.type === 'acknowledged') acknowledged++;
          },
        );
        const success = [...finals].every((status) => status < 300);
        if (!(invite && success)) expect(finals.size).toBeLessThanOrEqual(1);
        if (given !== undefined && !(given === 408 && !invite)) expect(finals.has(given)).toBe(true);
        if (!invite) expect(finals.has(408)).toBe(false);
        expect(machine.terminated).toBe(given !== undefined || !invite);
        expect(timeouts + acknowledged).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});
