import { describe, expect, it } from 'vitest';
import { checkInviteBody } from '../../src/ua/body-check.js';
import { maxForwards } from '../../src/ua/max-forwards.js';
import { incomingRequest } from '../transaction/messages.js';

function check(headers: Record<string, string>, body = ''): number | undefined {
  return checkInviteBody(incomingRequest('INVITE', { headers, body }))?.status;
}

const multipart = (type: string): string =>
  ['--b1', `Content-Type: ${type}`, '', 'v=0', '--b1', 'Content-Type: text/plain', '', 'hello', '--b1--', ''].join(
    '\r\n',
  );

describe('§8.2.3 the body of an INVITE', () => {
  it('none is fine: the offer comes later', () => {
    expect(check({})).toBeUndefined();
    expect(check({ 'Content-Type': 'application/unknown' })).toBeUndefined();
  });

  it.each(['application/sdp', 'Application/SDP;charset=utf-8'])('%s is fine', (type) => {
    expect(check({ 'Content-Type': type }, 'v=0')).toBeUndefined();
  });

  it('RFC 4475 §3.3.6: another type is answered 415 with Accept', () => {
    const refusal = checkInviteBody(
      incomingRequest('INVITE', { headers: { 'Content-Type': 'application/unknown' }, body: '<audio/>' }),
    );
    expect(refusal?.status).toBe(415);
    expect(refusal?.headers?.['Accept']).toContain('application/sdp');
  });

  it('§7.4.1: a body without type cannot be read', () => {
    expect(check({}, 'v=0')).toBe(415);
  });

  it('§20.11: a body that is optional may be left aside', () => {
    const optional = { 'Content-Type': 'image/png', 'Content-Disposition': 'icon;handling=optional' };
    expect(check(optional, 'PNG')).toBeUndefined();
    expect(check({ ...optional, 'Content-Disposition': 'icon;handling=required' }, 'PNG')).toBe(415);
  });

  it('RFC 5621: a multipart must hold a session description', () => {
    const headers = { 'Content-Type': 'multipart/mixed;boundary=b1' };
    expect(check(headers, multipart('application/sdp'))).toBeUndefined();
    expect(check(headers, multipart('application/pidf+xml'))).toBe(415);
  });

  it('RFC 5621 §8.3: a part beside it that is required and not known is answered 415, an optional one is left aside', () => {
    const headers = { 'Content-Type': 'multipart/mixed;boundary=b1' };
    const beside = (handling: string): string =>
      multipart('application/sdp').replace('text/plain', `text/plain\r\nContent-Disposition: x${handling}`);
    expect(check(headers, beside(''))).toBeUndefined();
    expect(check(headers, beside('; handling=optional'))).toBeUndefined();
    expect(check(headers, beside('; handling=required'))).toBe(415);
  });

  it('RFC 5621: a multipart that is none is the sender’s fault', () => {
    const headers = { 'Content-Type': 'multipart/mixed;boundary=b1' };
    expect(() => check(headers, 'no boundary here')).toThrow(
      expect.objectContaining({ code: 'SIP_PARSE', status: 400 }),
    );
  });

  it('§20.12: an encoding other than identity is answered 415 with Accept-Encoding', () => {
    const headers = { 'Content-Type': 'application/sdp', 'Content-Encoding': 'gzip' };
    const refusal = checkInviteBody(incomingRequest('INVITE', { headers, body: 'v=0' }));
    expect(refusal).toEqual({ status: 415, headers: { 'Accept-Encoding': 'identity' } });
    expect(check({ ...headers, 'Content-Encoding': 'identity' }, 'v=0')).toBeUndefined();
  });

  it.each(['application/sdp', 'text/plain, application/sdp;q=0.5', 'application/*', '*/*'])(
    '§20.1: Accept: %s is fine',
    (accept) => {
      expect(check({ Accept: accept })).toBeUndefined();
    },
  );

  it('RFC 4475 §3.3.15: an Accept without application/sdp is answered 406 with Warning 399', () => {
    const refusal = checkInviteBody(incomingRequest('INVITE', { headers: { Accept: 'text/nobodyKnowsThis' } }));
    expect(refusal?.status).toBe(406);
    expect(refusal?.headers?.['Warning']).toMatch(/^399 /);
  });

  it('§20.1: an empty Accept takes nothing', () => {
    expect(check({ Accept: '' })).toBe(406);
  });
});

describe('maxForwards', () => {
  it('§8.1.1.6: reads the header; §16.3: a request without it counts as 70', () => {
    const request = incomingRequest('INVITE');
    request.headers.set('Max-Forwards', 0);
    expect(maxForwards(request)).toBe(0);
    request.headers.remove('Max-Forwards');
    expect(maxForwards(request)).toBe(70);
  });
});
