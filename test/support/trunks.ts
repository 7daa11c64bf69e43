import type { Random } from '../../src/base/random.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { Resolver } from '../../src/resolver/resolver.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import type { RecordStore } from '../../src/storage/record-store.js';
import type { Machine } from '../../src/testing/machine.js';
import type { World } from '../../src/testing/world.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import { TransportLayer } from '../../src/transport/layer.js';
import type { TrunkEvents } from '../../src/trunk/events.js';
import type { TrunkManagerOptions } from '../../src/trunk/manager-options.js';
import { TrunkManager } from '../../src/trunk/trunk-manager.js';
import { Uac } from '../../src/ua/uac.js';
import { type RawFields, RawPeer, type WireMessage } from './raw-peer.js';

/** The client side of a PBX with a TrunkManager on it, and what it has told. */
export interface TrunkStack {
  readonly trunks: TrunkManager;
  readonly uac: Uac;
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly records: RecordStore;
  /** `line.registered 1234`, in the order of telling. */
  readonly told: string[];
}

export interface TrunkStackOptions extends Partial<Pick<TrunkManagerOptions, 'suspendAfter' | 'isOpen'>> {
  readonly machine?: Machine;
  readonly records?: RecordStore;
  /** Of the TrunkManager alone. */
  readonly random?: Random;
}

const EVENTS: readonly (keyof TrunkEvents)[] = [
  'line.registered',
  'line.failed',
  'line.suspended',
  'line.unregistered',
  'trunk.up',
  'trunk.down',
];

/** Transport, transactions, UAC and TrunkManager on the world's own machine, or another; closed with the world. */
export async function trunkStack(world: World, options: TrunkStackOptions = {}): Promise<TrunkStack> {
  const { machine = world.pbx, records = new MemoryRecords({ clock: world.clock }), ...rest } = options;
  const { network, scheduler, logger, random } = machine.ports;
  const host = machine.host.addresses[0] ?? '';
  const transport = new TransportLayer({
    network,
    scheduler,
    random,
    logger,
    listen: [
      { protocol: 'udp', host, port: 5060 },
      { protocol: 'tcp', host, port: 5060 },
    ],
  });
  const transactions = new TransactionLayer({ transport, scheduler, random, logger });
  const resolver = new Resolver({ network, scheduler, random, logger });
  const uac = new Uac({ transactions, resolver, transport, scheduler, random, logger });
  const trunks = new TrunkManager({ uac, resolver, records, scheduler, random, logger, ...rest });
  const told: string[] = [];
  for (const name of EVENTS)
    trunks.on(name, (event) => told.push(`${name} ${'line' in event ? event.line : event.trunk}`));
  transport.onFlowClosed((flow) => trunks.flowClosed(flow));
  await world.run(() => transport.start());
  world.use(
    {
      close: async () => {
        await trunks.close();
        transactions.close();
        resolver.close();
        await transport.close();
      },
    },
    machine,
  );
  return { trunks, uac, transport, transactions, records, told };
}

/** How a scripted registrar answers. */
export interface Reply extends RawFields {
  readonly status: number;
  /** Of each Contact of ours that it lists; default: what was asked for. */
  readonly grantSeconds?: number;
}

/** What a test decides of a REGISTER, by its place among them (from 1); undefined: no answer. */
export type RegistrarScript = (request: WireMessage, count: number) => Reply | undefined;

/** A registrar that says what the test writes: `200` lists the contacts that were sent, with what is granted. */
export async function scriptedRegistrar(
  world: World,
  script: RegistrarScript,
  where: { readonly name?: string; readonly address?: string; readonly port?: number } = {},
): Promise<RawPeer> {
  const peer = await RawPeer.open(world, { name: 'carrier', address: '198.51.100.1', ...where });
  const answered = new Map<string, Reply | undefined>();
  peer.onMessage = (message) => {
    if (message.method !== 'REGISTER') return;
    const branch = /branch=([^;]+)/.exec(message.header('Via') ?? '')?.[1] ?? '';
    if (!answered.has(branch)) answered.set(branch, script(message, answered.size + 1));
    const reply = answered.get(branch);
    if (reply !== undefined) answerRegister(peer, message, reply);
  };
  return peer;
}

/** The distinct REGISTERs that came, retransmissions left out. */
export function registersOf(peer: RawPeer): WireMessage[] {
  const seen = new Set<string>();
  return peer.received.filter((message) => {
    const via = message.header('Via') ?? '';
    return message.method === 'REGISTER' && !seen.has(via) && seen.add(via);
  });
}

/** Stamps the Via as RFC 3581 §4 demands, and lists the contacts of a 200. */
function answerRegister(peer: RawPeer, request: WireMessage, reply: Reply): void {
  const via = (request.header('Via') ?? '').replace(
    ';rport',
    `;received=${request.from.address};rport=${request.from.port}`,
  );
  const stamped = { ...request, all: (name: string) => (name === 'Via' ? [via] : request.all(name)) };
  const { status, grantSeconds, headers = [], ...fields } = reply;
  const seconds = grantSeconds ?? Number(request.header('Expires'));
  const contacts = request
    .all('Contact')
    .flatMap((line) => line.split(','))
    .filter((contact) => !contact.includes('expires=0'))
    .map((contact) => `Contact: ${contact.trim()};expires=${seconds}`);
  const listed = status === 200 && seconds > 0 && fields.contact === undefined ? contacts : [];
  peer.respond(stamped, status, { contact: '', ...fields, headers: [...headers, ...listed], toTag: 'carrier' });
}

/** The parts of a REGISTER's Contact. */
export function contactOf(request: WireMessage | undefined): { user: string; host: string; port: number | undefined } {
  const text = request?.header('Contact') ?? '';
  const uri = parseUri(text.slice(text.indexOf('<') + 1, text.indexOf('>')));
  if (uri.kind !== 'sip') throw new Error(`found ${text}, expected a SIP URI`);
  return { user: uri.user ?? '', host: uri.host, port: uri.port };
}
