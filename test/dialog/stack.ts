import { DEFAULT_TENANT } from '../../src/base/tenant.js';
import { DialogLayer, type DialogLayerOptions } from '../../src/dialog/dialog-layer.js';
import type { IncomingInvite } from '../../src/dialog/incoming-invite.js';
import type { IncomingModify } from '../../src/dialog/incoming-modify.js';
import type { InviteSession, SessionEnd } from '../../src/dialog/invite-session.js';
import type {
  Answer,
  InviteFailure,
  OutgoingInvite,
  OutgoingInviteOptions,
  Progress,
} from '../../src/dialog/outgoing-invite.js';
import { parseNameAddr } from '../../src/protocol/sip/name-addr.js';
import { parseUri, sipUri } from '../../src/protocol/sip/uri.js';
import { Resolver } from '../../src/resolver/resolver.js';
import type { World } from '../../src/testing/world.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import type { FlowRef } from '../../src/transport/hop.js';
import { TransportLayer } from '../../src/transport/layer.js';
import type { CredentialSource } from '../../src/ua/credential-source.js';
import { Uas } from '../../src/ua/request-chain.js';
import { Uac } from '../../src/ua/uac.js';
import { RawPeer } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'PRACK', 'UPDATE'];

/** What the owner of a session was told. */
export interface Told {
  readonly modifies: IncomingModify[];
  readonly acknowledged: (string | undefined)[];
  readonly ends: SessionEnd[];
}

/** Listens to a session and keeps what it tells. */
export function listen(session: InviteSession): Told {
  const told: Told = { modifies: [], acknowledged: [], ends: [] };
  session.handle({
    onModify: (modify) => told.modifies.push(modify),
    onAcknowledged: (sdp) => told.acknowledged.push(sdp),
    onEnded: (end) => told.ends.push(end),
  });
  return told;
}

/** What became of an INVITE that the stack sent. */
export interface Outgoing {
  readonly invite: OutgoingInvite;
  readonly progress: Progress[];
  readonly answers: Answer[];
  readonly failures: InviteFailure[];
}

/** What a test asks of the dialog layer. */
export type StackOptions = Partial<Pick<DialogLayerOptions, 'maxDialogs' | 'reliableProvisionals' | 'sessionTimer'>>;

/** A user agent with dialogs and nothing above them, at 192.0.2.1:5060, facing raw peers. */
export class Stack {
  readonly world: World;
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly dialogs: DialogLayer;
  /** INVITEs that came, in order. */
  readonly incoming: IncomingInvite[] = [];

  constructor(world: World, options: StackOptions = {}) {
    this.world = world;
    const { network, scheduler, random, logger } = world.ports;
    this.transport = world.use(
      new TransportLayer({
        network,
        scheduler,
        random,
        logger,
        listen: [{ protocol: 'udp', host: '192.0.2.1', port: 5060 }],
      }),
    );
    this.transactions = world.use(new TransactionLayer({ transport: this.transport, scheduler, random, logger }));
    const uac = new Uac({
      transactions: this.transactions,
      transport: this.transport,
      resolver: new Resolver({ network, scheduler, random, logger }),
      scheduler,
      random,
      logger,
    });
    this.dialogs = world.use(
      new DialogLayer({
        uac,
        contactFor: (source, user) => ({ uri: sipUri({ user, ...this.transport.contactFor(source) }), params: [] }),
        scheduler,
        random,
        logger,
        allow: ALLOW,
        ...options,
      }),
    );
    new Uas({
      transactions: this.transactions,
      logger,
      scheduler,
      allow: [...ALLOW, 'INFO'],
      supported: ['100rel', 'timer'],
      tenantOf: () => DEFAULT_TENANT,
      takers: [
        this.dialogs,
        {
          name: 'test',
          take: (each) => {
            if (each.request.method !== 'INVITE' || each.request.toTag !== undefined) return false;
            this.incoming.push(this.dialogs.receive(each, 'me'));
            return true;
          },
        },
      ],
    });
  }

  /** Lets time pass until the next INVITE that was not given out yet has come. */
  async nextInvite(): Promise<IncomingInvite> {
    const index = this.#given++;
    await this.world.until(() => this.incoming.length > index);
    return this.incoming[index] as IncomingInvite;
  }
  #given = 0;

  /** Sends an INVITE to a raw peer. */
  invite(
    peer: RawPeer,
    options: Partial<OutgoingInviteOptions> & {
      readonly flow?: FlowRef;
      readonly credentials?: CredentialSource;
    } = {},
  ): Outgoing {
    const { flow, credentials, ...rest } = options;
    const kept = { progress: [] as Progress[], answers: [] as Answer[], failures: [] as InviteFailure[] };
    const invite = this.dialogs.invite(
      {
        target: {
          uri: parseUri(peer.uri),
          policy: { peer: 'phone' },
          ...(flow === undefined ? {} : { flow }),
          ...(credentials === undefined ? {} : { credentials }),
        },
        from: parseNameAddr('"Me" <sip:me@office.test>'),
        to: parseNameAddr(`<${peer.uri}>`),
        contactUser: 'me',
        sdp: OFFER,
        ...rest,
      },
      {
        onProgress: (progress) => kept.progress.push(progress),
        onAnswered: (answer) => kept.answers.push(answer),
        onFailed: (failure) => kept.failures.push(failure),
      },
    );
    return { invite, ...kept };
  }
}

export const OFFER =
  'v=0\r\no=me 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n';
export const ANSWER = OFFER.replace('6000', '6002');

/** A test with a stack that serves and one raw peer. Nothing may be left of either at the end. */
export async function withStack(
  body: (parts: { readonly world: World; readonly stack: Stack; readonly peer: RawPeer }) => Promise<void>,
  options: StackOptions = {},
): Promise<void> {
  await runScenario({ seed: 5, delayMs: 5 }, async (world) => {
    const peer = await RawPeer.open(world);
    const stack = new Stack(world, options);
    await world.run(() => stack.transport.start());
    await body({ world, stack, peer });
    await world.advance({ seconds: 70 });
    if (stack.dialogs.size > 0) throw new Error(`${stack.dialogs.size} dialog(s) left`);
    if (stack.dialogs.pendingInvites > 0) throw new Error(`${stack.dialogs.pendingInvites} INVITE(s) left`);
    if (stack.transactions.size > 0) throw new Error(`${stack.transactions.size} transaction(s) left`);
  });
}

/** A session that the raw peer began: INVITE, 200, ACK. */
export async function established(stack: Stack, peer: RawPeer) {
  const raw = peer.dial('me');
  const invite = await stack.nextInvite();
  const session = invite.accept({ sdp: ANSWER });
  if (session === undefined) throw new Error('the INVITE was not open');
  const told = listen(session);
  const ok = await peer.expect('200 INVITE');
  raw.learn(ok);
  raw.ack();
  await stack.world.until(() => told.acknowledged.length === 1);
  return { raw, session, told, invite, ok };
}

/** A session that the stack began: INVITE, 200, ACK. */
export async function called(stack: Stack, peer: RawPeer) {
  const outgoing = stack.invite(peer);
  const raw = peer.take(await peer.expect('INVITE'));
  raw.respond(200, { body: ANSWER });
  await stack.world.until(() => outgoing.answers.length === 1);
  const { session } = outgoing.answers[0] as Answer;
  const told = listen(session);
  const ack = await peer.expect('ACK');
  return { raw, session, told, ack, outgoing };
}
