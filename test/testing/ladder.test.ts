import { describe, expect, test } from 'vitest';
import type { TcpConnection, UdpSocket } from '../../src/net/network.js';
import type { Machine } from '../../src/testing/machine.js';
import { sightings, sipSightings } from '../../src/testing/sightings.js';
import { createWorld } from '../../src/testing/world.js';

const sip = (startLine: string, cseq: string, callId: string, body = ''): Uint8Array => {
  const type = body === '' ? '' : 'Content-Type: application/sdp\r\n';
  return new Uint8Array(
    Buffer.from(
      `${startLine}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`,
    ),
  );
};

const udp = (machine: Machine, port = 5060): Promise<UdpSocket> =>
  machine.ports.network.openUdp({
    local: { address: machine.host.addresses[0] as string, port },
    onMessage: () => {},
    onError: () => {},
  });

describe('ladder', () => {
  test('a B2BUA call: two legs, SDP, retransmission, loss, media, crossing lanes', async () => {
    const world = createWorld({ seed: 1, delayMs: 4 });
    const [alice, bob] = [world.host('alice', '10.0.0.1'), world.host('bob', '10.0.0.2')];
    const [a, p, b] = [await udp(alice), await udp(world.pbx), await udp(bob)];
    a.send(sip('INVITE sip:101@192.0.2.1 SIP/2.0', '1 INVITE', 'leg-a', 'v=0'), p.local);
    await world.advance({ ms: 10 });
    const heal = world.network.isolate(bob.host);
    const invite = sip('INVITE sip:101@10.0.0.2 SIP/2.0', '7 INVITE', 'leg-b', 'v=0');
    p.send(invite, b.local);
    await world.advance({ ms: 500 });
    heal();
    p.send(invite, b.local);
    await world.advance({ ms: 10 });
    b.send(sip('SIP/2.0 200 OK', '7 INVITE', 'leg-b', 'v=0'), p.local);
    await world.advance({ ms: 10 });
    p.send(sip('SIP/2.0 200 OK', '1 INVITE', 'leg-a', 'v=0'), a.local);
    const rtp = new Uint8Array(172);
    rtp[0] = 0x80;
    for (let i = 0; i < 3; i++) {
      a.send(rtp, b.local);
      b.send(rtp, a.local);
      await world.advance({ ms: 20 });
    }
    p.send(sip('BYE sip:alice@10.0.0.1 SIP/2.0', '2 BYE', 'leg-a'), a.local);
    p.send(sip('OPTIONS sip:x@198.51.100.9 SIP/2.0', '1 OPTIONS', 'probe'), { address: '198.51.100.9', port: 5060 });
    await world.advance({ ms: 10 });
    expect(`\n${world.ladder({ columns: ['alice', 'pbx', 'bob'] })}\n`).toMatchInlineSnapshot(`
      "
                  alice                       pbx                        bob                 198.51.100.9:5060
                    │                          │                          │                          │
          0.000     │──────INVITE (1) sdp─────▶│                          │                          │  A  +4 ms
          0.010     │                          │──────INVITE (7) sdp─────✗│                          │  B  partitioned
          0.510     │                          │──────INVITE (7) sdp─────▶│                          │  B  +4 ms  again
          0.520     │                          │◀─200 OK (7 INVITE) sdp───│                          │  B  +4 ms
          0.530     │◀─200 OK (1 INVITE) sdp───│                          │                          │  A  +4 ms
          0.530     │·······················RTP ×3·······················▶│                          │
          0.530     │◀······················RTP ×3························│                          │
          0.590     │◀────────BYE (2)──────────│                          │                          │  A  +4 ms
          0.590     │                          │─────────────────────OPTIONS (1)────────────────────✗│  C  nobody  to 198.51.100.9:5060
                    │                          │                          │                          │

      A = leg-a
      B = leg-b
      C = probe
      "
    `);
    const onlyA = world.ladder({ callId: 'leg-a' });
    expect(onlyA).not.toContain('bob');
    expect(onlyA).not.toContain('RTP');
    expect(world.ladder({ media: false })).not.toContain('RTP');
  });

  test('what hostile peers send is shown too: a Content-Length below 0, a CSeq of 5,000 characters', async () => {
    const world = createWorld({ seed: 1 });
    const [alice, bob] = [world.host('alice', '10.0.0.1'), world.host('bob', '10.0.0.2')];
    await bob.ports.network.listenTcp({
      local: { address: '10.0.0.2', port: 5060 },
      onConnection: (connection) => connection.handle({ onData: () => {}, onClose: () => {} }),
      onError: () => {},
    });
    const connection = alice.ports.network.connectTcp({ remote: { address: '10.0.0.2', port: 5060 }, timeoutMs: 100 });
    connection.handle({ onData: () => {}, onClose: () => {} });
    connection.send(Buffer.from('OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\nContent-Length: -500\r\n\r\n'));
    await world.advance({ ms: 50 });
    (await udp(alice)).send(sip('BYE sip:a SIP/2.0', `${'1'.repeat(5000)} BYE`, 'y'), {
      address: '10.0.0.2',
      port: 5060,
    });
    await world.advance({ ms: 50 });
    expect(sipSightings(world.trace).map(({ method }) => method)).toEqual(['OPTIONS', 'BYE']);
    expect(
      Math.max(
        ...world
          .ladder()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(200);
    connection.destroy();
  });

  test('nothing sent', () => {
    expect(createWorld({ seed: 1 }).ladder()).toBe('(no SIP message was sent)');
  });

  test('SIP over TCP is put together from lost and cut segments', async () => {
    const world = createWorld({ seed: 3, loss: 0.3, delayMs: [1, 9], segmentBytes: [1, 40] });
    const client = world.host('client', '10.0.0.1');
    await world.ports.network.listenTcp({
      local: { address: '192.0.2.1', port: 5060 },
      onConnection: (connection) => connection.handle({ onData: () => {}, onClose: () => {} }),
      onError: () => {},
    });
    const connection: TcpConnection = client.ports.network.connectTcp({
      remote: { address: '192.0.2.1', port: 5060 },
      timeoutMs: 60_000,
    });
    connection.handle({ onData: () => {}, onClose: () => {} });
    const keepAlive = new Uint8Array(Buffer.from('\r\n\r\n'));
    for (let i = 1; i <= 5; i++) {
      connection.send(sip('INVITE sip:a@b SIP/2.0', `${i} INVITE`, 'tcp-call', 'v=0'));
      connection.send(keepAlive);
    }
    await world.until(() => world.network.inFlight === 0);
    const seen = sipSightings(world.trace);
    expect(seen.map((each) => each.cseq)).toEqual(['1 INVITE', '2 INVITE', '3 INVITE', '4 INVITE', '5 INVITE']);
    expect(seen.every((each) => each.protocol === 'tcp' && each.hasSdp && each.text.endsWith('v=0'))).toBe(true);
    expect(seen.every((each) => each.arrivedAt !== undefined && each.fate === 'delivered')).toBe(true);
    expect(world.ladder()).toContain('tcp');
  });

  test('sightings: duplicates are "again", STUN and keep-alives are left out, compact forms are read', async () => {
    const world = createWorld({ seed: 1, duplicate: 1 });
    const [a, p] = [await udp(world.host('a', '10.0.0.1')), await udp(world.pbx)];
    a.send(
      new Uint8Array(Buffer.from('OPTIONS sip:p SIP/2.0\r\ni: short\r\nCSeq: 3 OPTIONS\r\nl: 0\r\n\r\n')),
      p.local,
    );
    a.send(new Uint8Array(Buffer.from('\r\n\r\n')), p.local);
    a.send(new Uint8Array(20), p.local);
    await world.advance({ seconds: 1 });
    const seen = sightings(world.trace);
    expect(seen).toMatchObject([
      { kind: 'sip', callId: 'short', method: 'OPTIONS', again: false },
      { kind: 'sip', callId: 'short', again: true },
    ]);
  });
});
