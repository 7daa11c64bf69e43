import { createRequire } from 'node:module';
import { createRequest } from '../../src/protocol/sip/message.js';
import { parseMessage } from '../../src/protocol/sip/parse.js';
import { printMessage } from '../../src/protocol/sip/print.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
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

/** Fresh objects for every message, as a server that makes a new leg has them. */
function printOurs(): unknown {
  return printMessage(
    createRequest({
      method: 'INVITE',
      uri: sipUri({ user: 'bob', host: 'biloxi.example.com' }),
      headers: {
        Via: [
          {
            protocol: 'SIP/2.0',
            transport: 'UDP',
            host: '192.0.2.101',
            port: 5060,
            params: [{ name: 'branch', value: 'z9hG4bK74bf9a1c' }, { name: 'rport' }],
          },
        ],
        'Max-Forwards': 70,
        From: {
          displayName: 'Alice',
          uri: sipUri({ user: 'alice', host: 'atlanta.example.com' }),
          params: [{ name: 'tag', value: '9fxced76sl' }],
        },
        To: { displayName: 'Bob', uri: sipUri({ user: 'bob', host: 'biloxi.example.com' }), params: [] },
        'Call-ID': '3848276298220188511@atlanta.example.com',
        CSeq: { sequence: 1, method: 'INVITE' },
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
    }),
  );
}

function printPeer(): unknown {
  return peer.stringify({
    method: 'INVITE',
    uri: { schema: 'sip', user: 'bob', host: 'biloxi.example.com' },
    headers: {
      via: [
        {
          version: '2.0',
          protocol: 'UDP',
          host: '192.0.2.101',
          port: 5060,
          params: { branch: 'z9hG4bK74bf9a1c', rport: null },
        },
      ],
      'max-forwards': 70,
      from: {
        name: '"Alice"',
        uri: { schema: 'sip', user: 'alice', host: 'atlanta.example.com' },
        params: { tag: '9fxced76sl' },
      },
      to: { name: '"Bob"', uri: { schema: 'sip', user: 'bob', host: 'biloxi.example.com' }, params: {} },
      'call-id': '3848276298220188511@atlanta.example.com',
      cseq: { seq: 1, method: 'INVITE' },
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
  });
}

/** As the peer's own transports send it: its text becomes bytes. */
function sendPeer(): unknown {
  return Buffer.from(printPeer() as string, 'binary');
}

/** RFC 3261 messages: an INVITE of 500 to 800 bytes read with six typed headers, and the same one printed from typed values. */
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
    name: `SIP print (${(printOurs() as Uint8Array).length} bytes)`,
    minimumRatio: 3,
    contestants: [
      { name: 'pbxkit', run: printOurs },
      { name: 'sip 0.0.6', run: sendPeer },
    ],
  },
  {
    // Not the same work: the peer stops at a string that is not yet joined, and nothing can be sent.
    name: 'SIP print, peer without bytes',
    contestants: [
      { name: 'pbxkit', run: printOurs },
      { name: 'sip 0.0.6, text only', run: printPeer },
    ],
  },
];
