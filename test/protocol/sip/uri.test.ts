import { describe, expect, it } from 'vitest';
import { SipParseError } from '../../../src/protocol/sip/parse.js';
import {
  aorOf,
  digitsOf,
  equalUris,
  formatUri,
  isHost,
  parseUri,
  type SipUri,
  sipUri,
  type TelUri,
} from '../../../src/protocol/sip/uri.js';
import { escapeUriHeader, unescapeUriText } from '../../../src/protocol/sip/uri-escape.js';

describe('RFC 3261 §19.1.3: example URIs', () => {
  it.each<readonly [string, object]>([
    [
      'sip:alice@atlanta.com',
      { kind: 'sip', scheme: 'sip', user: 'alice', host: 'atlanta.com', params: [], headers: [] },
    ],
    [
      'sip:alice:secretword@atlanta.com;transport=tcp',
      { user: 'alice', password: 'secretword', params: [{ name: 'transport', value: 'tcp' }] },
    ],
    [
      'sips:alice@atlanta.com?subject=project%20x&priority=urgent',
      {
        scheme: 'sips',
        headers: [
          { name: 'subject', value: 'project%20x' },
          { name: 'priority', value: 'urgent' },
        ],
      },
    ],
    ['sip:+1-212-555-1212:1234@gateway.com;user=phone', { user: '+1-212-555-1212', password: '1234' }],
    ['sip:1212@gateway.com', { user: '1212' }],
    ['sip:alice@192.0.2.4', { host: '192.0.2.4' }],
    [
      'sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com',
      { host: 'atlanta.com', headers: [{ name: 'to', value: 'alice%40atlanta.com' }] },
    ],
    ['sip:alice;day=tuesday@atlanta.com', { user: 'alice;day=tuesday' }],
    ['sip:[2001:db8::10]:5070;lr', { host: '2001:db8::10', port: 5070, params: [{ name: 'lr' }] }],
    ['sip:%2A60@host', { user: '*60' }],
  ])('%s', (text, parts) => {
    const uri = parseUri(text);
    expect(uri).toMatchObject(parts);
    expect(parseUri(formatUri(uri))).toEqual(uri);
  });

  it('an escape is undone once and written again where it is needed', () => {
    expect(parseUri('sip:a%40b%25@h')).toMatchObject({ user: 'a@b%' });
    expect(formatUri(sipUri({ user: 'a@b%', host: 'h' }))).toBe('sip:a%40b%25@h');
    expect(formatUri(sipUri({ user: '\u00e9 #', host: 'h' }))).toBe('sip:%C3%A9%20%23@h');
    expect(parseUri('sip:%C3%A9@h')).toMatchObject({ user: '\u00e9' });
  });

  it('escaped bytes that are no UTF-8 stay apart', () => {
    expect(unescapeUriText('%E9')).toBe('\u00e9');
    expect(unescapeUriText('%FF')).not.toBe(unescapeUriText('%FE'));
  });

  it('tolerates what phones send: # in the user, _ in the host', () => {
    expect(parseUri('sip:*70#@my_pbx')).toMatchObject({ user: '*70#', host: 'my_pbx' });
  });

  it.each([
    '',
    'sip',
    'sip:',
    ':a',
    'sip:@host',
    'sip:a@',
    'sip:a@b@c',
    'sip:a b@c',
    'sip:a@b c',
    '<sip:a@b>',
    'sip:a@b>',
    'sip:a@h:',
    'sip:a@h:0',
    'sip:a@h:65536',
    'sip:a@h:5x',
    'sip:2001:db8::10',
    'sip:[2001:db8::10',
    'sip:[]',
    'sip:[g::1]',
    'sip:a%4@h',
    'sip:a%zz@h',
    'sip:a@h;',
    'sip:a@h;=1',
    'sip:a@h;x=',
    'sip:a@h?',
    'sip:a@h?x',
    'sip:a@h?x=1&',
    'sip:a"b@h',
    'sip:a\r\nb@h',
    'tel:',
    'tel:abcxyz',
    'tel:+',
    'http:',
    'a b:c',
    'x:<y>',
  ])('refuses %j', (text) => {
    expect(() => parseUri(text)).toThrow(SipParseError);
  });
});

