import { describe, expect, test } from 'vitest';
import { SDP_TYPE, sessionDescription } from '../../src/dialog/session-body.js';
import { createRequest, type SipRequest } from '../../src/protocol/sip/message.js';

function message(contentType: string | undefined, body: string): SipRequest {
  const request = createRequest({ method: 'INVITE', uri: 'sip:a@b', headers: {}, body });
  if (contentType !== undefined) request.headers.setRaw('Content-Type', contentType);
  return request;
}

describe('the session description of a message (RFC 3261 §13.2.1, RFC 5621)', () => {
  test('alone, whatever the case of its type and whatever its parameters', () => {
    expect(sessionDescription(message(SDP_TYPE, 'v=0'))).toBe('v=0');
    expect(sessionDescription(message('Application/SDP;charset=utf-8', 'v=0'))).toBe('v=0');
  });

  test('as a part of a multipart body, also when it is not the first', () => {
    const body = [
      '--x',
      'Content-Type: application/isup',
      '',
      'binary',
      '--x',
      'Content-Type: application/sdp',
      '',
      'v=0\r\ns=-\r\n',
      '--x--',
      '',
    ].join('\r\n');
    expect(sessionDescription(message('multipart/mixed;boundary=x', body))).toBe('v=0\r\ns=-\r\n');
  });

  const none: Record<string, SipRequest> = {
    'no body': message(SDP_TYPE, ''),
    'no Content-Type': message(undefined, 'v=0'),
    'another type': message('text/plain', 'v=0'),
    'a type that cannot be read': message('application', 'v=0'),
    'a multipart body without a boundary': message('multipart/mixed', 'v=0'),
    'a multipart body without a description': message('multipart/mixed;boundary=x', '--x\r\n\r\nhello\r\n--x--\r\n'),
  };
  for (const [name, each] of Object.entries(none)) {
    test(`${name}: none`, () => {
      expect(sessionDescription(each)).toBeUndefined();
    });
  }
});
