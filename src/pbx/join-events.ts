import type { TypedEmitter } from '../base/events.js';
import type { CallService } from '../call/call-service.js';
import type { NatService } from '../nat/nat-service.js';
import type { Registrar } from '../registrar/registrar.js';
import type { TransportLayer } from '../transport/layer.js';
import type { TrunkManager } from '../trunk/trunk-manager.js';
import type { PbxEvents } from './events.js';
import type { PbxMedia } from './pbx-media.js';

/** What has something to tell, and to whom. */
export interface Emitting {
  readonly events: TypedEmitter<PbxEvents>;
  readonly transport: TransportLayer;
  readonly registrar: Registrar;
  readonly calls: CallService;
  readonly trunks: TrunkManager;
  readonly media: PbxMedia;
  readonly nat: NatService;
}

/** News goes up: what the modules tell becomes events of the PBX. */
export function joinEvents({ events, transport, registrar, calls, trunks, media, nat }: Emitting): void {
  for (const name of ['call.started', 'call.ringing', 'call.answered', 'call.transferred', 'call.ended'] as const) {
    calls.on(name, (event) => events.emit(name, event));
  }
  for (const name of ['binding.added', 'binding.refreshed'] as const) {
    registrar.on(name, (event) => events.emit(name, event));
  }
  registrar.on('binding.removed', (event) => events.emit('binding.removed', event));
  registrar.on('credentials.refused', (event) => events.emit('credentials.refused', event));
  transport.onMalformed(({ source, error }) =>
    events.emit('message.malformed', { protocol: source.protocol, remote: source.remote, problem: error.message }),
  );
  for (const name of [
    'line.registered',
    'line.failed',
    'line.suspended',
    'line.unregistered',
    'trunk.up',
    'trunk.down',
  ] as const) {
    trunks.on(name, (event) => events.emit(name, event));
  }
  for (const name of ['media.oneWay', 'media.lost', 'media.stats'] as const) {
    media.engine.events?.on(name, (event) => events.emit(name, event));
  }
  nat.events.on('nat.changed', (event) => {
    events.emit('nat.changed', event);
    const { local, external, previous } = event;
    const dead = trunks.addressChanged(previous ?? local, external);
    // Where none was known, peers inside and outside were told the same: those inside are right with it.
    if (previous === undefined) return;
    for (const flow of dead) transport.closeFlow(flow);
    if (previous.address !== external.address) calls.addressChanged(previous.address, external.address);
  });
  transport.onFlowClosed((flow) => {
    registrar.flowClosed(flow);
    trunks.flowClosed(flow);
  });
}
