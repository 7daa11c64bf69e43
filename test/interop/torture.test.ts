import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  allowedStatuses,
  answerPort,
  bytesOf,
  corpusPresent,
  mayBeSilent,
  type TortureMessage,
  tortureMessages,
  transactionKey,
} from './support/corpus.js';
import { Lab } from './support/lab.js';
import { optionsRequest, TcpPeer, UdpPeer } from './support/peers.js';
import { anyPossible } from './support/programs.js';
import { extensions, OfficeServer, type SipServer, standIn, startServer } from './support/server.js';
import { lengthFault, readMessage, readTorture, valuesOf, viasOf, withoutSpace } from './support/sip-text.js';

/** An address of this process alone: answers without rport come to port 5060 of it, and to the ports that some Vias name. */
const TESTER = `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.77`;
/** What a status must carry: RFC 3261 §21.4.2, §21.4.6, §21.4.8, §21.4.15. */
const OWED_HEADER: Readonly<Record<number, string>> = {
  401: 'www-authenticate',
  405: 'allow',
  407: 'proxy-authenticate',
  420: 'unsupported',
};

const messages = corpusPresent ? tortureMessages() : [];

/**
 * Messages that a stream cuts where a datagram does not: no empty line at the end (baddn), a Content-Length beyond the end
 * (clerr), a second request behind the first (dblreq), no Content-Length (inv2543). They wait for more or end their
 * connection, and are owed no answer by TLS.
 */
const UNFRAMED = new Set(['baddn', 'clerr', 'dblreq', 'inv2543'].map((name) => `rfc4475/${name}.dat`));
const framed = (file: string): boolean => !UNFRAMED.has(file);

/** Messages that a server must take for one transaction go to servers of their own: the n-th of a kind to the n-th server. */
const rounds = new Map<string, number>();
const keys = new Map<string, number>();
for (const { file } of messages) {
  const key = transactionKey(bytesOf(file));
  const round = keys.get(key) ?? 0;
  keys.set(key, round + 1);
  rounds.set(file, round);
}

