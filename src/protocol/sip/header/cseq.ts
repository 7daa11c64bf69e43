import { plainCSeq } from '../plain.js';
import { putCode, putNumber, putText } from '../put.js';
import type { CSeq } from '../values.js';
import { single, whole } from './codec.js';

export type { CSeq } from '../values.js';

/** RAck (RFC 3262 §7.2). */
export interface RAck {
  readonly rseq: number;
  /** The number of the CSeq that is acknowledged. */
  readonly cseq: number;
  readonly method: string;
}

const MAX_SEQUENCE = 0x7fff_ffff;

export const cseqCodec = single<CSeq>(
  'CSeq',
  (scanner) => {
    scanner.skipSpace();
    const sequence = scanner.number('a sequence number', MAX_SEQUENCE);
    scanner.skipSpace();
    const method = scanner.token('a method');
    scanner.finish();
    return { sequence, method };
  },
  (start, value) => {
    let pos = start;
    pos = putNumber(pos, value.sequence);
    pos = putCode(pos, 0x20);
    pos = putText(pos, value.method);
    return pos;
  },
  undefined,
  plainCSeq,
);

export const rackCodec = single<RAck>(
  'RAck',
  whole((scanner) => {
    const rseq = scanner.number('a response number', 0xffff_ffff);
    scanner.skipSpace();
    const cseq = scanner.number('a sequence number', MAX_SEQUENCE);
    scanner.skipSpace();
    return { rseq, cseq, method: scanner.token('a method') };
  }),
  (start, value) => {
    let pos = start;
    pos = putNumber(pos, value.rseq);
    pos = putCode(pos, 0x20);
    pos = putNumber(pos, value.cseq);
    pos = putCode(pos, 0x20);
    pos = putText(pos, value.method);
    return pos;
  },
);
