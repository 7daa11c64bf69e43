export { type BlobStoreFactory, blobStoreContract } from './blob-store-contract.js';
export type { ContractCase } from './contract-case.js';
export { formatLadder, type LadderOptions } from './ladder.js';
export type { LinkConditions } from './link.js';
export { Machine, type WorldPorts } from './machine.js';
export { ClockScope, ManualClock, type ManualClockOptions, WORLD_EPOCH_MS } from './manual-clock.js';
export type { MediaBench } from './media-bench.js';
export { type MediaEngineContractOptions, mediaEngineContract } from './media-engine-contract.js';
export { Nat, type NatKind, type NatOptions } from './nat.js';
export type { Packet, Segment, SegmentKind } from './packet.js';
export { type ModifyPolicy, PhoneCall, type PhoneCallState, type SeenProgress } from './phone-call.js';
export { PhoneMedia, type PhoneMediaOptions } from './phone-media.js';
export { type InDialog, PhoneTransfer, type PhoneTransferOptions, replacesOf } from './phone-transfer.js';
export {
  type RecordStoreContractOptions,
  type RecordStoreFactory,
  recordStoreContract,
} from './record-store-contract.js';
export { type LogLevel, type LogLine, RecordingLogger } from './recording-logger.js';
export { SeededRandom } from './seeded-random.js';
export { type MediaSighting, type Sighting, type SipSighting, sightings, sipSightings } from './sightings.js';
export { type Fate, Trace, type TraceEntry, type TraceOptions } from './trace.js';
export {
  VirtualDns,
  type VirtualDnsFailure,
  type VirtualDnsQuestion,
  type VirtualNaptr,
  type VirtualSrv,
} from './virtual-dns.js';
export { VirtualHost, type VirtualHostOptions, type VirtualRoute } from './virtual-host.js';
export { VirtualNetwork, type VirtualNetworkOptions } from './virtual-network.js';
export {
  type PhoneSubscribeOptions,
  type RegisterOptions,
  type RegisterResult,
  VirtualPhone,
  type VirtualPhoneOptions,
} from './virtual-phone.js';
export { createWorld, type Duration, PBX_ADDRESS, type PhoneOptions, World, type WorldOptions } from './world.js';
