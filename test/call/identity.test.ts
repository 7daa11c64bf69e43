import { describe, expect, test } from 'vitest';
import { assertedParty, legIdentity, privacyOf } from '../../src/call/identity.js';
import type { Party } from '../../src/call/party.js';
import { createRequest, type HeaderInit } from '../../src/protocol/sip/message.js';
import { formatNameAddr } from '../../src/protocol/sip/name-addr.js';

const invite = (headers: HeaderInit, from = '"Alice" <sip:100@office.test>;tag=1') =>
  createRequest({ method: 'INVITE', uri: 'sip:101@office.test', headers: { From: from, ...headers } });

const alice: Party = { number: '100', displayName: 'Alice', extension: '100' };

describe('what the caller asks to be kept private (RFC 3323)', () => {
  test('§4.2: nothing, unless it is asked', () => {
    expect(privacyOf(invite({}))).toEqual({ withheld: false });
    expect(privacyOf(invite({ Privacy: 'none' }))).toEqual({ withheld: false });
    expect(privacyOf(invite({ Privacy: 'header' }))).toEqual({ withheld: false });
  });

  test('RFC 3325 §9.3 id, RFC 3323 §4.2 user, in any case and among others', () => {
    for (const value of ['id', 'user', 'Header;ID', 'critical;id', 'history;user']) {
      expect([value, privacyOf(invite({ Privacy: value }))]).toEqual([value, { withheld: true }]);
    }
  });

  test('§4.1.1.3: a From that is anonymous is a wish, unless Privacy says none', () => {
    for (const from of ['<sip:anonymous@anonymous.invalid>;tag=1', '"Anonymous" <sip:Anonymous@office.test>;tag=1']) {
      expect(privacyOf(invite({}, from))).toEqual({ withheld: true });
      expect(privacyOf(invite({ Privacy: 'none' }, from))).toEqual({ withheld: false });
    }
  });

  test('§5: what is critical and cannot be had is named', () => {
    expect(privacyOf(invite({ Privacy: 'session;critical' }))).toEqual({ withheld: false, impossible: 'session' });
    expect(privacyOf(invite({ Privacy: 'id;new-kind;critical' }))).toEqual({ withheld: true, impossible: 'new-kind' });
    expect(privacyOf(invite({ Privacy: 'session' }))).toEqual({ withheld: false });
  });

  test('a Privacy that cannot be read asks for nothing', () => {
    expect(privacyOf(invite({ Privacy: ';;"' }))).toEqual({ withheld: false });
  });
});

describe('who the called party is told', () => {
  const identity = (caller: Party, peer: 'phone' | 'trunk') => {
    const { from, contactUser, headers } = legIdentity(caller, { called: '101' }, 'office.test', { peer });
    const asserted = headers['P-Asserted-Identity'];
    return {
      from: formatNameAddr(from),
      contactUser,
      asserted: Array.isArray(asserted) ? asserted.map((each) => formatNameAddr(each as never)) : asserted,
      privacy: headers.Privacy,
    };
  };

  test('a phone: the account, and nothing asserted', () => {
    expect(identity(alice, 'phone')).toEqual({
      from: '"Alice" <sip:100@office.test>',
      contactUser: '100',
      asserted: undefined,
      privacy: undefined,
    });
  });

  test('RFC 3323 §4.1.1.3, RFC 3325 §7: withheld from a phone without a trace', () => {
    expect(identity({ ...alice, withheld: true }, 'phone')).toEqual({
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      contactUser: 'anonymous',
      asserted: undefined,
      privacy: undefined,
    });
  });

  test('RFC 3325 §5: a trunk is told the identity, with Privacy: id when it is withheld', () => {
    expect(identity(alice, 'trunk')).toMatchObject({
      from: '"Alice" <sip:100@office.test>',
      asserted: ['"Alice" <sip:100@office.test>'],
      privacy: undefined,
    });
    expect(identity({ ...alice, withheld: true }, 'trunk')).toMatchObject({
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      contactUser: 'anonymous',
      asserted: ['"Alice" <sip:100@office.test>'],
      privacy: ['id'],
    });
  });
});

describe('who a trusted peer says is calling (RFC 3325 §4)', () => {
  test('the first SIP or tel URI', () => {
    expect(assertedParty(invite({ 'P-Asserted-Identity': '"Bob" <sip:+4930123@carrier.test>' }))).toEqual({
      number: '+4930123',
      displayName: 'Bob',
    });
    expect(assertedParty(invite({ 'P-Asserted-Identity': '<tel:+4930123>' }))).toEqual({ number: '+4930123' });
    expect(assertedParty(invite({ 'P-Asserted-Identity': '<sip:carrier.test>, <tel:+49301>' }))).toEqual({
      number: '+49301',
    });
  });

  test('none, or one that cannot be read: undefined', () => {
    expect(assertedParty(invite({}))).toBeUndefined();
    expect(assertedParty(invite({ 'P-Asserted-Identity': '<mailto:a@b.test>' }))).toBeUndefined();
    expect(assertedParty(invite({ 'P-Asserted-Identity': '<sip:' }))).toBeUndefined();
  });
});
