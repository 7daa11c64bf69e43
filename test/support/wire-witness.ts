import type { Network } from '../../src/net/network.js';
import { DialogWitness } from './dialog-witness.js';
import { faultsOf, readSip } from './sip-eyes.js';
import { TransactionWitness } from './transaction-witness.js';
import { type LostConnection, type TappedMessage, tapNetwork } from './wire-tap.js';

/**
 * Watches what one program sends and gets, and says what no RFC allows it: malformed messages, CANCEL too early,
 * two final answers, offers that cross, a 2xx without ACK, CSeq that does not grow, requests after BYE.
 */
export class WireWitness {
  /** What was wrong, with its time. */
  readonly faults: string[] = [];
  readonly #transactions = new TransactionWitness((fault) => this.#tell(fault));
  readonly #dialogs = new DialogWitness((fault) => this.#tell(fault));
  readonly #now: () => number;
  /** Counts the programs that were killed. */
  #life = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** For the program: a network that is watched. After a crash the next life of the program gets another one. */
  watch(network: Network): Network {
    const life = this.#life;
    return tapNetwork(network, this.#now, {
      onMessage: (message) => {
        if (life === this.#life) this.see(message);
      },
      onLost: (lost) => {
        if (life === this.#life) this.lose(lost);
      },
    });
  }

  see(tapped: TappedMessage): void {
    const message = readSip(tapped.text);
    if (tapped.direction === 'sent')
      for (const fault of faultsOf(message)) this.#tell(`${message.startLine}: ${fault}`);
    const seen = { tapped, message };
    this.#dialogs.see(seen, this.#transactions.see(seen));
  }

  /** What waited for an answer by that connection gets none. */
  lose(lost: LostConnection): void {
    this.#dialogs.lose(lost, this.#now());
  }

  /** The program was killed: what promises still run of it reaches no network. */
  killed(): void {
    this.#life++;
    this.restarted();
  }

  /** The program was closed, and should be silent. */
  restarted(): void {
    this.#transactions.forget();
    this.#dialogs.forget();
  }

  /** After everything has run out. */
  finish(): readonly string[] {
    this.#transactions.finish();
    this.#dialogs.finish();
    return this.faults;
  }

  #tell(fault: string): void {
    this.faults.push(`${(this.#now() / 1000).toFixed(3)} s ${fault}`);
  }
}
