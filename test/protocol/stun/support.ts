import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readStunMessage, type StunMessage } from '../../../src/protocol/stun/message.js';

const CORPORA = path.resolve(process.env['PBXKIT_CORPORA'] ?? '../shared/corpora');

/** A sample of RFC 5769 as it stands in the corpora. */
export interface Sample {
  readonly name: 'request' | 'ipv4-response' | 'ipv6-response' | 'long-term-request';
  readonly hex: string;
  readonly key: {
    readonly short_term?: string;
    readonly username?: string;
    readonly realm?: string;
    readonly password?: string;
    readonly hex?: string;
  };
}

/** The samples of RFC 5769; undefined without corpora. */
export function rfc5769(): readonly Sample[] | undefined {
  try {
    return JSON.parse(readFileSync(path.join(CORPORA, 'vectors/stun-rfc5769.json'), 'utf8')) as Sample[];
  } catch {
    return undefined;
  }
}

export const ID = 'b7e7a701bc34d686fa87dfae';

/** A message of that type with attributes, written by the tests' own hand. */
export function message(type: number, ...attributes: readonly (readonly [number, string])[]): Buffer {
  const body = Buffer.concat(
    attributes.map(([kind, hex]) => {
      const value = Buffer.from(hex, 'hex');
      const head = Buffer.alloc(4);
      head.writeUInt16BE(kind, 0);
      head.writeUInt16BE(value.length, 2);
      return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
    }),
  );
  const head = Buffer.alloc(20);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length, 2);
  head.writeUInt32BE(0x2112a442, 4);
  Buffer.from(ID, 'hex').copy(head, 8);
  return Buffer.concat([head, body]);
}

/** Reads what must be a message. */
export function read(data: Uint8Array): StunMessage {
  const found = readStunMessage(data);
  if (found === undefined) throw new Error(`no STUN message: ${Buffer.from(data).toString('hex')}`);
  return found;
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}
