import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLegacy, readStunMessage } from '../../../src/protocol/stun/message.js';
import {
  errorOf,
  mappedAddressOf,
  softwareOf,
  unknownAttributesOf,
} from '../../../src/protocol/stun/read-attributes.js';
import { writeBinding } from '../../../src/protocol/stun/write.js';
import { hex, ID, message, read, rfc5769 } from './support.js';

const transactionId = Buffer.from(ID, 'hex');
const LEGACY_ID = Buffer.from(`01020304${ID}`, 'hex');

describe('RFC 8489 §5: reading', () => {
  it.each([
    [0x0001, 'request', 1],
    [0x0011, 'indication', 1],
    [0x0101, 'success', 1],
    [0x0111, 'error', 1],
    [0x0003, 'request', 3],
    [0x0113, 'error', 3],
    [0x3eef, 'request', 0xfff],
    [0x3fff, 'error', 0xfff],
  ] as const)('type %i is a %s of method %i', (type, kind, method) => {
    expect(read(message(type))).toMatchObject({ class: kind, method });
  });

  it('§14: the value goes without its padding, whatever is in it; of several only the first counts', () => {
    const data = Buffer.from(`010100182112a442${ID}80220003616263208022000464656667000a000266660000`, 'hex');
    expect(softwareOf(read(data))).toBe('abc');
    expect(unknownAttributesOf(read(data))).toEqual([0x6666]);
  });

  it('§14.5: what follows MESSAGE-INTEGRITY does not count, but SHA-256 and FINGERPRINT do', () => {
    const data = message(
      0x0101,
      [0x0008, '00'.repeat(20)],
      [0x0020, '0001a147e112a643'],
      [0x001c, '00'.repeat(32)],
      [0x8022, '61626364'],
      [0x8028, '00000000'],
      [0x7fff, ''],
    );
    expect(read(data).attributes.map(({ type }) => type)).toEqual([0x0008, 0x001c, 0x8028]);
  });

  it('a message without the cookie is one of RFC 3489, whose transaction id has 16 bytes', () => {
    const data = message(0x0001);
    data.writeUInt32BE(0x01020304, 4);
    expect(isLegacy(read(data))).toBe(true);
    expect(hex(read(data).transactionId)).toBe(hex(LEGACY_ID));
    expect(hex(read(message(0x0001)).transactionId)).toBe(ID);
  });

  it.each([
    ['nothing', ''],
    ['19 bytes', `000100002112a442${ID.slice(2)}`],
    ['first bits of RTP', `800100002112a442${ID}`],
    ['first bits of a method of SIP', `4f5054494f4e53207369703a${ID}`],
    ['a length that is too long', `000100042112a442${ID}`],
    ['a length that is too short', `000100002112a442${ID}00000000`],
    ['a length that is no multiple of four', `000100022112a442${ID}0000`],
    ['an attribute that runs over the end', `000100042112a442${ID}80220001`],
  ])('%s is no message', (_name, bytes) => {
    expect(readStunMessage(Buffer.from(bytes, 'hex'))).toBeUndefined();
  });

  it('a giant of empty attributes is no message', () => {
    const many = (count: number): Buffer => message(1, ...Array.from({ length: count }, () => [0x8022, ''] as const));
    expect(readStunMessage(many(64))?.attributes).toHaveLength(64);
    expect(readStunMessage(many(65))).toBeUndefined();
    expect(readStunMessage(many(16_000))).toBeUndefined();
  });

  it('any bytes are read or not, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, framed) => {
        const body = bytes.subarray(0, bytes.length & ~3);
        const head = message(0x0101);
        head.writeUInt16BE(body.length, 2);
        const found = readStunMessage(framed ? Buffer.concat([head, body]) : bytes);
        if (found === undefined) return;
        for (const look of [mappedAddressOf, errorOf, softwareOf, unknownAttributesOf]) look(found);
      }),
    );
  });
});

