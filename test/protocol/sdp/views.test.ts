import { describe, expect, test } from 'vitest';
import { attribute, attributesOf } from '../../../src/protocol/sdp/attributes.js';
import { BASIC_AUDIO, createSdp } from '../../../src/protocol/sdp/create.js';
import {
  bumpVersion,
  rejectMedia,
  withAttribute,
  withConnection,
  withDirection,
  withMediaLine,
} from '../../../src/protocol/sdp/edit.js';
import { holdOffer, resumeOffer } from '../../../src/protocol/sdp/hold.js';
import { parseSdp, type Sdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import {
  directionOf,
  hasActiveMedia,
  isHold,
  mediaSummary,
  originOf,
  type SdpStream,
} from '../../../src/protocol/sdp/media.js';

const head = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n';
const sdp = (...lines: string[]): Sdp => parseSdp(head + lines.map((line) => `${line}\r\n`).join(''));
const at = (description: Sdp, index = 0): SdpStream => mediaSummary(description)[index] as SdpStream;

describe('RFC 8866 views', () => {
  test('§5.7: a stream’s own c= before the session’s', () => {
    const both = sdp('m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/AVP 0', 'c=IN IP6 2001:db8::9');
    expect(mediaSummary(both).map((stream) => stream.address)).toEqual(['192.0.2.1', '2001:db8::9']);
    expect(at(sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 233.252.0.1/127/3')).connection).toMatchObject({
      address: '233.252.0.1',
      suffix: '127/3',
    });
    expect(at(parseSdp('v=0\no=- 1 1 IN IP4 h\nm=audio 4000 RTP/AVP 0\n')).address).toBeUndefined();
  });

  test('§6.6: rtpmap, fmtp, and static payload types of RFC 3551 without them', () => {
    const stream = at(
      sdp(
        'm=audio 4000 RTP/SAVPF 9 111 18 77 x',
        'a=rtpmap:111 opus/48000/2',
        'a=fmtp:111 useinbandfec=1; x=y',
        'a=rtpmap:bad',
        'a=rtpmap:18 G729',
      ),
    );
    expect(stream.codecs).toEqual([
      { payloadType: 9, name: 'G722', clockRate: 8000, channels: 1 },
      { payloadType: 111, name: 'opus', clockRate: 48_000, channels: 2, fmtp: 'useinbandfec=1; x=y' },
      { payloadType: 18, name: 'G729', clockRate: 8000, channels: 1 },
    ]);
    expect(stream.formats).toEqual(['9', '111', '18', '77', 'x']);
    expect(at(sdp('m=image 4000 udptl t38')).codecs).toEqual([]);
  });

  test('§6.4, RFC 3605, RFC 5761: ptime, rtcp, rtcp-mux', () => {
    expect(at(sdp('m=audio 4000 RTP/AVP 0', 'a=ptime:30', 'a=maxptime:x'))).toMatchObject({
      ptimeMs: 30,
      maxPtimeMs: undefined,
      rtcpPort: 4001,
    });
    expect(at(sdp('m=audio 4000 RTP/AVP 0', 'a=rtcp:5001 IN IP4 192.0.2.2')).rtcpPort).toBe(5001);
    expect(at(sdp('m=audio 4000 RTP/AVP 0', 'a=rtcp-mux'))).toMatchObject({ rtcpMux: true, rtcpPort: 4000 });
    expect(at(sdp('m=audio 65535 RTP/AVP 0')).rtcpPort).toBe(65_535);
  });

  test('§5.14: port counts, a refusal without formats', () => {
    expect(at(sdp('m=video 49170/2 RTP/AVP 31'))).toMatchObject({ port: 49_170, portCount: 2 });
    expect(at(sdp('m=video 0 RTP/AVP'))).toMatchObject({ active: false, formats: [] });
    expect(hasActiveMedia(sdp('m=video 0 RTP/AVP'))).toBe(false);
  });

  test('§5.13: attributes by name; a longer name is another', () => {
    const section = sdp('m=audio 4000 RTP/AVP 0', 'a=rtcp-fb:0 nack', 'a=rtcp:9', 'a=x', 'a=')
      .media[0] as Sdp['session'];
    expect([attribute(section, 'rtcp'), attribute(section, 'x'), attribute(section, 'y')]).toEqual([
      '9',
      '',
      undefined,
    ]);
    expect(attributesOf(section)[0]).toEqual({ name: 'rtcp-fb', value: '0 nack' });
  });
});

describe('RFC 3264 §8.4 hold', () => {
  test.each<[string, string[], string]>([
    ['nothing said', ['m=audio 4000 RTP/AVP 0'], 'none'],
    ['recvonly is no hold', ['m=audio 4000 RTP/AVP 0', 'a=recvonly'], 'none'],
    ['sendonly', ['m=audio 4000 RTP/AVP 0', 'a=sendonly'], 'sendonly'],
    ['inactive', ['m=audio 4000 RTP/AVP 0', 'a=inactive'], 'inactive'],
    ['RFC 2543: 0.0.0.0', ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0'], 'legacy'],
    ['the same for IPv6', ['m=audio 4000 RTP/AVP 0', 'c=IN IP6 ::'], 'legacy'],
    ['0.0.0.0 and sendonly', ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0', 'a=sendonly'], 'sendonly'],
    ['WebRTC before its candidates', ['m=audio 9 RTP/SAVPF 0', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:x'], 'none'],
    ['one of two streams', ['m=audio 4000 RTP/AVP 0', 'a=sendonly', 'm=video 4 RTP/AVP 31'], 'none'],
    [
      'both, and a refused one',
      ['m=audio 4 RTP/AVP 0', 'a=inactive', 'm=video 0 RTP/AVP 31', 'm=audio 6 RTP/AVP 0', 'a=sendonly'],
      'sendonly',
    ],
    ['no streams', [], 'none'],
  ])('%s', (_, lines, expected) => {
    expect(isHold(sdp(...lines))).toBe(expected);
  });

  test('holdOffer and resumeOffer: each stream by itself, the version one higher', () => {
    const current = sdp('m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/AVP 0', 'a=recvonly', 'm=video 0 RTP/AVP 31');
    const held = holdOffer(current);
    expect(mediaSummary(held).map((stream) => stream.direction)).toEqual(['sendonly', 'inactive', 'sendrecv']);
    expect(originOf(held).version).toBe('2');
    expect(directionOf(holdOffer(current, { silent: true }))).toBe('inactive');
    const back = resumeOffer(held);
    expect([directionOf(back), originOf(back).version, isHold(back)]).toEqual(['sendrecv', '3', 'none']);
  });

  test('directionOf the whole: any active stream counts, refused ones do not', () => {
    expect(directionOf(sdp('m=audio 4 RTP/AVP 0', 'a=sendonly', 'm=audio 6 RTP/AVP 0', 'a=recvonly'))).toBe('sendrecv');
    expect(directionOf(sdp('m=audio 4 RTP/AVP 0', 'a=inactive', 'm=audio 0 RTP/AVP 0'))).toBe('inactive');
  });
});

describe('edits touch only their own lines', () => {
  const text = `${head}a=x-session\r\nm=audio 4000 RTP/AVP 0 8\r\ni=room\r\na=sendonly\r\nz=odd\r\nm=video 4002 RTP/AVP 31\r\na=x-keep:1\r\n`;

  test('direction', () => {
    expect(sdpText(withDirection(parseSdp(text), 'inactive', 0))).toBe(text.replace('a=sendonly', 'a=inactive'));
    expect(sdpText(withDirection(parseSdp(text), 'recvonly'))).toBe(
      `${text.replace('a=sendonly', 'a=recvonly')}a=recvonly\r\n`,
    );
  });

  test('a session-level direction is written out into the streams it spoke for', () => {
    const inherited = parseSdp(text.replace('a=x-session', 'a=inactive'));
    const changed = withDirection(inherited, 'sendrecv', 0);
    expect(mediaSummary(changed).map((stream) => stream.direction)).toEqual(['sendrecv', 'inactive']);
    expect(changed.session.lines.some((line) => line.value === 'inactive')).toBe(false);
  });

  test('version, connection, media line, attribute, rejection', () => {
    const parsed = parseSdp(text);
    expect(sdpText(bumpVersion(parsed))).toBe(text.replace('o=- 1 1', 'o=- 1 2'));
    expect(sdpText(withConnection(parsed, '2001:db8::1'))).toBe(
      text.replace('c=IN IP4 192.0.2.1', 'c=IN IP6 2001:db8::1'),
    );
    expect(sdpText(withConnection(parsed, '198.51.100.1', 0))).toBe(
      text.replace('i=room\r\n', 'i=room\r\nc=IN IP4 198.51.100.1\r\n'),
    );
    expect(sdpText(withMediaLine(parsed, 1, { port: 6000 }))).toBe(text.replace('video 4002', 'video 6000'));
    expect(sdpText(withAttribute(parsed, 1, 'x-keep', '2'))).toBe(text.replace('x-keep:1', 'x-keep:2'));
    expect(sdpText(withAttribute(parsed, 1, 'x-keep', undefined))).toBe(text.replace('a=x-keep:1\r\n', ''));
    expect(sdpText(withAttribute(parsed, 1, 'new', ''))).toBe(`${text}a=new\r\n`);
    expect(sdpText(rejectMedia(parsed, 0))).toBe(
      text.replace('m=audio 4000 RTP/AVP 0 8\r\ni=room\r\na=sendonly\r\nz=odd\r\n', 'm=audio 0 RTP/AVP 0 8\r\n'),
    );
  });

  test('LF line ends and a last line without an end', () => {
    const bare = 'v=0\no=- 1 1 IN IP4 h\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0';
    expect(sdpText(withDirection(parseSdp(bare), 'sendonly'))).toBe(`${bare}\na=sendonly\n`);
    expect(sdpText(withMediaLine(parseSdp(bare), 0, { port: 1 }))).toBe(bare.replace('4000', '1'));
  });
});

describe('createSdp', () => {
  test('an audio offer', () => {
    const offer = createSdp({
      origin: { username: 'pbx', sessionId: 42n, version: 3, address: '2001:db8::1' },
      sessionName: 'call',
      media: [
        {
          port: 4000,
          codecs: [...BASIC_AUDIO, { payloadType: 111, name: 'opus', clockRate: 48_000, channels: 2 }],
          ptimeMs: 20,
          attributes: [{ name: 'rtcp', value: '4001' }, { name: 'rtcp-mux' }],
        },
        { type: 'image', port: 4002, protocol: 'udptl', formats: ['t38'], direction: 'sendonly', address: '192.0.2.7' },
      ],
      attributes: [{ name: 'tool', value: 'pbxkit' }],
    });
    expect(sdpText(offer).split('\r\n')).toEqual([
      'v=0',
      'o=pbx 42 3 IN IP6 2001:db8::1',
      's=call',
      'c=IN IP6 2001:db8::1',
      't=0 0',
      'a=tool:pbxkit',
      'm=audio 4000 RTP/AVP 0 8 101 111',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=rtpmap:111 opus/48000/2',
      'a=ptime:20',
      'a=sendrecv',
      'a=rtcp:4001',
      'a=rtcp-mux',
      'm=image 4002 udptl t38',
      'c=IN IP4 192.0.2.7',
      'a=sendonly',
      '',
    ]);
    expect(parseSdp(sdpText(offer))).toEqual(offer);
  });

  test.each<[string, Partial<Parameters<typeof createSdp>[0]>]>([
    ['a line break', { sessionName: 'a\r\na=smuggled' }],
    ['a bare CR', { sessionName: 'a\rb' }],
    ['a session id that is no number', { origin: { sessionId: 'x', address: 'h' } }],
    ['an address with a space', { address: 'a b' }],
    ['a port out of range', { media: [{ port: 70_000, codecs: BASIC_AUDIO }] }],
    ['a stream without formats', { media: [{ port: 4000 }] }],
  ])('refuses %s', (_, changes) => {
    const options = { origin: { sessionId: 1, address: '192.0.2.1' }, media: [], ...changes };
    expect(() => createSdp(options)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT', kind: 'misuse' }));
  });
});
