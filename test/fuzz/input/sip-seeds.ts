import { CODECS } from '../../../src/protocol/sip/header/registry.js';
import { METHODS } from '../../../src/protocol/sip/method.js';
import { corpusFiles, dictionary } from './corpora.js';

/** Bytes from lines: joined by CRLF; characters are bytes. */
function lines(...text: string[]): Uint8Array {
  return Buffer.from(text.join('\r\n'), 'latin1');
}

/** A description of two streams. */
export const SDP = lines(
  'v=0',
  'o=alice 2890844526 2890844527 IN IP4 192.0.2.101',
  's=-',
  'c=IN IP4 192.0.2.101',
  't=0 0',
  'a=group:BUNDLE a',
  'm=audio 49172 RTP/AVP 0 8 101',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=sendrecv',
  'm=video 0 RTP/AVP 31',
  'c=IN IP6 2001:db8::1/3',
  '',
);

const INVITE = lines(
  'INVITE sip:101@office.test;transport=udp SIP/2.0',
  'Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK74bf9a1c;rport, SIP/2.0/TCP [2001:db8::1]:5070;received="x\\"y"',
  'Max-Forwards: 70',
  'From: "Alice \xc3\xa9" <sip:100@office.test?a=b>;tag=9fxced76sl',
  't: Bob <tel:+1-201-555-0123;ext=1>',
  'Call-ID: 3848276298220188511@atlanta.example.com',
  'CSeq: 1 INVITE',
  'm: <sip:100@10.1.0.1:5060;transport=udp>;+sip.instance="<urn:uuid:x>";q=0.5',
  'Route: <sip:192.0.2.1;lr>, "edge" <sips:edge.example.com:5061;lr;transport=tls>',
  'Record-Route: <sip:p1.example.com;lr>',
  'Proxy-Authorization: Digest username="100", realm="office.test", nonce="d\\\\", uri="sip:101@office.test", response="0123456789abcdef0123456789abcdef", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"',
  'Subject: folded',
  '  text',
  'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER',
  'Supported: 100rel, timer, replaces',
  'Session-Expires: 1800;refresher=uac',
  'Min-SE: 90',
  'P-Asserted-Identity: "A" <sip:100@office.test>, <tel:+4930123>',
  'Privacy: id;critical',
  'Replaces: 425928@bobster.example.org;to-tag=7743;from-tag=6472',
  'Content-Type: application/sdp',
  `Content-Length: ${SDP.length}`,
  '',
  Buffer.from(SDP).toString('latin1'),
);

const RESPONSE = lines(
  'SIP/2.0 401 Unauthorized',
  'v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;received=192.0.2.1;rport=5060',
  'f: <sip:100@office.test>;tag=a',
  't: <sip:100@office.test>;tag=b',
  'i: 1@x',
  'CSeq: 4294967295 REGISTER',
  'WWW-Authenticate: Digest realm="office.test", nonce="abc", algorithm=SHA-256, qop="auth,auth-int", stale=true, Basic realm="b, c"',
  'Warning: 399 pbx.example.com:5060 "some \\"text\\"", 307 [::1] "x"',
  'Retry-After: 120 (I (am) in a \\) meeting);duration=3600',
  'Reason: SIP;cause=200;text="Call completed elsewhere", Q.850;cause=16',
  'Date: Sat, 13 Nov 2010 23:29:00 GMT',
  'l: 0',
  '',
  '',
);

function request(method: string, ...headers: string[]): Uint8Array {
  return lines(
    `${method} sip:office.test SIP/2.0`,
    'Via: SIP/2.0/TCP 10.1.0.1:5060;branch=z9hG4bKother;rport',
    'Max-Forwards: 70',
    'From: <sip:100@office.test>;tag=1',
    'To: <sip:100@office.test>',
    'Call-ID: other@10.1.0.1',
    `CSeq: 7 ${method}`,
    ...headers,
    'Content-Length: 0',
    '',
    '',
  );
}

/** Methods and headers of all kinds, requests and responses. */
export const OWN_MESSAGES: readonly Uint8Array[] = [
  INVITE,
  RESPONSE,
  request(
    'OPTIONS',
    'Accept: application/sdp, text/*;q=0.5',
    'Accept-Encoding: gzip;q=1',
    'Accept-Language: de, en;q=0.1',
  ),
  request(
    'REGISTER',
    'Contact: <sip:100@10.1.0.1:5060>;expires=60, <sip:100@10.1.0.2>;q=0.1;reg-id=1;+sip.instance="<urn:uuid:1>"',
    'Path: <sip:edge.example.com;lr;ob>',
    'Expires: 3600',
    'Supported: path, outbound',
    'Authorization: Digest username="100", realm="office.test", nonce="x", uri="sip:office.test", response="y"',
  ),
  request('REGISTER', 'Contact: *', 'Expires: 0'),
  request('CANCEL', 'Reason: Q.850;cause=16;text="Terminated"'),
  request('ACK'),
  request('BYE', 'Reason: SIP;cause=480'),
  request('PRACK', 'RAck: 776656 1 INVITE'),
  request(
    'SUBSCRIBE',
    'Event: dialog;id=7',
    'Expires: 600',
    'Accept: application/dialog-info+xml',
    'Allow-Events: presence, dialog',
  ),
  request(
    'NOTIFY',
    'Event: refer',
    'Subscription-State: terminated;reason=noresource;retry-after=5',
    'Content-Type: message/sipfrag;version=2.0',
  ),
  request(
    'REFER',
    'Refer-To: "x" <sip:b@c?Replaces=12345%40host%3Bto-tag%3D1%3Bfrom-tag%3D2>',
    'Referred-By: <sip:100@office.test>',
    'Refer-Sub: false',
    'Target-Dialog: a@b;local-tag=1;remote-tag=2',
  ),
  request('PUBLISH', 'SIP-If-Match: dx200xyz', 'Event: presence'),
  request(
    'MESSAGE',
    'Content-Type: text/plain;charset="utf-8"',
    'Content-Disposition: render;handling=optional',
    'Content-Encoding: gzip',
    'Priority: urgent',
  ),
  request(
    'INFO',
    'Call-Info: <http://a/b>;purpose=icon',
    'Alert-Info: <urn:alert:service:normal>',
    'Timestamp: 54.1 0.2',
    'In-Reply-To: a@b, c@d',
    'User-Agent: x/1 (y)',
    'MIME-Version: 1.0',
  ),
];

/** What a stranger sends first. */
export const sipSeeds: readonly Uint8Array[] = [
  ...OWN_MESSAGES,
  ...OWN_MESSAGES,
  ...corpusFiles('rfc4475', '.dat').filter((bytes) => bytes.length < 8_000),
  ...corpusFiles('rfc5118').filter((bytes) => bytes.length < 8_000),
];

const COMPACT = 'a b c d e f i j k l m n o r s t u v x y'.split(' ').map((letter) => `${letter}:`);

/** Names of headers and methods, and the words of the dictionaries. */
export const sipWords: readonly Uint8Array[] = [
  ...dictionary('sip.dict'),
  ...dictionary('url.dict'),
  ...dictionary('utf8.dict'),
  ...[...Object.keys(CODECS).map((name) => `\r\n${name}: `), ...COMPACT, ...METHODS].map((text) => Buffer.from(text)),
];
