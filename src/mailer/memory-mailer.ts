import { throwIfAborted } from '../base/errors.js';
import { checkMail, type Mail } from './mail.js';
import { closedMailer, type Mailer } from './mailer.js';

export interface MemoryMailerOptions {
  /** Called before a mail is taken; what it throws is what `send` rejects with: a server that refuses, or is away. */
  readonly onSend?: (mail: Mail) => void;
}

/** Takes mail and keeps it: for tests, and for trying a PBX out. Nothing leaves the process. */
export class MemoryMailer implements Mailer {
  readonly #onSend: ((mail: Mail) => void) | undefined;
  readonly #sent: Mail[] = [];
  #closed = false;

  constructor(options: MemoryMailerOptions = {}) {
    this.#onSend = options.onSend;
  }

  /** What was taken, oldest first. */
  get sent(): readonly Mail[] {
    return this.#sent;
  }

  async send(mail: Mail, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closed) throw closedMailer();
    throwIfAborted(options.signal, 'the mail');
    checkMail(mail);
    this.#onSend?.(mail);
    this.#sent.push(mail);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
