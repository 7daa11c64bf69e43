import type { Logger } from '../base/logger.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { TlsIdentity } from '../net/tls-settings.js';
import { expiryProblem } from '../security/certificates.js';

const DAY_MS = 86_400_000;

/** Warns once a day of certificates that have expired or will within 14 days: phones only say that they cannot register. */
export class CertificateWatch {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  #certificates: readonly TlsIdentity[] = [];
  #cancel: Cancel | undefined;

  constructor(scheduler: Scheduler, logger: Logger) {
    this.#scheduler = scheduler;
    this.#logger = logger;
  }

  /** Looks at these now, and every day from now on. */
  watch(certificates: readonly TlsIdentity[]): void {
    this.close();
    this.#certificates = certificates;
    this.#look();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    if (this.#certificates.length === 0) return;
    for (const { cert } of this.#certificates) {
      const problem = expiryProblem(cert, this.#scheduler.wallTime());
      if (problem !== undefined) this.#logger.warn({ area: 'tls' }, problem);
    }
    this.#cancel = this.#scheduler.after(DAY_MS, () => this.#look());
  }
}
