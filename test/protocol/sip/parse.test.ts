import { describe, expect, it } from 'vitest';
import { SipRequest } from '../../../src/protocol/sip/message.js';
import { parseMessage, partialRequest, SipParseError } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';
import { responseTo } from '../../../src/protocol/sip/respond.js';

const VIA = 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1';

function bytes(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

function errorOf(data: Uint8Array): SipParseError {
  try {
    parseMessage(data);
  } catch (error) {
    if (error instanceof SipParseError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('RFC 3261 §7.1, §7.2: start lines', () => {
  it('a request', () => {
    const message = parseMessage(bytes('INVITE sip:a@b SIP/2.0', VIA, '', '')) as SipRequest;
    expect(message).toMatchObject({ kind: 'request', method: 'INVITE', requestUri: 'sip:a@b', version: 'SIP/2.0' });
    expect(message.uri).toMatchObject({ user: 'a', host: 'b' });
  });

  it('a method that is not known, and one in lower case, are tokens like others', () => {
    expect(parseMessage(bytes('invite sip:a@b SIP/2.0', VIA, '', ''))).toMatchObject({ method: 'invite' });
  });

  it('another version is read, for a 505', () => {
    expect(parseMessage(bytes('INVITE sip:a@b SIP/7.0', VIA, '', ''))).toMatchObject({ version: 'SIP/7.0' });
  });

  it.each([
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['SIP/2.0 486 Busy Here Now', 486, 'Busy Here Now'],
    ['SIP/2.0 100 ', 100, ''],
    ['SIP/2.0 100', 100, ''],
  ])('%j', (line, status, reason) => {
    expect(parseMessage(bytes(line, VIA, '', ''))).toMatchObject({ kind: 'response', status, reason });
  });

  it.each([
    'SIP/2.0 99 x',
    'SIP/2.0 700 x',
    'SIP/2.0 2000 x',
    'SIP/2.0 20 x',
    'SIP/2.0 2x0 x',
    'SIP/2.0  200 OK',
    'SIP/2 200 OK',
    'SIP/x.y 200 OK',
    'SIP/2.0 4294967301 better not break the receiver',
    'hello world',
    'GET / HTTP/1.1',
    'INVITE sip:a@b',
    ' INVITE sip:a@b SIP/2.0',
    'IN(VITE sip:a@b SIP/2.0',
  ])('%j is refused without an answer', (line) => {
    const error = errorOf(bytes(line, VIA, '', ''));
    expect(error.status).toBe(400);
    expect(error.partial).toBeUndefined();
  });

  it.each([
    'INVITE  sip:a@b SIP/2.0',
    'INVITE sip:a@b  SIP/2.0',
    'INVITE sip:a@b SIP/2.0 ',
    'INVITE sip:a@b; lr SIP/2.0',
  ])('%j is refused with an answer', (line) => {
    expect(partialRequest(errorOf(bytes(line, VIA, 'Call-ID: x', '', '')))?.callId).toBe('x');
  });

  it('§7.5: empty lines before the start line are ignored', () => {
    expect(parseMessage(bytes('', '', 'INVITE sip:a@b SIP/2.0', VIA, '', 'x'))).toMatchObject({ method: 'INVITE' });
  });

  it.each(['', '\r\n', '\r\n\r\n', '\0', 'INVITE sip:a@b SIP/2.0', '\r\n\r\n\r\n\r\n'])(
    '%j holds no message',
    (text) => {
      expect(errorOf(Buffer.from(text)).partial).toBeUndefined();
    },
  );
});

describe('RFC 3261 §7.3.1: header lines', () => {
  const read = (...lines: string[]) => parseMessage(bytes('OPTIONS sip:a@b SIP/2.0', ...lines, '', '')).headers;

  it('folds become one space', () => {
    expect(read("Subject: I know you're there,", '  pick up', '\t \tand talk!').first('Subject')).toBe(
      "I know you're there, pick up and talk!",
    );
    expect(read('Subject:', ' x').first('Subject')).toBe('x');
    expect(read('Subject: x', ' ', ' ').first('Subject')).toBe('x');
    expect(read('To:', ' <sip:a@b>', ' ;tag', ' =', ' 1').get('To')?.params).toEqual([{ name: 'tag', value: '1' }]);
  });

  it('white space before the colon belongs to no name (no second reading of "X-Foo :")', () => {
    const headers = read('X-Foo : v', 'Call-ID\t \t: c', 'From: <sip:a@b>');
    expect(headers.raw('X-Foo')).toEqual(['v']);
    expect(headers.get('Call-ID')).toBe('c');
    expect(read('Content-Length : 0', 'Content-Length: 0').count('Content-Length')).toBe(2);
  });

  it('an empty value is a value', () => {
    expect(read('Subject:', 'X:').raw('Subject')).toEqual(['']);
  });

  it('a CR alone is white space in text and an error in a typed value', () => {
    const headers = read(
      'Subject: a\rb',
      'X-Foo: 1\r X-Bar: 2',
      'Call-ID: a\rb',
      'From: "a\rb" <sip:a@b>',
      'To: "a\\\rb" <sip:a@b>',
    );
    expect(headers.first('Subject')).toBe('a b');
    expect(headers.get('Subject')).toBe('a b');
    expect(headers.raw('X-Foo')).toEqual(['1 X-Bar: 2']);
    for (const name of ['Call-ID', 'From', 'To'] as const) expect(() => headers.get(name)).toThrow(SipParseError);
    expect(headers.has('X-Bar')).toBe(false);
  });

  it.each([
    ['a line feed alone', 'Subject: a\nX-Bar: 2'],
    ['a line without a colon', 'garbage'],
    ['a name that is no token', 'Sub(ject: x'],
    ['an empty name', ': x'],
    ['white space inside a name', 'X Foo: x'],
    ['a fold before the first header', ' folded: x'],
  ])('%s is refused, and the sender can be answered', (_what, line) => {
    const error = errorOf(bytes('OPTIONS sip:a@b SIP/2.0', line, VIA, 'Call-ID: c', '', ''));
    const request = partialRequest(error);
    expect(request?.callId).toBe('c');
    expect(error.status).toBe(400);
    if (request === undefined) return;
    expect(Buffer.from(printMessage(responseTo(request, error.status))).toString()).toBe(
      `SIP/2.0 400 Bad Request\r\n${VIA}\r\nCall-ID: c\r\nContent-Length: 0\r\n\r\n`,
    );
  });

  it('the offset of a fault counts bytes from the start', () => {
    expect(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', 'garbage', VIA, '', '')).offset).toBe(25);
  });

  it('no answer to an ACK, nor where the Via shows no way', () => {
    expect(errorOf(bytes('ACK sip:a@b SIP/2.0', 'garbage', VIA, '', '')).partial).toBeUndefined();
    expect(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', 'garbage', 'Via: nonsense', '', '')).partial).toBeUndefined();
    expect(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', 'garbage', '', '')).partial).toBeUndefined();
  });

  it('headers that no empty line ends are refused', () => {
    expect(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, '')).message).toContain('empty line');
    expect(partialRequest(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, 'Call-ID: x'))) instanceof SipRequest).toBe(
      true,
    );
  });
});

describe('RFC 3261 §18.3: the body', () => {
  const open = (...lines: string[]) => parseMessage(bytes('MESSAGE sip:a@b SIP/2.0', ...lines));

  it('is cut to Content-Length', () => {
    expect(open('Content-Length: 3', '', 'abcdef').bodyText()).toBe('abc');
    expect(open('l :\t 3 ', '', 'abcdef').bodyText()).toBe('abc');
    expect(open('Content-Length:', ' 3', '', 'abcdef').headers.get('Content-Length')).toBe(3);
  });

  it('is the rest of a datagram without Content-Length', () => {
    expect(open('', 'abc\0def').body).toHaveLength(7);
  });

  it('is what is there when Content-Length promises more or is unreadable', () => {
    expect(open('Content-Length: 30', '', 'abc').bodyText()).toBe('abc');
    expect(open('Content-Length: -1', '', 'abc').bodyText()).toBe('abc');
  });

  it('is a view of the bytes that came, from a plain Uint8Array too', () => {
    const plain = new Uint8Array(bytes('MESSAGE sip:a@b SIP/2.0', 'Content-Length: 1', '', 'xyz'));
    const message = parseMessage(plain);
    expect([...message.body]).toEqual([0x78]);
    expect(message.body.buffer).toBe(plain.buffer);
  });
});

describe('limits', () => {
  it('256 header lines unless told otherwise: 513', () => {
    const lines = Array.from({ length: 256 }, (_, i) => `X-${i}: ${i}`);
    const allowed = bytes('OPTIONS sip:a@b SIP/2.0', VIA, ...lines.slice(1), '', '');
    expect([...parseMessage(allowed).headers.entries()]).toHaveLength(256);
    const error = errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, ...lines, '', ''));
    expect(error.status).toBe(513);
    expect(partialRequest(error)?.topVia.host).toBe('192.0.2.1');
    expect(() => parseMessage(allowed, { maxHeaders: 2 })).toThrow(expect.objectContaining({ status: 513 }));
  });

  it('65,536 bytes of start line and headers unless told otherwise: 513', () => {
    const error = errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, `X: ${'x'.repeat(70_000)}`, '', ''));
    expect(error.status).toBe(513);
    expect(partialRequest(error)?.topVia.host).toBe('192.0.2.1');
    const small = bytes('OPTIONS sip:a@b SIP/2.0', VIA, '', '');
    expect(() => parseMessage(small, { maxHeadBytes: 40 })).toThrow(expect.objectContaining({ status: 513 }));
    expect(parseMessage(small, { maxHeadBytes: small.length }).topVia.host).toBe('192.0.2.1');
  });

  it('RFC 3261 §21.4.15: a start line of more than 2,048 bytes unless told otherwise: 414', () => {
    const line = (length: number) => `OPTIONS sip:${'a'.repeat(length - 'OPTIONS sip:@b SIP/2.0'.length)}@b SIP/2.0`;
    const error = errorOf(bytes(line(2_049), VIA, '', ''));
    expect([error.status, error.limit]).toEqual([414, 'startLineBytes']);
    expect(partialRequest(error)?.topVia.host).toBe('192.0.2.1');
    expect(parseMessage(bytes(line(2_048), VIA, '', '')).kind).toBe('request');
    expect(parseMessage(bytes(line(5_000), VIA, '', ''), { maxStartLineBytes: 5_000 }).kind).toBe('request');
  });

  it('RFC 3261 §21.5.7: a header line of more than 8,192 bytes, folds included, unless told otherwise: 513', () => {
    const line = (length: number) => `X: ${'x'.repeat(length - 7)}\r\n x`;
    expect(line(9_000)).toHaveLength(9_000);
    const error = errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, line(8_193), 'Y: z', '', ''));
    expect([error.status, error.limit, error.offset]).toEqual([513, 'headerLineBytes', 27 + VIA.length]);
    expect(partialRequest(error)?.topVia.host).toBe('192.0.2.1');
    const allowed = bytes('OPTIONS sip:a@b SIP/2.0', VIA, line(8_192), line(8_192), '', '');
    expect(parseMessage(allowed).headers.count('X')).toBe(2);
    expect(() => parseMessage(allowed, { maxHeaderLineBytes: 8_191 })).toThrow(/8191 bytes/);
  });

  it('the limits tell which of them it was', () => {
    const lines = Array.from({ length: 300 }, () => 'X: y');
    expect(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, ...lines, '', '')).limit).toBe('headers');
    const many = Array.from({ length: 20 }, () => `X: ${'y'.repeat(4_000)}`);
    expect(errorOf(bytes('OPTIONS sip:a@b SIP/2.0', VIA, ...many, '', '')).limit).toBe('headerBytes');
  });

  it('a body beyond the limit of the head is no fault', () => {
    expect(
      parseMessage(Buffer.concat([bytes('MESSAGE sip:a@b SIP/2.0', VIA, '', ''), Buffer.alloc(100_000)])).body,
    ).toHaveLength(100_000);
  });
});
