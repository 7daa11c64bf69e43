import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { decodeBody, encodeBody } from '../../../src/protocol/sip/body-text.js';
import { createRequest } from '../../../src/protocol/sip/message.js';
import { parseMessage } from '../../../src/protocol/sip/parse.js';
import { printMessage } from '../../../src/protocol/sip/print.js';

describe('the text of a body', () => {
  it.each([
    ['ASCII', 'v=0\r\ns=-\r\n'],
    ['UTF-8 of every length', 's=Büro €5 📞'],
    ['U+FFFD itself', 's=\uFFFD'],
    ['a byte order mark', '\uFEFFv=0'],
    ['nothing', ''],
  ])('%s is read and written as UTF-8 (RFC 8866 §4.5)', (_, text) => {
    const bytes = new TextEncoder().encode(text);
    expect(decodeBody(bytes)).toBe(text);
    expect(Buffer.from(encodeBody(text))).toEqual(Buffer.from(bytes));
  });

  it('what is no UTF-8 stays beside what is', () => {
    expect(decodeBody(Buffer.from('s=B\xfcro \xe2\x82\xac\xe2\x82', 'latin1'))).toBe('s=B\uDCFCro €\uDCE2\uDC82');
  });

  it('a lone surrogate that stands for no byte becomes U+FFFD', () => {
    expect(Buffer.from(encodeBody('\uD83D \uDC7F')).toString()).toBe('\uFFFD \uFFFD');
  });

  it('a session name in ISO 8859-1 survives a session description that is read and written', () => {
    const sdp = Buffer.from(
      'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=B\xfcro\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n',
      'latin1',
    );
    expect(Buffer.from(encodeBody(sdpText(parseSdp(decodeBody(sdp)))))).toEqual(sdp);
  });

  it('a body of any bytes is the same bytes behind text, JSON and a new message', () => {
    const anyBytes = fc.uint8Array({ maxLength: 40 });
    const characters = fc.array(fc.constantFrom('a', '\r\n', 'ü', '€', '\uFFFD', '📞'), { maxLength: 12 });
    const nearlyUtf8 = fc.tuple(characters, fc.nat(40), fc.integer({ min: 0, max: 255 })).map(([text, at, byte]) => {
      const bytes = new TextEncoder().encode(text.join(''));
      if (at < bytes.length) bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(anyBytes, nearlyUtf8), (body) => {
        const received = parseMessage(printMessage(createRequest({ method: 'INVITE', uri: 'sip:a@b', body })));
        const text = JSON.parse(JSON.stringify(received.bodyText())) as string;
        const sent = printMessage(createRequest({ method: 'INVITE', uri: 'sip:a@b', body: text }));
        expect(Buffer.from(parseMessage(sent).body).toString('hex')).toBe(Buffer.from(body).toString('hex'));
      }),
    );
  });
});
