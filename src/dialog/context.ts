import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { HostPort, Source } from '../ua/target.js';
import type { Uac } from '../ua/uac.js';
import type { Dialog } from './dialog.js';
import type { EarlyLimit } from './early-limit.js';
import type { DialogPolicies } from './policies.js';

/** Takes a 2xx to a re-INVITE of which nothing else is left (RFC 3261 §13.2.2.4). */
export interface SuccessTaker {
  onSuccess(response: SipResponse, source: Source): void;
}

/** Something that lives in a dialog and takes its requests (RFC 5057). */
export interface DialogUsage {
  /** A request of the other side, ACK excepted; its CSeq is not looked at yet. */
  onRequest(incoming: IncomingRequest): void;
  /** The ACK to a 2xx. */
  onAck(request: SipRequest): void;
  /** A 2xx to a re-INVITE whose transaction is gone: it was sent by a way that broke, and has arrived all the same. */
  onStraySuccess?(response: SipResponse, source: Source): void;
  /** Who is given such a 2xx once the usage is over; undefined: none is expected. */
  readonly lateSuccesses?: SuccessTaker | undefined;
  /** The program ends: what can still be said is said now, and no timer is left. */
  close(): void;
}

/** What the parts of this folder share: made by the dialog layer. */
export interface DialogContext {
  readonly uac: Uac;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** The methods that are told in Allow. */
  readonly allow: readonly string[];
  /** Option tags besides those that are served here, `100rel` and `timer`. */
  readonly supported: readonly string[];
  readonly early: EarlyLimit;
  /** How new dialogs behave, as it stands now. */
  policies(): DialogPolicies;
  /** The Contact that the peer at `source` is told, with `user` in it. */
  contactFor(source: Source, user: string, address?: HostPort): NameAddr;
  /** The Contact that is told now instead of one that was told before: the same, unless our address has changed meanwhile. */
  presentContact(contact: NameAddr): NameAddr;
  /** Requests of this dialog go to `usage` until the returned function is called. */
  register(dialog: Dialog, usage: DialogUsage): () => void;
}
