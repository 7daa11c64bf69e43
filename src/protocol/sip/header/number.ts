import { type Params, putParams, readParams } from '../params.js';
import { putNumber, putText } from '../put.js';
import { type HeaderCodec, single, whole } from './codec.js';
import { endOfComment } from './comment.js';

/** Seconds with parameters: Session-Expires and Min-SE (RFC 4028 §4, §5). */
export interface DeltaWithParams {
  readonly seconds: number;
  readonly params: Params;
}

/** Retry-After (RFC 3261 §20.33). */
export interface RetryAfter extends DeltaWithParams {
  /** Without the brackets. */
  readonly comment?: string;
}

/** Timestamp (RFC 3261 §20.38): seconds. */
export interface Timestamp {
  /** As it stands, for the echo. */
  readonly value: string;
  readonly delay?: string;
}

const MAX_32 = 0xffff_ffff;

/** A header that is one number from 0 to `max` (2³²−1 if not said). */
export function number(name: string, max = MAX_32, compact?: string): HeaderCodec<number> {
  return single(
    name,
    whole((scanner) => scanner.number('a number', max)),
    putNumber,
    compact,
  );
}

/** A header that is seconds and parameters. */
export function delta(name: string, compact?: string): HeaderCodec<DeltaWithParams> {
  return single(
    name,
    whole((scanner) => ({ seconds: scanner.number('seconds', MAX_32), params: readParams(scanner) })),
    (start, value) => {
      let pos = start;
      pos = putNumber(pos, value.seconds);
      pos = putParams(pos, value.params);
      return pos;
    },
    compact,
  );
}

export const retryAfterCodec = single<RetryAfter>(
  'Retry-After',
  whole((scanner) => {
    const seconds = scanner.number('seconds', MAX_32);
    scanner.skipSpace();
    let comment: string | undefined;
    if (scanner.peek() === 0x28) {
      const end = endOfComment(scanner);
      if (end < 0) scanner.fail('a closing bracket');
      comment = scanner.text.slice(scanner.pos + 1, end - 1);
      scanner.pos = end;
    }
    const params = readParams(scanner);
    return comment === undefined ? { seconds, params } : { seconds, comment, params };
  }),
  (start, value) => {
    let pos = start;
    pos = putNumber(pos, value.seconds);
    if (value.comment !== undefined) pos = putText(pos, ` (${value.comment})`);
    pos = putParams(pos, value.params);
    return pos;
  },
);

export const timestampCodec = single<Timestamp>(
  'Timestamp',
  whole((scanner) => {
    const value = scanner.token('a time');
    scanner.skipSpace();
    return scanner.atEnd ? { value } : { value, delay: scanner.token('a delay') };
  }),
  (pos, value) => putText(pos, value.delay === undefined ? value.value : `${value.value} ${value.delay}`),
);
