import type { Millis } from '../base/clock.js';
import { assertNever } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { TimerTable } from '../base/timer-table.js';
import { isRefusal, type LineFault } from './fault.js';
import { refreshDelayMs, retryDelayMs } from './waits.js';

/** What a REGISTER ended in. */
export type RegisterAnswer =
  /** `elsewhere`: the registrar saw us at another address than our Contact names, and the Contact is to be changed. */
  | { readonly kind: 'granted'; readonly seconds: number; readonly elsewhere: boolean }
  /** 423. */
  | { readonly kind: 'too-brief'; readonly minSeconds: number }
  | { readonly kind: 'failed'; readonly fault: LineFault; readonly retryAfterSeconds?: number };

/** What is to be done, in order. */
export type RegistrationEffect =
  /** Send a REGISTER with this expiry; 0 removes the registration. Its answer comes to `onAnswer`. */
  | { readonly type: 'register'; readonly expiresSeconds: number }
  /** There was no registration, now there is one. */
  | { readonly type: 'registered'; readonly expiresSeconds: number }
  | { readonly type: 'failed'; readonly fault: LineFault; readonly retryInMs: number }
  | { readonly type: 'suspended'; readonly fault: LineFault }
  | { readonly type: 'unregistered'; readonly reason: 'expired' | 'closed' }
  /** Nothing follows. */
  | { readonly type: 'closed' };

type Phase =
  | { readonly kind: 'idle' }
  /** Until the timer `attempt`. */
  | { readonly kind: 'waiting' }
  /** A REGISTER is under way; each correction is made once an attempt. */
  | { readonly kind: 'trying'; readonly lengthened: boolean; readonly moved: boolean }
  | { readonly kind: 'suspended'; readonly fault: LineFault }
  /** `said`: the REGISTER that removes the registration is under way; false: it waits for the one before it (RFC 3261 §10.2). */
  | { readonly kind: 'leaving'; readonly said: boolean }
  | { readonly kind: 'closed' };

type Trying = Phase & { readonly kind: 'trying' };

export interface RegistrationOptions {
  readonly random: Random;
  /** What is asked for, until the registrar wants more. */
  readonly expiresSeconds: number;
  /** Refused attempts in a row after which the line is suspended; 403 suspends it at once. */
  readonly maxRefusals: number;
  /** Failed attempts of any kind in a row after which the line is suspended. */
  readonly maxFailures: number;
  /** How long `close` waits for answers, in milliseconds. */
  readonly goodbyeMs: number;
  /** When an attempt that is due may be made: see `Pacer`. */
  readonly pace: (now: Millis) => Millis;
}

const SOONEST_AGAIN_MS = 30_000;