const suite = corpusPresent ? describe : describe.skip;
suite(`RFC 4475 and RFC 5118 messages to the running server${corpusPresent ? '' : ' (left out: no corpora on this machine)'}`, () => {
  const lab = new Lab();
  const servers: SipServer[] = [];
  /** Sockets of the tester by port, IPv4 and IPv6. */
  const v4 = new Map<number, UdpPeer>();
  const v6 = new Map<number, UdpPeer>();
  const ipv6 = anyPossible(['ipv6']);

  beforeAll(async () => {
    const count = Math.max(...rounds.values()) + 1;
    servers.push(
      ...(await Promise.all(
        Array.from({ length: count }, () =>
          startServer(lab, { domain: 'example.com', extensions: extensions(100, 2), ipv6 }),
        ),
      )),
    );
    for (const { file, rfc } of messages) {
      const port = answerPort(bytesOf(file), 5060);
      const [address, sockets] = rfc === 5118 && ipv6 ? ['::1', v6] : [TESTER, v4];
      for (const own of [5060, port]) {
        if (!sockets.has(own)) sockets.set(own, lab.own(await UdpPeer.bind(address, own)));
      }
    }
  });
  afterAll(() => lab.close());

  function serverFor(message: TortureMessage): SipServer {
    const server = servers[rounds.get(message.file) ?? 0];
    if (server === undefined) throw new Error('no server for this round');
    return server;
  }

  function same(bytes: Buffer, callId: string | undefined): boolean {
    const answer = readMessage(bytes);
    return answer !== undefined && valuesOf(answer, 'call-id')[0] === callId;
  }

  /** A well-formed OPTIONS is still answered. */
  async function stillServing(server: SipServer, host: string, from: UdpPeer): Promise<void> {
    const { text, callId } = optionsRequest(`${host.includes(':') ? `[${host}]` : host}:${server.port}`, 'UDP');
    from.send(text, { host, port: server.port });
    const answer = await from.received.wait((bytes) => same(bytes, callId), { what: 'the answer to a good OPTIONS' });
    expect(answer.toString('latin1')).toMatch(/^SIP\/2\.0 200 /);
  }

  /** The answer fits the outcome, and gives back what a response must give back (RFC 3261 §8.2.6.2), untouched. */
  function judge(message: TortureMessage, request: Buffer, bytes: Buffer): void {
    const answer = readMessage(bytes);
    const asked = readTorture(request);
    if (answer === undefined) throw new Error(`unreadable:\n${bytes.toString('latin1')}`);
    const allowed = allowedStatuses(message);
    expect(allowed, `${answer.startLine} to ${message.file}; owed: ${message.outcome}`).toContain(answer.status);
    const owed = OWED_HEADER[answer.status];
    if (owed !== undefined) expect(valuesOf(answer, owed), `${owed} in ${answer.startLine}`).not.toEqual([]);
    expect(lengthFault(answer)).toBeUndefined();
    if (answer.status === 400 || answer.status === 505) return;
    for (const name of ['call-id', 'from', 'cseq']) {
      expect(valuesOf(answer, name).map(withoutSpace), name).toEqual(valuesOf(asked, name).map(withoutSpace));
    }
    expect(viasOf(answer).slice(1).map(withoutSpace)).toEqual(viasOf(asked).slice(1).map(withoutSpace));
  }

  for (const message of messages.filter(({ via_transport }) => via_transport === 'UDP')) {
    test(`RFC ${message.rfc} §${message.section} ${message.file}: ${message.outcome}`, {
      timeout: 20_000,
    }, async () => {
      const server = serverFor(message);
      const bytes = bytesOf(message.file);
      const [host, sockets] = message.rfc === 5118 && ipv6 ? ['::1', v6] : [server.host, v4];
      const source = sockets.get(5060);
      const listener = sockets.get(answerPort(bytes, 5060));
      if (source === undefined || listener === undefined) throw new Error('no socket for the answer');
      const before = [...sockets.values()].map((peer) => [peer, peer.received.mark()] as const);
      const from = listener.received.mark();
      source.send(bytes, { host, port: server.port });
      const [callId] = valuesOf(readTorture(bytes), 'call-id');
      if (!mayBeSilent(message)) {
        const isFinal = (answer: Buffer): boolean =>
          same(answer, callId) && !answer.toString('latin1').startsWith('SIP/2.0 100');
        judge(
          message,
          bytes,
          await listener.received.wait(isFinal, { from, timeoutMs: 5_000, what: `an answer to ${message.file}` }),
        );
      }
      await stillServing(server, host, source);
      if (message.kind === 'response') {
        for (const [peer, mark] of before) {
          const stray = peer.received.items.slice(mark).filter((item) => same(item, callId));
          expect(stray.map((item) => item.toString('latin1'))).toEqual([]);
        }
      }
      if (message.file.endsWith('dblreq.dat')) {
        const late = listener.received.items
          .slice(from)
          .filter((item) => item.includes('0ha0isnda977644900765@192.0.2.15'));
        expect(late, 'the octets after the REGISTER are no request').toEqual([]);
      }
    });
  }

  for (const message of messages.filter(({ via_transport }) => via_transport !== 'UDP')) {
    test(`RFC ${message.rfc} §${message.section} ${message.file} by TCP: ${message.outcome}`, {
      timeout: 20_000,
    }, async () => {
      const server = serverFor(message);
      const bytes = bytesOf(message.file);
      const peer = lab.own(await TcpPeer.connect(server));
      peer.send(bytes);
      if (!mayBeSilent(message)) {
        const answer = await peer.received.wait((part) => !part.toString('latin1').startsWith('SIP/2.0 100'), {
          timeoutMs: 5_000,
          what: `an answer to ${message.file}`,
        });
        judge(message, bytes, answer);
      }
      const source = v4.get(5060);
      if (source === undefined) throw new Error('no socket');
      await stillServing(server, server.host, source);
      if (message.kind === 'response') expect(peer.received.items).toEqual([]);
    });
  }

  for (const [file, section] of [
    ['rfc4475/ncl.dat', '3.1.2.3'],
    ['rfc4475/mcl01.dat', '3.3.9'],
  ] as const) {
    test(`RFC 4475 §${section} ${file} by TCP: framing is lost, the connection is closed`, {
      timeout: 20_000,
    }, async () => {
      const [server] = servers;
      const source = v4.get(5060);
      if (server === undefined || source === undefined) throw new Error('no server');
      const peer = lab.own(await TcpPeer.connect(server));
      peer.send(bytesOf(file));
      await peer.closed;
      for (const part of peer.received.items) expect(part.toString('latin1')).toMatch(/^SIP\/2\.0 400 /);
      await stillServing(server, server.host, source);
    });
  }

  test('RFC 4475 §3.1.2.2 clerr.dat by TCP: more octets are waited for, it is not answered as complete', {
    timeout: 20_000,
  }, async () => {
    const [server] = servers;
    const source = v4.get(5060);
    if (server === undefined || source === undefined) throw new Error('no server');
    const peer = lab.own(await TcpPeer.connect(server));
    peer.send(bytesOf('rfc4475/clerr.dat'));
    await stillServing(server, server.host, source);
    expect(peer.received.items).toEqual([]);
  });

  test('test.dat belongs to no section: it does no harm', { timeout: 20_000 }, async () => {
    const [server] = servers;
    const source = v4.get(5060);
    if (server === undefined || source === undefined) throw new Error('no server');
    source.send(bytesOf('rfc4475/test.dat'), server);
    await stillServing(server, server.host, source);
  });

  describe.skipIf(standIn)('over TLS', () => {
    /** Servers of their own: what has come by UDP or TCP would be the same transaction here. */
    const secure: OfficeServer[] = [];
    let probe: TcpPeer | undefined;

    beforeAll(async () => {
      const options = { domain: 'example.com', extensions: extensions(100, 2), tls: ['example.com'] };
      for (const _ of servers) secure.push(await OfficeServer.create(lab, options));
      await Promise.all(secure.map((server) => server.start()));
    });

    const dial = async (server: OfficeServer): Promise<TcpPeer> =>
      lab.own(await TcpPeer.connectTls({ host: server.host, port: server.tls.port }, server.tls.ca));

    async function serving(server: OfficeServer): Promise<void> {
      const peer = await dial(server);
      const { text, callId } = optionsRequest(`${server.host}:${server.tls.port};transport=tls`, 'TLS');
      peer.send(text);
      const answer = await peer.received.wait((bytes) => same(bytes, callId), { what: 'the answer to a good OPTIONS' });
      expect(answer.toString('latin1')).toMatch(/^SIP\/2\.0 200 /);
      probe = peer;
    }

    for (const message of messages) {
      const owed = framed(message.file) && !mayBeSilent(message);
      test(`RFC ${message.rfc} §${message.section} ${message.file} by TLS: ${owed ? message.outcome : 'no harm'}`, {
        timeout: 20_000,
      }, async () => {
        const server = secure[rounds.get(message.file) ?? 0];
        if (server === undefined) throw new Error('no server for this round');
        const bytes = bytesOf(message.file);
        const peer = await dial(server);
        peer.send(bytes);
        const isFinal = (part: Buffer): boolean => !part.toString('latin1').startsWith('SIP/2.0 100');
        if (owed) {
          const what = `an answer to ${message.file}`;
          judge(message, bytes, await peer.received.wait(isFinal, { timeoutMs: 5_000, what }));
        }
        await serving(server);
        if (message.kind === 'response') expect(peer.received.items).toEqual([]);
        await peer.stop();
        await probe?.stop();
      });
    }
  });
});
