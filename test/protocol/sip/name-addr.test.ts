import { describe, expect, it } from 'vitest';
import {
  formatNameAddr,
  parseNameAddr,
  parseNameAddrList,
  tagOf,
  withTag,
} from '../../../src/protocol/sip/name-addr.js';
import { getParam, hasParam, quote, unquote, withoutParam, withParam } from '../../../src/protocol/sip/params.js';
import { SipParseError } from '../../../src/protocol/sip/parse.js';

describe('RFC 3261 §20.10: name-addr and addr-spec', () => {
  it.each<readonly [string, object]>([
    [
      '"Mr. Watson" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600',
      {
        displayName: 'Mr. Watson',
        params: [
          { name: 'q', value: '0.7' },
          { name: 'expires', value: '3600' },
        ],
      },
    ],
    ['Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8', { displayName: 'Anonymous' }],
    ['Lots of words<sip:a@b>', { displayName: 'Lots of words' }],
    [
      'sip:+12125551212@server.phone2net.com;tag=887s',
      { uri: { params: [] }, params: [{ name: 'tag', value: '887s' }] },
    ],
    ['<sip:a@b;lr>;x', { uri: { params: [{ name: 'lr' }] }, params: [{ name: 'x' }] }],
    ['""<sip:a@b>', { displayName: '' }],
    ['"a\\\\b\\"c" <sip:a@b>', { displayName: 'a\\b"c' }],
    ['"a,b;c<d>" <sip:a@b>', { displayName: 'a,b;c<d>' }],
    ['J\u00fcrgen M\u00fcller <sip:a@b>', { displayName: 'J\u00fcrgen M\u00fcller' }],
    ['<tel:+358-555-1234567;postd=pp22>', { uri: { kind: 'tel' } }],
    ['<urn:service:sos>', { uri: { kind: 'other', scheme: 'urn' } }],
    ['<sip:a,b;c?d@h>', { uri: { user: 'a,b;c?d' } }],
  ])('%s', (text, parts) => {
    const value = parseNameAddr(text);
    expect(value).toMatchObject(parts);
    expect(parseNameAddr(formatNameAddr(value))).toEqual(value);
  });

  it('a list is split at commas that stand outside of quotes and brackets', () => {
    expect(
      parseNameAddrList('"a, b" <sip:c,d@e>;x="1,2" , sip:f@g').map(({ uri }) => uri.kind === 'sip' && uri.user),
    ).toEqual(['c,d', 'f']);
  });

  it.each(['', ',', '<sip:a@b>,', '<sip:a@b>, ,<sip:c@d>'])('%j is no list', (text) => {
    expect(() => parseNameAddrList(text)).toThrow(SipParseError);
  });

  it('an error tells where in the text', () => {
    expect(() => parseNameAddr('"A" <sip:a@b:x>')).toThrow(expect.objectContaining({ offset: 13 }));
  });

  it('tag', () => {
    const value = parseNameAddr('<sip:a@b>;Tag=1');
    expect(tagOf(value)).toBe('1');
    expect(formatNameAddr(withTag(value, '2'))).toBe('<sip:a@b>;tag=2');
    expect(tagOf(parseNameAddr('<sip:a@b>'))).toBeUndefined();
  });
});

describe('RFC 3261 §7.3.1: parameters', () => {
  const params = [{ name: 'A', value: '"x"' }, { name: 'flag' }, { name: 'a', value: '2' }];

  it('names have no case, a flag has the value ""', () => {
    expect(getParam(params, 'a')).toBe('"x"');
    expect(getParam(params, 'FLAG')).toBe('');
    expect(getParam(params, 'b')).toBeUndefined();
    expect(hasParam(params, 'flag')).toBe(true);
  });

  it('withParam replaces all of the name in the place of the first', () => {
    expect(withParam(params, 'a', '3')).toEqual([{ name: 'a', value: '3' }, { name: 'flag' }]);
    expect(withParam(params, 'b')).toEqual([...params, { name: 'b' }]);
    expect(withoutParam(params, 'a')).toEqual([{ name: 'flag' }]);
    expect(params).toHaveLength(3);
  });

  it.each(['', 'plain', 'a"b', 'a\\b', '\\"', 'a, b'])('quote and unquote %j', (text) => {
    expect(unquote(quote(text))).toBe(text);
  });

  it('unquote leaves other text alone', () => {
    expect([unquote('token'), unquote('"'), unquote('')]).toEqual(['token', '"', '']);
  });
});
