import type { TypedEmitter } from '../base/events.js';
import type { CallService } from '../call/call-service.js';
import type { Registrar } from '../registrar/registrar.js';
import type { TransportLayer } from '../transport/layer.js';
import type { TrunkManager } from '../trunk/trunk-manager.js';
import type { PbxEvents } from './events.js';

/** What has something to tell, and to whom. */
export interface Emitting {
  readonly events: TypedEmitter<PbxEvents>;
  readonly transport: TransportLayer;
  readonly registrar: Registrar;
  readonly calls: CallService;
  readonly trunks: TrunkManager;
}

/** News goes up: what the modules tell becomes events of the PBX. */
export function joinEvents({ events, transport, registrar, calls, trunks }: Emitting): void {
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
  transport.onFlowClosed((flow) => {
    registrar.flowClosed(flow);
    trunks.flowClosed(flow);
  });
}
