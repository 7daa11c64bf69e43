import type { SocketAddress } from '../base/ip.js';
import type { CallEvents } from '../call/call-service.js';
import type { OutboxEvents } from '../mailer/outbox-events.js';
import type { MediaEvents } from '../media/media-events.js';
import type { NatEvents } from '../nat/events.js';
import type { RegistrarEvents } from '../registrar/registrar.js';
import type { TransportProtocol } from '../transport/layer.js';
import type { TrunkEvents } from '../trunk/events.js';

/** Everything that a PBX tells. Every event of a tenant names it. */
export interface PbxEvents extends CallEvents, RegistrarEvents, TrunkEvents, OutboxEvents, MediaEvents, NatEvents {
  /** Something came in that is no proper SIP message. It is answered in the same turn if an answer is owed. */
  'message.malformed': {
    readonly protocol: TransportProtocol;
    readonly remote: SocketAddress;
    /** What was wrong with it. */
    readonly problem: string;
  };
}
