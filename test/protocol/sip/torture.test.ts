import { describe, expect, it } from 'vitest';
import type { ContactValue } from '../../../src/protocol/sip/header/registry.js';
import { SipRequest, SipResponse } from '../../../src/protocol/sip/message.js';
import { parseMultipart } from '../../../src/protocol/sip/multipart.js';
import { getParam, hasParam } from '../../../src/protocol/sip/params.js';
import { parseMessage, partialRequest, SipParseError } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { responseTo } from '../../../src/protocol/sip/respond.js';
import { aorOf, type SipUri } from '../../../src/protocol/sip/uri.js';
import { unescapeUriText } from '../../../src/protocol/sip/uri-escape.js';
import { checkRequest, checkResponse } from '../../../src/protocol/sip/validate.js';
import { corpusAbsent, type Expectation, expectations, vector } from './corpus.js';

const vectors = describe.skipIf(corpusAbsent !== undefined);

/** What the parser and the check before dispatch say: undefined for a clean message. */
function verdict(entry: Expectation): { status: number; answerable: boolean } | undefined {
  try {
    const message = parseMessage(vector(entry.file));
    expect(message.kind).toBe(entry.kind);
    return message.kind === 'request'
      ? checkRequest(message, { datagram: entry.via_transport === 'UDP' })
      : checkResponse(message);
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
    return { status: error.status, answerable: partialRequest(error) !== undefined };
  }
}

function request(name: string): SipRequest {
  const message = parseMessage(vector(`rfc4475/${name}.dat`));
  if (!(message instanceof SipRequest)) throw new Error(`${name} is no request`);
  return message;
}

function response(name: string): SipResponse {
  const message = parseMessage(vector(`rfc4475/${name}.dat`));
  if (!(message instanceof SipResponse)) throw new Error(`${name} is no response`);
  return message;
}

function contacts(message: SipRequest): Exclude<ContactValue, '*'> {
  const value = message.headers.get('Contact');
  if (value === undefined || value === '*') throw new Error('no list of contacts');
  return value;
}

function sip(uri: unknown): SipUri {
  return uri as SipUri;
}

if (corpusAbsent !== undefined) it.skip(`RFC 4475 and 5118 vectors: ${corpusAbsent}`, () => {});

vectors('RFC 4475 and RFC 5118 messages before dispatch', () => {
  it.each(expectations())('RFC $rfc §$section $file: $parser', (entry) => {
    const fault = verdict(entry);
    if (entry.parser === 'accept') expect(fault).toBeUndefined();
    if (entry.parser === 'reject') expect(fault).toBeDefined();
    if (fault === undefined) return;
    if (entry.kind === 'response') expect(fault.answerable).toBe(false);
    else {
      expect(fault.answerable).toBe(true);
      expect(fault.status).toBe(entry.outcome.startsWith('505') ? 505 : 400);
    }
  });

  it.each(expectations().filter((entry) => entry.parser === 'accept'))(
    'RFC $rfc §$section $file: parse, print, parse is stable',
    (entry) => {
      const once = printMessage(parseMessage(vector(entry.file)));
      const twice = printMessage(parseMessage(once));
      expect(Buffer.from(twice).equals(Buffer.from(once))).toBe(true);
    },
  );

  it.each(expectations().filter((entry) => entry.kind === 'request'))(
    'RFC $rfc §$section $file: an answer can be built and read',
    (entry) => {
      let answered: SipRequest | undefined;
      try {
        const message = parseMessage(vector(entry.file));
        if (message.kind === 'request') answered = message;
      } catch (error) {
        if (!(error instanceof SipParseError)) throw error;
        answered = partialRequest(error);
      }
      if (answered === undefined) throw new Error('nobody to answer');
      const answer = parseMessage(printMessage(responseTo(answered, 400, { toTag: 'a' })));
      expect(answer.kind).toBe('response');
      expect(answer.topVia.host).not.toBe('');
      expect(answer.headers.wire('Call-ID')).toEqual(answered.headers.wire('Call-ID'));
      expect(answer.headers.wire('From')).toEqual(answered.headers.wire('From'));
      expect(answer.headers.wire('CSeq')).toEqual(answered.headers.wire('CSeq'));
    },
  );
});

