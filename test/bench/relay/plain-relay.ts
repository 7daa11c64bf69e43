/** The least that a relay in Node.js can do: two connected sockets a call, each packet out by the other, nothing looked at. */
import { createSocket, type Socket } from 'node:dgram';
import { answerParent } from './answers.js';
import { ownPorts, type RelayedCall } from './relayed-call.js';

const [address = '', peer = ''] = process.argv.slice(2);
let open = 0;

function leg(peerPort: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 128 * 1024 });
  // Refused while the pump is not there yet.
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.bind(0, address, () => socket.connect(peerPort, peer, () => resolve(socket)));
  });
}

async function setUp(index: number): Promise<RelayedCall> {
  const { ownA, ownB } = ownPorts(index);
  const [a, b] = [await leg(ownA), await leg(ownB)];
  a.on('message', (data) => b.send(data));
  b.on('message', (data) => a.send(data));
  return { ownA, relayA: a.address().port, ownB, relayB: b.address().port };
}

answerParent({
  'set-up': async (detail) => {
    const calls: RelayedCall[] = [];
    for (const wanted = Number(detail); open < wanted; open++) calls.push(await setUp(open));
    return calls;
  },
});
