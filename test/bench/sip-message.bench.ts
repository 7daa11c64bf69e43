import { createRequire } from 'node:module';
import { createRequest, parseMessage, printMessage, sipUri } from 'pbxkit/sip';
import type { Benchmark } from './harness.js';

/** What we use of npm `sip` 0.0.6. */
interface PeerMessage {
  readonly headers: Readonly<Record<string, unknown>>;
}
interface Peer {
  parse(data: Buffer): PeerMessage | undefined;
  stringify(message: unknown): string;
}
const peer = createRequire(import.meta.url)('sip') as Peer;

const SDP = [
  'v=0',
  'o=alice 2890844526 2890844526 IN IP4 192.0.2.101',
  's=-',
  'c=IN IP4 192.0.2.101',
  't=0 0',
  'm=audio 49172 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');

const INVITE = Buffer.from(
  [
    'INVITE sip:bob@biloxi.example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK74bf9a1c;rport',
    'Max-Forwards: 70',
    'From: "Alice" <sip:alice@atlanta.example.com>;tag=9fxced76sl',
    'To: "Bob" <sip:bob@biloxi.example.com>',
    'Call-ID: 3848276298220188511@atlanta.example.com',
    'CSeq: 1 INVITE',
    'Contact: <sip:alice@192.0.2.101:5060;transport=udp>',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY',
    'Supported: replaces, timer',
    'User-Agent: Example-Phone/4.2.1',
    'Content-Type: application/sdp',
    `Content-Length: ${SDP.length}`,
    '',
    SDP,
  ].join('\r\n'),
);

const BODY = Buffer.from(SDP);

function readOurs(): unknown {
  const { headers } = parseMessage(INVITE);
  return [
    headers.get('Via'),
    headers.get('From'),
    headers.get('To'),
    headers.get('Call-ID'),
    headers.get('CSeq'),
    headers.get('Contact'),
  ];
}

function readPeer(): unknown {
  const headers = peer.parse(INVITE)?.headers;
  if (headers === undefined) throw new Error('the peer did not read the message');
  return [headers['via'], headers['from'], headers['to'], headers['call-id'], headers['cseq'], headers['contact']];
}

/** What differs from message to message, so that none is printed twice in a row. */
interface Ids {
  readonly branch: string;
  readonly tag: string;
  readonly callId: string;
  readonly sequence: number;
}

function idsOf(i: number): Ids {
  const digits = String(100_000 + i);
  return {
    branch: `z9hG4bK74b${digits}`,
    tag: `9fxc${digits}`,
    callId: `3848276298220${digits}@atlanta.example.com`,
    sequence: 1 + (i % 9),
  };
}

function createOurs({ branch, tag, callId, sequence }: Ids) {
  return createRequest({
    method: 'INVITE',
    uri: sipUri({ user: 'bob', host: 'biloxi.example.com' }),
    headers: {
      Via: [
        {
          protocol: 'SIP/2.0',
          transport: 'UDP',
          host: '192.0.2.101',
          port: 5060,
          params: [{ name: 'branch', value: branch }, { name: 'rport' }],
        },
      ],
      'Max-Forwards': 70,
      From: {
        displayName: 'Alice',
        uri: sipUri({ user: 'alice', host: 'atlanta.example.com' }),
        params: [{ name: 'tag', value: tag }],
      },
      To: { displayName: 'Bob', uri: sipUri({ user: 'bob', host: 'biloxi.example.com' }), params: [] },
      'Call-ID': callId,
      CSeq: { sequence, method: 'INVITE' },
      Contact: [
        {
          uri: sipUri({
            user: 'alice',
            host: '192.0.2.101',
            port: 5060,
            params: [{ name: 'transport', value: 'udp' }],
          }),
          params: [],
        },
      ],
      Allow: ['INVITE', 'ACK', 'CANCEL', 'OPTIONS', 'BYE', 'REFER', 'NOTIFY'],
      Supported: ['replaces', 'timer'],
      'User-Agent': 'Example-Phone/4.2.1',
      'Content-Type': { type: 'application', subtype: 'sdp', params: [] },
    },
    body: BODY,
  });
}

function createPeer({ branch, tag, callId, sequence }: Ids) {
  return {
    method: 'INVITE',
    uri: { schema: 'sip', user: 'bob', host: 'biloxi.example.com' },
    headers: {
      via: [
        {
          version: '2.0',
          protocol: 'UDP',
          host: '192.0.2.101',
          port: 5060,
          params: { branch, rport: null },
        },
      ],
      'max-forwards': 70,
      from: {
        name: '"Alice"',
        uri: { schema: 'sip', user: 'alice', host: 'atlanta.example.com' },
        params: { tag },
      },
      to: { name: '"Bob"', uri: { schema: 'sip', user: 'bob', host: 'biloxi.example.com' }, params: {} },
      'call-id': callId,
      cseq: { seq: sequence, method: 'INVITE' },
      contact: [
        {
          uri: { schema: 'sip', user: 'alice', host: '192.0.2.101', port: 5060, params: { transport: 'udp' } },
          params: {},
        },
      ],
      allow: 'INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY',
      supported: 'replaces, timer',
      'user-agent': 'Example-Phone/4.2.1',
      'content-type': 'application/sdp',
    },
    content: SDP,
  };
}

/** As the peer's own transports do it: its text becomes the bytes that a socket takes. */
function bytesOfPeer(message: unknown): Uint8Array {
  return Buffer.from(peer.stringify(message), 'binary');
}

const IDS = Array.from({ length: 64 }, (_, i) => idsOf(i));

/** Gives the elements one after the other, round and round. */
function inTurn<T>(list: readonly T[]): () => T {
  let next = 0;
  return () => list[next++ % list.length] as T;
}

const ours = inTurn(IDS.map(createOurs));
const peers = inTurn(IDS.map(createPeer));
const idsForOurs = inTurn(IDS);
const idsForPeer = inTurn(IDS);

function printOurs(): Uint8Array {
  return printMessage(ours());
}

/**
 * The work is the same on both sides. Parse: bytes of an INVITE become a message, of which six headers are read as typed values.
 * Print: a message that was built from typed values, each time another one, becomes the bytes that a socket takes; neither side
 * keeps anything printed. Create and print: the typed values too are made anew each time, from numbers and strings; there the making of
 * the objects, which the application does, is a good third of our time.
 *
 * Both are what npm gives a program: pbxkit bundled as it is published (`run.ts`), the peer as it lies in `node_modules`.
 */
export const benchmarks: readonly Benchmark[] = [
  {
    name: `SIP parse (${INVITE.length} bytes)`,
    minimumRatio: 3,
    contestants: [
      { name: 'pbxkit', run: readOurs },
      { name: 'sip 0.0.6', run: readPeer },
    ],
  },
  {
    name: `SIP print (${printOurs().length} bytes)`,
    minimumRatio: 3,
    contestants: [
      { name: 'pbxkit', run: printOurs },
      { name: 'sip 0.0.6', run: () => bytesOfPeer(peers()) },
    ],
  },
  {
    name: 'SIP create and print',
    contestants: [
      { name: 'pbxkit', run: () => printMessage(createOurs(idsForOurs())) },
      { name: 'sip 0.0.6', run: () => bytesOfPeer(createPeer(idsForPeer())) },
    ],
  },
];
