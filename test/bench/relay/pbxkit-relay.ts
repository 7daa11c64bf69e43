/** Our relay as a process of its own, as a host would run it: RTP headers looked at, statistics kept. */
import { SystemScheduler } from '../../../src/base/scheduler.js';
import { MediaRelay } from '../../../src/media/relay/media-relay.js';
import { NodeNetwork } from '../../../src/net/node-network.js';
import { createSdp } from '../../../src/protocol/sdp/create.js';
import { parseSdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';
import { answerParent } from './answers.js';
import { ownPorts, type RelayedCall } from './relayed-call.js';

const [address = '', peer = ''] = process.argv.slice(2);
const scheduler = new SystemScheduler({ onError: (error) => console.error(error) });
const relay = new MediaRelay({ network: new NodeNetwork(), scheduler, addresses: [address] });
let open = 0;

const describe = (port: number): string =>
  sdpText(createSdp({ origin: { sessionId: port, address: peer }, media: [{ port, formats: ['0', '8'] }] }));
const portOf = (sdp: string): number => mediaSummary(parseSdp(sdp))[0]?.port ?? 0;

async function setUp(index: number): Promise<RelayedCall> {
  const { ownA, ownB } = ownPorts(index);
  const offer = {
    tenantId: 'bench',
    callId: `call ${index}`,
    fromLeg: 'a',
    toLeg: 'b',
    fromAddress: peer,
    toAddress: peer,
  };
  const relayB = portOf(await relay.offer({ ...offer, sdp: describe(ownA) }));
  const relayA = portOf(await relay.answer({ ...offer, fromLeg: 'b', toLeg: 'a', sdp: describe(ownB) }));
  return { ownA, relayA, ownB, relayB };
}

answerParent({
  'set-up': async (detail) => {
    const calls: RelayedCall[] = [];
    for (const wanted = Number(detail); open < wanted; open++) calls.push(await setUp(open));
    return calls;
  },
  totals: () => relay.totals,
});