describe('RFC 3261 §19.1.4: equivalence', () => {
  it.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['tel:+1-201-555-0123', 'tel:+12015550123'],
  ])('%s = %s', (a, b) => {
    expect(equalUris(parseUri(a), parseUri(b))).toBe(true);
    expect(equalUris(parseUri(b), parseUri(a))).toBe(true);
  });

  it.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a:1@b', 'sip:a:2@b'],
    ['tel:+1', 'tel:1'],
    ['tel:7042;phone-context=a', 'tel:7042;phone-context=b'],
  ])('%s ≠ %s', (a, b) => {
    expect(equalUris(parseUri(a), parseUri(b))).toBe(false);
    expect(equalUris(parseUri(b), parseUri(a))).toBe(false);
  });
});

describe('other parts', () => {
  it('RFC 3261 §10.3 step 5: the address-of-record', () => {
    expect(aorOf(parseUri('sip:%41lice@Atlanta.COM:5060;transport=tcp') as SipUri)).toBe('Alice@atlanta.com');
    expect(aorOf(sipUri({ host: 'A.B' }))).toBe('a.b');
  });

  it('RFC 3966 §5.1.1: a number without visual separators', () => {
    expect(digitsOf(parseUri('tel:+1-(201).555-0123;ext=1') as TelUri)).toBe('+12015550123');
  });

  it('RFC 3891 §3: a Replaces header inside a Refer-To URI', () => {
    const value = '12345@192.0.2.1;to-tag=a;from-tag=b';
    const uri: SipUri = {
      ...sipUri({ user: 'a', host: 'b' }),
      headers: [{ name: 'Replaces', value: escapeUriHeader(value) }],
    };
    const again = parseUri(formatUri(uri)) as SipUri;
    expect(unescapeUriText(again.headers[0]?.value ?? '')).toBe(value);
  });

  it.each(['sip:a@b;comp=p;comp=s', 'sip:a@b;user;user=e', 'tel:2;isub=2;isub=3', 'sip:a@b?x=1&x=2'])(
    'RFC 3261 §19.1.4: %s equals itself, although a name stands twice',
    (text) => {
      expect(equalUris(parseUri(text), parseUri(text))).toBe(true);
    },
  );

  it.each([
    ['tel:2;ext=1;ext=1', 'tel:2;ext=1;isub=2'],
    ['sip:a@b?x=1&x=1', 'sip:a@b?x=1&y=2'],
  ])('RFC 3261 §19.1.4, RFC 3966 §4: %s differs from %s, whichever is asked first', (a, b) => {
    expect(equalUris(parseUri(a), parseUri(b))).toBe(false);
    expect(equalUris(parseUri(b), parseUri(a))).toBe(false);
  });

  it('RFC 3261 §19.1.4: URIs of thousands of parameters are compared in linear time', () => {
    const names = Array.from({ length: 8_000 }, (_, i) => `p${i}`);
    const a = parseUri(`sip:a@b;${names.join(';')}`);
    const b = parseUri(`sip:a@b;${names.reverse().join(';')}`);
    const before = process.cpuUsage();
    expect(equalUris(a, b)).toBe(true);
    // The square of the parameters took more than a second.
    expect(process.cpuUsage(before).user).toBeLessThan(200_000);
  });

  it('RFC 3261 §19.1.2: an escaped U+FFFD is that character, not three others', () => {
    const uri = parseUri('sip:%EF%BF%BD@b') as SipUri;
    expect(uri.user).toBe('\uFFFD');
    expect(parseUri(formatUri(uri))).toEqual(uri);
  });

  it('isHost knows names and addresses', () => {
    expect(['a.b', '192.0.2.1', '2001:db8::1', 'x_y'].every(isHost)).toBe(true);
    expect(['', 'a b', 'a/b', '[::1]'].some(isHost)).toBe(false);
  });
});