describe('attributes', () => {
  it('§14.1, §14.2: addresses of both families, plain and XORed', () => {
    expect(mappedAddressOf(read(message(0x0101, [0x0001, '00018055c0000201'])))).toEqual({
      address: '192.0.2.1',
      port: 32_853,
    });
    expect(mappedAddressOf(read(message(0x0101, [0x0020, '0001a147e112a643'])))).toEqual({
      address: '192.0.2.1',
      port: 32_853,
    });
    expect(mappedAddressOf(read(message(0x0101, [0x0020, '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9'])))).toEqual({
      address: '2001:db8:1234:5678:11:2233:4455:6677',
      port: 32_853,
    });
  });

  it('RFC 5389 §12.1: XOR-MAPPED-ADDRESS goes before MAPPED-ADDRESS, which some routers rewrite', () => {
    const both = message(0x0101, [0x0001, '000180550a000001'], [0x0020, '0001a147e112a643']);
    expect(mappedAddressOf(read(both))?.address).toBe('192.0.2.1');
  });

  it.each([
    ['another family', '00038055c0000201'],
    ['too short', '00018055c000'],
    ['IPv4 in the length of IPv6', `00018055${'c0'.repeat(16)}`],
    ['port 0', '00010000c0000201'],
    ['empty', ''],
  ])('an address with %s is none', (_name, value) => {
    expect(mappedAddressOf(read(message(0x0101, [0x0001, value])))).toBeUndefined();
  });

  it('an IPv4 address in IPv6 form is IPv4', () => {
    const value = `00028055${'00'.repeat(10)}ffff0a000001`;
    expect(mappedAddressOf(read(message(0x0101, [0x0001, value])))?.address).toBe('10.0.0.1');
  });

  it.each([
    [401, '00000401'],
    [403, '00000403'],
    [420, '00000414'],
    [437, '00000425'],
    [487, '00000457'],
    [508, '00000508'],
    [300, '00000300'],
  ])('§14.8: error %i, which the package reads wrongly', (code, value) => {
    expect(errorOf(read(message(0x0111, [0x0009, `${value}4e6f`])))).toEqual({ code, reason: 'No' });
  });

  it.each([['00000201'], ['00000700'], ['00000464'], ['000004'], ['']])('§14.8: %s is no error code', (value) => {
    expect(errorOf(read(message(0x0111, [0x0009, value])))).toBeUndefined();
  });

  it('a reason is shown short and without control characters', () => {
    const reason = errorOf(
      read(message(0x0111, [0x0009, `00000414${hex(Buffer.from(`a\r\nb${'x'.repeat(300)}`))}`])),
    )?.reason;
    expect(reason).toBe(`ab${'x'.repeat(123)}`);
  });
});

describe('writing', () => {
  it('§6.1: a request is a bare header', () => {
    expect(hex(writeBinding({ class: 'request', transactionId }))).toBe(`000100002112a442${ID}`);
  });

  it.each(['x', 'four', 'pbxkit', 'zwölf', '日本語'])(
    '§14.14: SOFTWARE %s takes a multiple of four bytes',
    (software) => {
      const data = writeBinding({ class: 'request', transactionId, software });
      expect(data.length % 4).toBe(0);
      const [attribute] = read(data).attributes;
      expect((attribute?.value.length ?? 1) % 4).toBe(0);
      expect(softwareOf(read(data))).toBe(software);
    },
  );

  it('RFC 5389 §12.2: a client of RFC 3489 gets MAPPED-ADDRESS and its own first four bytes back', () => {
    const mapped = { address: '192.0.2.1', port: 32_853 };
    expect(hex(writeBinding({ class: 'success', transactionId: LEGACY_ID, mapped }))).toBe(
      `0101000c01020304${ID}0001000800018055c0000201`,
    );
  });

  it('what is written is read again, for any address', () => {
    const v4 = fc.ipV4();
    const v6 = fc.ipV6().filter((text) => !text.includes('.'));
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (address, port, legacy) => {
        const id = legacy ? LEGACY_ID : transactionId;
        const data = writeBinding({ class: 'success', transactionId: id, mapped: { address, port } });
        const found = mappedAddressOf(read(data));
        const again = found && writeBinding({ class: 'success', transactionId: id, mapped: found });
        expect(found?.port).toBe(port);
        expect(hex(again ?? new Uint8Array(0))).toBe(hex(data));
      }),
    );
  });
});

it('RFC 5769 §2.1–§2.4: the samples are read (skipped without corpora)', (context) => {
  const samples = rfc5769();
  if (samples === undefined) return context.skip();
  const seen = samples.map((sample) => {
    const found = read(Buffer.from(sample.hex, 'hex'));
    return [sample.name, found.class, softwareOf(found), mappedAddressOf(found)];
  });
  expect(seen).toEqual([
    ['request', 'request', 'STUN test client', undefined],
    ['ipv4-response', 'success', 'test vector', { address: '192.0.2.1', port: 32_853 }],
    ['ipv6-response', 'success', 'test vector', { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }],
    ['long-term-request', 'request', undefined, undefined],
  ]);
});
