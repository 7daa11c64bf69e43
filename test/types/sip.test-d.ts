import type { CSeq, HeaderValues, NameAddr, SipRequest, SipResponse, SipUri, Uri } from 'pbxkit/sip';
import { createRequest, createResponse, parseMessage, parseUri, SipHeaders, type SipMessage, sipUri } from 'pbxkit/sip';
import { describe, expectTypeOf, test } from 'vitest';

describe('pbxkit/sip', () => {
  test('a typed header has the type of its name, or is absent', () => {
    const headers = new SipHeaders();
    expectTypeOf(headers.get('CSeq')).toEqualTypeOf<CSeq | undefined>();
    expectTypeOf(headers.get('Max-Forwards')).toEqualTypeOf<number | undefined>();
    expectTypeOf(headers.get('Route')).toEqualTypeOf<readonly NameAddr[] | undefined>();
    expectTypeOf(headers.raw('X-Anything')).toEqualTypeOf<string[]>();
  });

  test('an unknown header has no typed value, and a wrong value does not compile', () => {
    const headers = new SipHeaders();
    // @ts-expect-error X-Anything is no known header: use raw()
    headers.get('X-Anything');
    // @ts-expect-error Max-Forwards is a number
    headers.set('Max-Forwards', '70');
    expectTypeOf(headers.set('Max-Forwards', 70)).toEqualTypeOf<SipHeaders>();
  });

  test('a parsed message is told apart by kind', () => {
    const message = parseMessage(new Uint8Array());
    expectTypeOf(message).toEqualTypeOf<SipMessage>();
    if (message.kind === 'request') expectTypeOf(message.method).toEqualTypeOf<string>();
    else expectTypeOf(message.status).toEqualTypeOf<number>();
  });

  test('a URI is told apart by kind', () => {
    const uri = parseUri('sip:100@office.example');
    expectTypeOf(uri).toEqualTypeOf<Uri>();
    if (uri.kind === 'sip') expectTypeOf(uri).toEqualTypeOf<SipUri>();
    expectTypeOf(sipUri({ host: 'office.example' })).toEqualTypeOf<SipUri>();
    // @ts-expect-error a SIP URI has a host
    sipUri({ user: '100' });
  });

  test('values are read-only', () => {
    const uri = sipUri({ host: 'office.example' });
    // @ts-expect-error plain data is not changed in place
    uri.host = 'other.example';
    expectTypeOf<HeaderValues['Via']>().toExtend<readonly unknown[]>();
  });

  test('messages are made of typed values or text', () => {
    expectTypeOf(createRequest({ method: 'OPTIONS', uri: 'sip:office.example' })).toEqualTypeOf<SipRequest>();
    expectTypeOf<SipRequest['kind']>().toEqualTypeOf<'request'>();
    expectTypeOf(createResponse(200)).toEqualTypeOf<SipResponse>();
    expectTypeOf<SipResponse['kind']>().toEqualTypeOf<'response'>();
    // @ts-expect-error a request has a method
    createRequest({ uri: 'sip:office.example' });
  });
});