/**
 * The registration of one line, as seen by the client: RFC 3261 §10.2. Without I/O: what happens comes in with the time, what is to be
 * done comes out, `nextDeadline` says when to call `onDeadline`. There is never more than one REGISTER under way.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #timers = new TimerTable<'attempt' | 'expiry' | 'goodbye'>();
  #phase: Phase = { kind: 'idle' };
  #askSeconds: number;
  #paced = false;
  #grantedAt: Millis = Number.NEGATIVE_INFINITY;
  #movedMeanwhile = false;
  #failures = 0;
  #refusals = 0;
  #lastFault: LineFault | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#askSeconds = options.expiresSeconds;
  }

  get state(): Phase['kind'] {
    return this.#phase.kind;
  }

  /** When the registration ends unless it is refreshed; undefined: there is none. */
  get expiresAt(): Millis | undefined {
    return this.#timers.get('expiry');
  }

  /** Failed attempts since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** What stands in the way now; undefined after a success. */
  get fault(): LineFault | undefined {
    return this.#lastFault;
  }

  get nextDeadline(): Millis | undefined {
    return this.#timers.next;
  }

  /** The first attempt is due now; `suspended`: none is, until `resume`. */
  start(now: Millis, suspended?: LineFault): void {
    if (this.#phase.kind !== 'idle') return;
    if (suspended === undefined) this.#wait(now);
    else this.#suspend(suspended);
  }

  /** Ends a suspension. False: the line is not suspended. */
  resume(now: Millis): boolean {
    if (this.#phase.kind !== 'suspended') return false;
    this.#succeeded();
    this.#wait(now);
    return true;
  }

  /**
   * The way by which the registrar reaches us is gone: refreshes now, but no sooner than half a minute after the last grant, so that a
   * carrier that closes each connection is not asked without end.
   */
  hurry(now: Millis): void {
    const due = this.#timers.get('attempt');
    if (this.#phase.kind !== 'waiting' || this.expiresAt === undefined || due === undefined) return;
    const soonest = Math.max(now, this.#grantedAt + SOONEST_AGAIN_MS);
    if (soonest < due) this.#wait(soonest);
  }

  /**
   * The Contact that the registrar knows, or is being told, is ours no longer: as `hurry`, also after the REGISTER that is under way; and an
   * attempt that failed because nobody was reached is made again at once, for the network is another one.
   */
  moved(now: Millis): void {
    if (this.#phase.kind === 'trying') this.#movedMeanwhile = true;
    else if (this.#phase.kind === 'waiting' && isUnreached(this.#lastFault)) this.#wait(now);
    else this.hurry(now);
  }

  onDeadline(now: Millis): RegistrationEffect[] {
    const effects: RegistrationEffect[] = [];
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      if (due === 'attempt') this.#attempt(now, effects);
      else if (due === 'expiry') effects.push({ type: 'unregistered', reason: 'expired' });
      else this.#closed(effects);
    }
    return effects;
  }

  onAnswer(answer: RegisterAnswer, now: Millis): RegistrationEffect[] {
    const effects: RegistrationEffect[] = [];
    const phase = this.#phase;
    if (phase.kind === 'leaving') this.#onLeaving(phase.said, answer, effects);
    else if (phase.kind === 'trying') {
      switch (answer.kind) {
        case 'granted':
          this.#granted(phase, answer.seconds, answer.elsewhere, now, effects);
          break;
        case 'too-brief':
          this.#lengthen(phase, answer.minSeconds, now, effects);
          break;
        case 'failed':
          this.#fail(answer.fault, now, effects, answer.retryAfterSeconds);
          break;
        default:
          assertNever(answer);
      }
    }
    return effects;
  }

  /** Removes the registration, if there is one or may be one, and waits `goodbyeMs` for the answer at most. */
  close(now: Millis): RegistrationEffect[] {
    const effects: RegistrationEffect[] = [];
    const { kind } = this.#phase;
    if (kind === 'leaving' || kind === 'closed') return effects;
    const bound = this.expiresAt !== undefined;
    this.#timers.clear('attempt');
    if (kind === 'trying' || bound) {
      this.#timers.set('goodbye', now + this.#options.goodbyeMs);
      this.#phase = { kind: 'leaving', said: kind !== 'trying' };
      if (kind !== 'trying') effects.push({ type: 'register', expiresSeconds: 0 });
    } else this.#closed(effects);
    return effects;
  }

  #wait(until: Millis): void {
    this.#phase = { kind: 'waiting' };
    this.#paced = false;
    this.#timers.set('attempt', until);
  }

  #attempt(now: Millis, effects: RegistrationEffect[]): void {
    const at = this.#paced ? now : this.#options.pace(now);
    if (at > now) {
      this.#paced = true;
      this.#timers.set('attempt', at);
      return;
    }
    this.#phase = { kind: 'trying', lengthened: false, moved: false };
    this.#movedMeanwhile = false;
    effects.push({ type: 'register', expiresSeconds: this.#askSeconds });
  }

  #granted(phase: Trying, seconds: number, elsewhere: boolean, now: Millis, effects: RegistrationEffect[]): void {
    if (seconds === 0) {
      this.#fail({ kind: 'refused', status: 200, text: 'the registrar granted 0 seconds' }, now, effects);
      return;
    }
    const before = this.expiresAt;
    this.#succeeded();
    this.#grantedAt = now;
    this.#timers.set('expiry', now + seconds * 1000);
    if (before === undefined) effects.push({ type: 'registered', expiresSeconds: seconds });
    if (elsewhere && !phase.moved) {
      this.#phase = { ...phase, moved: true };
      effects.push({ type: 'register', expiresSeconds: this.#askSeconds });
      return;
    }
    this.#wait(now + refreshDelayMs(seconds, this.#options.random));
    if (this.#movedMeanwhile) this.hurry(now);
  }

  /** 423: RFC 3261 §10.2.8. What the registrar wants is kept for the next time. */
  #lengthen(phase: Trying, minSeconds: number, now: Millis, effects: RegistrationEffect[]): void {
    if (phase.lengthened || minSeconds <= this.#askSeconds) {
      const text = `423: asked for ${this.#askSeconds} s, at least ${minSeconds} s are wanted`;
      this.#fail({ kind: 'refused', status: 423, text }, now, effects);
      return;
    }
    this.#askSeconds = minSeconds;
    this.#phase = { ...phase, lengthened: true };
    effects.push({ type: 'register', expiresSeconds: minSeconds });
  }

  #fail(fault: LineFault, now: Millis, effects: RegistrationEffect[], retryAfterSeconds?: number): void {
    const { maxRefusals, maxFailures, random } = this.#options;
    this.#failures++;
    // In a row: what the network does in between does not make a refusal good.
    if (isRefusal(fault)) this.#refusals++;
    this.#lastFault = fault;
    if (fault.kind === 'forbidden' || this.#refusals >= maxRefusals || this.#failures >= maxFailures) {
      this.#suspend(fault);
      effects.push({ type: 'suspended', fault });
      return;
    }
    // The network is another one now than when it was sent.
    const isNewNetwork = this.#movedMeanwhile && isUnreached(fault) && retryAfterSeconds === undefined;
    const retryInMs = isNewNetwork ? 0 : retryDelayMs(this.#failures, random, retryAfterSeconds);
    this.#wait(now + retryInMs);
    effects.push({ type: 'failed', fault, retryInMs });
  }

  #suspend(fault: LineFault): void {
    this.#timers.clearAll();
    this.#lastFault = fault;
    this.#phase = { kind: 'suspended', fault };
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#refusals = 0;
    this.#lastFault = undefined;
  }

  #onLeaving(said: boolean, answer: RegisterAnswer, effects: RegistrationEffect[]): void {
    const bound = this.expiresAt !== undefined || answer.kind === 'granted';
    if (said || !bound) {
      this.#closed(effects);
      return;
    }
    this.#phase = { kind: 'leaving', said: true };
    effects.push({ type: 'register', expiresSeconds: 0 });
  }

  #closed(effects: RegistrationEffect[]): void {
    const bound = this.expiresAt !== undefined;
    this.#timers.clearAll();
    this.#phase = { kind: 'closed' };
    if (bound) effects.push({ type: 'unregistered', reason: 'closed' });
    effects.push({ type: 'closed' });
  }
}

function isUnreached(fault: LineFault | undefined): boolean {
  return fault?.kind === 'timeout' || fault?.kind === 'unreachable';
}
