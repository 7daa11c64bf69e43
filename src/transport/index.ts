export {
  type ContactAddress,
  type FlowRef,
  type Hop,
  type Listening,
  type ListenPoint,
  type MalformedMessage,
  type OutgoingHandlers,
  type OutgoingRequest,
  type Source,
  TransportError,
  type TransportHandlers,
  TransportLayer,
  type TransportLayerOptions,
  type TransportLimits,
  type TransportProtocol,
  type TransportStats,
} from './layer.js';
export { DEFAULT_TRANSPORT_LIMITS } from './limits.js';
export type { TransportCounters } from './stats.js';
