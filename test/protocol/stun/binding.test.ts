import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerBinding, bindingRequest, readBindingRequest } from '../../../src/protocol/stun/binding.js';
import { withFingerprint } from '../../../src/protocol/stun/fingerprint.js';
import { hex, ID, message, read, rfc5769 } from './support.js';

function answer(request: Buffer, address = '192.0.2.1', port = 32_853): string | undefined {
  const read = readBindingRequest(request);
  return read === undefined ? undefined : Buffer.from(answerBinding(read, { address, port })).toString('hex');
}

describe('RFC 8489: Binding', () => {
  it('§6.3.1.1: the answer tells the source, XORed (§14.2), under the same transaction', () => {
    expect(answer(message(1))).toBe(`0101000c2112a442${ID}002000080001a147e112a643`);
    const v6 = answer(message(1), '2001:db8:1234:5678:11:2233:4455:6677');
    expect(v6).toBe(`010100182112a442${ID}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`);
  });

  it('§6.3.1: attributes that must be understood and are not get 420 and are named, each once', () => {
    expect(answer(message(1, [0x0003, '00000006'], [0x7fff, ''], [0x0003, '00000002']))).toBe(
      `011100182112a442${ID}0009000b00000414556e6b6e6f776e00000a000400037fff`,
    );
    // An odd number of them is padded.
    expect(answer(message(1, [0x0024, '6e0001ff']))).toBe(
      `011100182112a442${ID}0009000b00000414556e6b6e6f776e00000a000200240000`,
    );
  });

  it('§14: what is optional or known is passed over', () => {
    const request = message(1, [0x8022, '7069'], [0xc001, ''], [0x0006, '616263'], [0x0008, '00'.repeat(20)]);
    expect(answer(request)).toContain('00200008');
  });

  it.each([
    ['an indication', message(0x0011)],
    ['a response', message(0x0101, [0x0020, '0001a147e112a643'])],
    ['an error response', message(0x0111)],
    ['Allocate', message(0x0003)],
    [
      'a classic STUN request (RFC 3489) without the cookie',
      Buffer.concat([Buffer.from('00010000deadbeef', 'hex'), Buffer.alloc(12)]),
    ],
    ['a length that is too long', Buffer.from(`000100042112a442${ID}`, 'hex')],
    ['a length that is too short', Buffer.concat([message(1), Buffer.alloc(4)])],
    ['a length that is no multiple of four', Buffer.from(`000100022112a442${ID}0000`, 'hex')],
    ['an attribute that runs over the end', Buffer.from(`000100042112a442${ID}80220010`, 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('%s is not answered', (_name, data) => {
    expect(answer(data)).toBeUndefined();
  });

  it('§7: a request with a FINGERPRINT gets an answer with one, and a wrong one gets none', () => {
    const request = Buffer.from(withFingerprint(message(1)));
    const from = { address: '192.0.2.1', port: 32_853 };
    const found = readBindingRequest(request);
    expect(found && hex(answerBinding(found, from))).toBe(
      hex(withFingerprint(Buffer.from(`0101000c2112a442${ID}002000080001a147e112a643`, 'hex'))),
    );
    request[27] = (request[27] ?? 0) ^ 1;
    expect(readBindingRequest(request)).toBeUndefined();
  });

  it('RFC 3489 §11.2.4: a client of that RFC may ask for nothing by CHANGE-REQUEST; one of today is refused with 420', () => {
    const legacy = (value: string): Buffer => {
      const data = message(1, [0x0003, value]);
      data.writeUInt32BE(0x01020304, 4);
      return data;
    };
    expect(bindingRequest(read(legacy('00000000')))).toMatchObject({ unknown: [], wantsChange: false });
    for (const value of ['00000002', '00000004', '00000006'])
      expect(bindingRequest(read(legacy(value)))).toMatchObject({ unknown: [], wantsChange: true });
    expect(bindingRequest(read(message(1, [0x0003, '00000006'])))).toMatchObject({ unknown: [3], wantsChange: false });
  });

  it('an answer is never much larger than its request: no lever for who forges a source', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }), fc.boolean(), (types, v6) => {
        const request = message(1, ...types.map((type) => [type, ''] as const));
        const reply = answer(request, v6 ? '2001:db8::1' : '192.0.2.1');
        if (reply !== undefined) expect(reply.length / 2).toBeLessThanOrEqual(request.length + 24);
      }),
    );
  });

  it('any bytes are read or not, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const head = message(1);
        head.writeUInt16BE(bytes.length, 2);
        for (const data of [bytes, Buffer.concat([head, bytes])]) answer(Buffer.from(data));
      }),
    );
  });

  it('the samples of RFC 5769 (skipped without corpora)', (context) => {
    const samples = rfc5769();
    if (samples === undefined) return context.skip();
    const request = samples.find(({ name }) => name === 'request');
    // §2.1 carries PRIORITY, which is ICE's and not understood on a SIP port; everything else in it is.
    expect(readBindingRequest(Buffer.from(request?.hex ?? '', 'hex'))?.unknown).toEqual([0x0024]);
    for (const { name, hex: bytes } of samples) {
      if (!name.includes('response')) continue;
      expect(readBindingRequest(Buffer.from(bytes, 'hex')), name).toBeUndefined();
      const [address, attribute] = name.startsWith('ipv4')
        ? ['192.0.2.1', '002000080001a147e112a643']
        : ['2001:db8:1234:5678:11:2233:4455:6677', '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9'];
      expect(bytes, name).toContain(attribute);
      expect(answer(message(1), address), name).toContain(attribute);
    }
  });
});