vectors('RFC 4475 §3.1.1: what the valid messages mean', () => {
  it('§3.1.1.1 wsinv: folds, compact names and odd spacing', () => {
    const message = request('wsinv');
    expect(message.headers.get('Max-Forwards')).toBe(68);
    expect(message.cseq).toEqual({ sequence: 9, method: 'INVITE' });
    expect(message.toTag).toBe('1918181833n');
    expect(message.from.displayName).toBe('J Rosenberg \\"');
    expect(message.fromTag).toBe('98asjd8');
    expect(message.headers.get('Via')?.map(({ transport, host }) => `${transport} ${host}`)).toEqual([
      'UDP 192.0.2.2',
      'TCP spindle.example.com',
      'UDP 192.168.255.111',
    ]);
    expect(message.headers.get('Via')?.map(({ params }) => getParam(params, 'branch'))).toEqual([
      '390skdjuw',
      'z9hG4bK9ikj8',
      'z9hG4bK30239',
    ]);
    expect(message.headers.first('Subject')).toBe('');
    expect(message.headers.raw('NewFangledHeader')).toEqual(['newfangled value continued newfangled value']);
    expect(message.headers.get('Route')?.map(({ uri }) => sip(uri).host)).toEqual(['services.example.com']);
    expect(contacts(message).map(({ displayName }) => displayName)).toEqual(['Quoted string ""']);
    expect(getParam(contacts(message)[0]?.params ?? [], 'secondparam')).toBe('');
  });

  it('§3.1.1.2 intmeth: every character a token may have, and a NUL in a quoted pair', () => {
    const message = request('intmeth');
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(message.uri.kind).toBe('sip');
    expect(message.to.displayName).toBe('BEL:\u0007 NUL:\u0000 DEL:\u007f');
    expect(message.from.displayName).toBe("token1~` token2'+_ token3*%!.-");
    expect(message.headers.has("extensionHeader-!.%*+_`'~")).toBe(true);
    const answer = Buffer.from(printMessage(responseTo(message, 501))).toString('latin1');
    expect(answer).toContain(message.headers.wire('To')[0]);
  });

  it('§3.1.1.2 intmeth: a NUL never goes out in a message that is made from its values', () => {
    const message = request('intmeth');
    const answer = responseTo(message, 200);
    answer.headers.set('To', message.to);
    expect(Buffer.from(printMessage(answer)).includes(0)).toBe(false);
  });

  it('§3.1.1.3 esc01: the user is unescaped once', () => {
    const message = request('esc01');
    expect(sip(message.uri).user).toBe('sips:user@example.com');
    expect(sip(message.uri).host).toBe('example.net');
    const [first] = contacts(message);
    expect(sip(first?.uri).user).toBe('caller');
    expect(unescapeUriText(getParam(sip(first?.uri).params, 'n%61me') ?? '')).toBe('value%41');
    expect(hasParam(sip(first?.uri).params, '%6C%72')).toBe(true);
  });

  it('§3.1.1.4 escnull: an escaped NUL cuts nothing off, the two bindings stay two', () => {
    const message = request('escnull');
    expect(sip(message.to.uri).user).toBe('null-\u0000-null');
    expect(aorOf(sip(message.to.uri))).toBe('null-\u0000-null@example.com');
    const users = contacts(message).map(({ uri }) => sip(uri).user);
    expect(users).toEqual(['\u0000', '\u0000\u0000']);
    expect(Buffer.from(printMessage(message)).toString()).toContain('<sip:%00%00@host5.example.com>');
  });

  it('§3.1.1.5 esc02: % in a method is no escape, and two contacts are not three', () => {
    const message = request('esc02');
    expect(message.method).toBe('RE%47IST%45R');
    expect(contacts(message)).toHaveLength(2);
    expect(message.headers.raw('Contact')).toHaveLength(2);
  });

  it('§3.1.1.6 lwsdisp: no white space between display name and <', () => {
    expect(request('lwsdisp').from.displayName).toBe('caller');
  });

  it('§3.1.1.7 longreq: nothing is cut, in or out', () => {
    const message = request('longreq');
    expect(message.headers.get('Via')).toHaveLength(34);
    const answer = parseMessage(printMessage(responseTo(message, 200)));
    expect(answer.headers.get('Via')).toEqual(message.headers.get('Via'));
    expect(answer.callId).toBe(message.callId);
    expect(answer.fromTag).toBe(message.fromTag);
  });

  it('§3.1.1.8 dblreq: octets behind the body are ignored', () => {
    const message = request('dblreq');
    expect(message.method).toBe('REGISTER');
    expect(message.body).toHaveLength(0);
    expect(checkRequest(message, { datagram: true })).toBeUndefined();
  });

  it('§3.1.1.9 semiuri: the semicolon belongs to the user', () => {
    const { uri } = request('semiuri');
    expect(sip(uri).user).toBe('user;par=u@example.net');
    expect(sip(uri).params).toEqual([]);
  });

  it('§3.1.1.10 transports: unknown transports are kept', () => {
    expect(
      request('transports')
        .headers.get('Via')
        ?.map(({ transport }) => transport),
    ).toEqual(['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP']);
  });

  it('§3.1.1.11 mpart01: a binary body framed by Content-Length, in two parts', () => {
    const message = request('mpart01');
    expect(message.body).toHaveLength(553);
    const type = message.headers.get('Content-Type');
    if (type === undefined) throw new Error('no Content-Type');
    const parts = parseMultipart(message.body, type);
    expect(parts.map(({ contentType }) => `${contentType.type}/${contentType.subtype}`)).toEqual([
      'text/plain',
      'application/octet-stream',
    ]);
    expect(Buffer.from(parts[0]?.body ?? []).toString()).toBe('Hello');
    expect(parts[1]?.body.includes(0)).toBe(true);
  });

  it('§3.1.1.12 unreason: a reason phrase in UTF-8', () => {
    expect(response('unreason').reason).toBe('= 2**3 * 5**2 но сто девяносто девять - простое');
  });

  it('§3.1.1.13 noreason: an empty reason phrase', () => {
    expect(response('noreason')).toMatchObject({ status: 100, reason: '' });
  });
});

