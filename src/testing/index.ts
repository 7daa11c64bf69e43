export { type BlobStoreFactory, blobStoreContract } from './blob-store-contract.js';
export type { ContractCase } from './contract-case.js';
export { formatLadder, type LadderOptions } from './ladder.js';
export type { LinkConditions } from './link.js';
export { Machine, type WorldPorts } from './machine.js';
export { ClockScope, ManualClock, type ManualClockOptions, WORLD_EPOCH_MS } from './manual-clock.js';
export { Nat, type NatKind, type NatOptions } from './nat.js';
export type { Segment, SegmentKind } from './packet.js';
export {
  type RecordStoreContractOptions,
  type RecordStoreFactory,
  recordStoreContract,
} from './record-store-contract.js';
export { type LogLevel, type LogLine, RecordingLogger } from './recording-logger.js';
export { SeededRandom } from './seeded-random.js';
export { type MediaSighting, type Sighting, type SipSighting, sightings, sipSightings } from './sightings.js';
export { type Fate, Trace, type TraceEntry, type TraceOptions } from './trace.js';
export { VirtualDns } from './virtual-dns.js';
export { VirtualHost, type VirtualHostOptions } from './virtual-host.js';
export { VirtualNetwork, type VirtualNetworkOptions } from './virtual-network.js';
export { createWorld, type Duration, PBX_ADDRESS, World, type WorldOptions } from './world.js';
