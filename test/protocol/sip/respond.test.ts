import { describe, expect, it } from 'vitest';
import { createRequest, createResponse, type SipRequest, SipResponse } from '../../../src/protocol/sip/message.js';
import { parseMessage } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { responseTo } from '../../../src/protocol/sip/respond.js';
import { reasonPhrase } from '../../../src/protocol/sip/status.js';

const REQUEST = parseMessage(
  Buffer.from(
    [
      'INVITE sip:a@b SIP/2.0',
      'v: SIP/2.0/UDP  192.0.2.1 ;branch=z9hG4bK1, SIP/2.0/TCP x',
      'Via: SIP/2.0/TLS y',
      'f: "J\u00fcrgen"   <sip:a@b> ; tag=1',
      't:  <sip:c@d>',
      'i: call@x',
      'CSeq: 7   INVITE',
      'Timestamp: 54',
      'Record-Route: <sip:p;lr>',
      'Subject: private',
      '',
      'body',
    ].join('\r\n'),
  ),
) as SipRequest;

function text(response: SipResponse): string {
  return Buffer.from(printMessage(response)).toString();
}

describe('RFC 3261 §8.2.6: responses', () => {
  it('echo Via, From, To, Call-ID and CSeq byte for byte, and nothing else', () => {
    expect(text(responseTo(REQUEST, 486))).toBe(
      [
        'SIP/2.0 486 Busy Here',
        'Via: SIP/2.0/UDP  192.0.2.1 ;branch=z9hG4bK1, SIP/2.0/TCP x',
        'Via: SIP/2.0/TLS y',
        'From: "J\u00fcrgen"   <sip:a@b> ; tag=1',
        'To: <sip:c@d>',
        'Call-ID: call@x',
        'CSeq: 7   INVITE',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
  });

  it('§8.2.6.1: a 100 echoes Timestamp and adds no To tag', () => {
    const trying = responseTo(REQUEST, 100, { toTag: 'z' });
    expect(trying.headers.raw('Timestamp')).toEqual(['54']);
    expect(trying.toTag).toBeUndefined();
  });

  it('§8.2.6.2: the To tag is added where there is none', () => {
    const ringing = responseTo(REQUEST, 180, { toTag: 'z' });
    expect(ringing.headers.raw('To')).toEqual(['<sip:c@d>;tag=z']);
    expect(ringing.toTag).toBe('z');
    expect(responseTo(REQUEST, 180).toTag).toBeUndefined();
    const inDialog = REQUEST.with({});
    inDialog.headers.setRaw('To', 'sip:c@d;tag=mine');
    expect(responseTo(inDialog, 200, { toTag: 'z' }).toTag).toBe('mine');
    inDialog.headers.setRaw('To', 'sip:c@d');
    expect(responseTo(inDialog, 200, { toTag: 'z' }).headers.raw('To')).toEqual(['sip:c@d;tag=z']);
    expect(REQUEST.toTag).toBeUndefined();
  });

  it('§12.1.1: a Record-Route that cannot be read is not repeated', () => {
    const lines = [
      'OPTIONS sip:a@b SIP/2.0',
      'Via: SIP/2.0/UDP x;branch=z9hG4bK1',
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>',
    ];
    const rest = ['Call-ID: x', 'CSeq: 1 OPTIONS', 'Record-Route: , en;q=0.1', '', ''];
    const request = parseMessage(Buffer.from([...lines, ...rest].join('\r\n'))) as SipRequest;
    expect(text(responseTo(request, 200))).not.toContain('Record-Route');
  });

  it.each([
    [100, false],
    [180, true],
    [183, true],
    [200, true],
    [202, true],
    [302, false],
    [407, false],
    [486, false],
    [500, false],
    [603, false],
  ])('§12.1.1: Record-Route in a %d: %s; in order, byte for byte', (status, echoed) => {
    const lines = ['"P 1"  <sip:p1;lr;x=%41> ;y , <sip:p2:5070;lr>', '<sip:p3>;z="a, b"'];
    const request = parseMessage(
      Buffer.from(
        [
          'INVITE sip:a@b SIP/2.0',
          'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
          'From: <sip:a@b>;tag=1',
          `record-route:   ${lines[0]}`,
          'To: <sip:c@d>',
          'Call-ID: x',
          `Record-Route: ${lines[1]}`,
          'CSeq: 1 INVITE',
          '',
          '',
        ].join('\r\n'),
      ),
    ) as SipRequest;
    const found = text(responseTo(request, status, { toTag: 't' }))
      .split('\r\n')
      .filter((line) => line.startsWith('Record-Route:'));
    expect(found).toEqual(echoed ? lines.map((line) => `Record-Route: ${line}`) : []);
  });

  it('takes more headers, a body and another reason', () => {
    const response = responseTo(REQUEST, 200, {
      reason: 'Fine',
      headers: { Contact: '<sip:me@h>', 'Record-Route': REQUEST.headers.raw('Record-Route') },
      body: 'v=0\u00e9',
      contentType: 'application/sdp',
    });
    const again = parseMessage(printMessage(response)) as SipResponse;
    expect(again).toMatchObject({ status: 200, reason: 'Fine' });
    expect(again.headers.get('Content-Length')).toBe(5);
    expect(again.headers.get('Content-Type')).toMatchObject({ subtype: 'sdp' });
    expect(again.headers.get('Record-Route')).toHaveLength(1);
    expect(again.bodyText()).toBe('v=0\u00e9');
  });

  it('a request made here is answered too', () => {
    const request = createRequest({
      method: 'OPTIONS',
      uri: 'sip:a@b',
      headers: {
        Via: [{ protocol: 'SIP/2.0', transport: 'UDP', host: 'h', params: [] }],
        From: '<sip:a@b>;tag=1',
        To: {
          displayName: '\u010d',
          uri: { kind: 'sip', scheme: 'sip', host: 'c', params: [], headers: [] },
          params: [],
        },
        'Call-ID': 'x',
        CSeq: { sequence: 1, method: 'OPTIONS' },
      },
    });
    const response = parseMessage(printMessage(responseTo(request, 200, { toTag: 't' })));
    expect(response.to).toMatchObject({ displayName: '\u010d', params: [{ name: 'tag', value: 't' }] });
  });

  it.each(['a b', 'x\r\ny', '', ';'])('the tag %j is refused', (toTag) => {
    expect(() => responseTo(REQUEST, 200, { toTag })).toThrow(/toTag/);
  });

  it.each([99, 700, 200.5, Number.NaN])('the status %d is refused', (status) => {
    expect(() => createResponse(status)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });

  it('a reason with a line break is refused', () => {
    expect(() => responseTo(REQUEST, 200, { reason: 'OK\r\nX: y' })).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
    expect(() => printMessage(new SipResponse(200, 'a\nb', REQUEST.headers))).toThrow(/CR and LF/);
  });
});

describe('RFC 3261 §21: reason phrases', () => {
  it.each([
    [100, 'Trying'],
    [183, 'Session Progress'],
    [202, 'Accepted'],
    [404, 'Not Found'],
    [422, 'Session Interval Too Small'],
    [487, 'Request Terminated'],
    [513, 'Message Too Large'],
    [603, 'Decline'],
  ])('%d %s', (status, phrase) => expect(reasonPhrase(status)).toBe(phrase));

  it('§8.1.3.2: an unknown code is read as x00', () => {
    expect([199 + 0, 299, 499, 599, 699].map(reasonPhrase)).toEqual([
      'Early Dialog Terminated',
      'OK',
      'Bad Request',
      'Server Internal Error',
      'Busy Everywhere',
    ]);
  });
});

describe('RFC 3261 §8.2.6.2: a To that has a tag keeps it', () => {
  it.each([';tag', ';tag="a b"', ';tag=x'])('also one that is no token: %s', (tag) => {
    const request = REQUEST.with({});
    request.headers.setRaw('To', `<sip:a@b>${tag}`);
    const response = responseTo(request, 481, { toTag: request.toTag });
    expect(response.headers.raw('To')).toEqual([`<sip:a@b>${tag}`]);
  });
});

describe('SipRequest.with', () => {
  it('changes a copy', () => {
    const changed = REQUEST.with({ uri: 'sip:x@y', method: 'UPDATE', body: 'other' });
    changed.headers.remove('Subject');
    expect(Buffer.from(printMessage(changed)).toString()).toMatch(
      /^UPDATE sip:x@y SIP\/2.0\r\n[\s\S]*\r\nContent-Length: 5\r\n\r\nother$/,
    );
    expect(REQUEST).toMatchObject({ method: 'INVITE', requestUri: 'sip:a@b' });
    expect(REQUEST.headers.has('Subject')).toBe(true);
    expect(REQUEST.with({}).bodyText()).toBe('body');
  });
});
