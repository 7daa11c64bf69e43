import type { SocketAddress } from '../base/ip.js';
import type { Random } from '../base/random.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import {
  type StunClientEffect,
  StunClientTransaction,
  type StunOutcome,
  type StunTimes,
} from '../protocol/stun/client-transaction.js';
import type { StunPort } from './stun-port.js';

const TRANSACTION_ID_BYTES = 12;

/** Asks STUN servers where a socket is seen (RFC 8489 §6): the transactions, driven by a clock over sockets that others own. */
export class StunClient {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #running = new Set<() => void>();

  constructor(options: { readonly scheduler: Scheduler; readonly random: Random }) {
    this.#scheduler = options.scheduler;
    this.#random = options.random;
  }

  /** Never rejects. `times` as in RFC 8489 §6.2.1, under which a server that is silent is given up after 39.5 s. */
  ask(port: StunPort, server: SocketAddress, times: StunTimes = {}): Promise<StunOutcome> {
    return new Promise((resolve) => {
      const transactionId = this.#random.bytes(TRANSACTION_ID_BYTES);
      const transaction = new StunClientTransaction({ ...times, server, transactionId });
      let cancel: Cancel = () => {};
      const finish = (outcome: StunOutcome): void => {
        cancel();
        ignore();
        this.#running.delete(stop);
        resolve(outcome);
      };
      const run = (effects: readonly StunClientEffect[]): void => {
        for (const effect of effects) {
          if (effect.type === 'done') finish(effect.outcome);
          else port.send(effect.data, effect.to, (error) => run(transaction.onSendError(error)));
        }
        const deadline = transaction.nextDeadline;
        cancel();
        if (deadline === undefined) return;
        cancel = this.#scheduler.at(deadline, () => run(transaction.onTimer(this.#scheduler.now())));
      };
      const ignore = port.onAnswer((data, from) => {
        const effects = transaction.onDatagram(data, from);
        if (effects !== undefined) run(effects);
        return effects !== undefined;
      });
      const stop = (): void => finish({ kind: 'timeout' });
      this.#running.add(stop);
      run(transaction.start(this.#scheduler.now()));
    });
  }

  /** Ends every question as if its server had been silent. */
  close(): void {
    for (const stop of [...this.#running]) stop();
  }
}
