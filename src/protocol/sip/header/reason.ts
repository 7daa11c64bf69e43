import { type Params, putParams, readParams } from '../params.js';
import { putText } from '../put.js';
import { commaList, list } from './codec.js';

/** One Reason (RFC 3326 §2). */
export interface Reason {
  /** 'SIP', 'Q.850' or another. */
  readonly protocol: string;
  /** `cause` and `text` among them. */
  readonly params: Params;
}

export const reasonCodec = list<Reason>(
  'Reason',
  commaList((scanner) => ({ protocol: scanner.token('a protocol'), params: readParams(scanner) })),
  (start, value) => {
    let pos = start;
    pos = putText(pos, value.protocol);
    pos = putParams(pos, value.params);
    return pos;
  },
);
