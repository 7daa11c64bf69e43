import { createResponse, type SipResponse } from '../../src/protocol/sip/message.js';

interface Machine<Effect> {
  readonly nextDeadline: number | undefined;
  readonly terminated: boolean;
  onTimer(now: number): readonly Effect[];
}

/** Drives a machine by hand and writes down when it asked for what: `[500, 'send']`. */
export class MachineWorld<Effect extends { readonly type: string }, M extends Machine<Effect>> {
  readonly log: [number, string][] = [];
  readonly machine: M;
  now = 0;

  constructor(make: (now: number) => M) {
    this.machine = make(0);
  }

  do(input: (machine: M, now: number) => readonly Effect[]): this {
    this.#note(input(this.machine, this.now));
    return this;
  }

  /** Lets time pass until `end`, waking the machine at its deadlines only. */
  until(end: number): this {
    for (let next = this.machine.nextDeadline; next !== undefined && next <= end; next = this.machine.nextDeadline) {
      this.now = next;
      this.#note(this.machine.onTimer(next));
    }
    this.now = end;
    return this;
  }

  /** The times at which an effect was asked for. */
  times(type: string): number[] {
    return this.log.filter(([, each]) => each === type).map(([at]) => at);
  }

  #note(effects: readonly Effect[]): void {
    for (const effect of effects) this.log.push([this.now, effect.type]);
  }
}

export function response(status: number): SipResponse {
  return createResponse(status);
}