vectors('RFC 4475 §3.1.2 and §3.3: what later readers see', () => {
  it('§3.1.2.1 badinv01: the broken part of the Via is not echoed', () => {
    const answer = responseTo(request('badinv01'), 400);
    expect(answer.headers.raw('Via')).toEqual(['SIP/2.0/UDP 192.0.2.15']);
  });

  it('§3.1.2.12 baddate: the Date is found wrong only by who asks for it', () => {
    const message = request('baddate');
    expect(() => message.headers.get('Date')).toThrow(SipParseError);
    expect(message.headers.first('Date')).toContain('EST');
  });

  it('§3.1.2.13 regbadct: a Contact with ? and without <> is refused when it is read', () => {
    const message = request('regbadct');
    expect(() => message.headers.get('Contact')).toThrow(/Contact: .*"<" and ">"/);
  });

  it('§3.3.2, §3.3.3 unkscm, novelsc: other schemes are kept for a 416', () => {
    expect(request('unkscm').uri).toMatchObject({ kind: 'other', scheme: 'nobodyknowsthisscheme' });
    expect(request('novelsc').uri).toMatchObject({ kind: 'other', scheme: 'soap.beep' });
  });

  it('§3.3.5 bext01: the option tags of Require and Proxy-Require', () => {
    const { headers } = request('bext01');
    expect(headers.get('Require')).toEqual(['nothingSupportsThis', 'nothingSupportsThisEither']);
    expect(headers.get('Proxy-Require')).toEqual(['noProxiesSupportThis', 'norDoAnyProxiesSupportThis']);
  });

  it('§3.3.7 regaut01: an unknown scheme of credentials is readable', () => {
    expect(request('regaut01').headers.get('Authorization')?.[0]?.scheme).toBe('NoOneKnowsThisScheme');
  });

  it('§3.3.11 zeromf: Max-Forwards 0', () => {
    expect(request('zeromf').headers.get('Max-Forwards')).toBe(0);
  });

  it('§3.3.12, §3.3.13 cparam01, cparam02: a parameter outside and inside of <>', () => {
    const [outside] = contacts(request('cparam01'));
    expect(hasParam(outside?.params ?? [], 'unknownparam')).toBe(true);
    expect(sip(outside?.uri).params).toEqual([]);
    const [inside] = contacts(request('cparam02'));
    expect(hasParam(sip(inside?.uri).params, 'unknownparam')).toBe(true);
    expect(inside?.params).toEqual([]);
  });

  it('§3.3.14 regescrt: an escaped Route stays in the URI', () => {
    const [contact] = contacts(request('regescrt'));
    expect(sip(contact?.uri).headers).toEqual([{ name: 'Route', value: '%3Csip:sip.example.com%3E' }]);
  });

  it('§3.4.1 inv2543: no branch, no From tag, no Max-Forwards', () => {
    const message = request('inv2543');
    expect(message.branch).toBeUndefined();
    expect(message.fromTag).toBeUndefined();
    expect(message.bodyText()).toContain('v=0');
  });
});

vectors('RFC 5118: IPv6 in SIP', () => {
  const open = (file: string) => parseMessage(vector(`rfc5118/${file}`)) as SipRequest;

  it('§4.1: brackets are not part of the host', () => {
    const message = open('ipv6-good');
    expect(sip(message.uri).host).toBe('2001:db8::10');
    expect(message.topVia.host).toBe('2001:db8::9:1');
  });

  it('§4.3, §4.4: where the port is', () => {
    expect(sip(open('port-ambiguous').uri)).toMatchObject({ host: '2001:db8::10:5070' });
    expect(sip(open('port-ambiguous').uri).port).toBeUndefined();
    expect(sip(open('port-unambiguous').uri)).toMatchObject({ host: '2001:db8::10', port: 5070 });
  });

  it('§4.5: received with and without brackets', () => {
    expect(getParam(open('via-received-param-with-delim').topVia.params, 'received')).toBe('[2001:db8::9:255]');
    expect(getParam(open('via-received-param-no-delim').topVia.params, 'received')).toBe('2001:db8::9:255');
  });

  it('§4.9: IPv4-mapped addresses', () => {
    expect(open('ipv4-mapped-ipv6').topVia.host).toBe('::ffff:192.0.2.10');
  });

  it('§4.10: three colons of the old grammar are tolerated', () => {
    expect(sip(open('ipv6-bug-abnf-3-colons').uri).host).toBe('2001:db8:::192.0.2.1');
  });
});
