import { answerBinding, readBindingRequest } from '../../../src/protocol/stun/binding.js';
import { type FuzzTarget, hold } from './target.js';

const COOKIE = '2112a442';
const ID = '000102030405060708090a0b';

/** Hexadecimal digits, with spaces where a reader wants them. */
function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const SEEDS = [
  hex(`0001 0000 ${COOKIE} ${ID}`),
  hex(`0001 0008 ${COOKIE} ${ID} 8022 0004 70627800`),
  hex(`0001 000c ${COOKIE} ${ID} 0024 0004 6e0001ff 8028 0000`),
  hex(`0001 0008 ${COOKIE} ${ID} 0003 0004 00000006`),
  hex(`0101 000c ${COOKIE} ${ID} 0020 0008 0001a147e112a643`),
  hex(`0011 0000 ${COOKIE} ${ID}`),
];

const WORDS = ['0001', '0101', '0000', 'ffff', COOKIE, '0006 0004', '0008 0014', '8028 0004', '7fff 0000'].map(hex);

const FROM = { address: '192.0.2.7', port: 40_000 };

/** STUN on the SIP port: a Binding request or nothing; the answer is short and says where the request came from (RFC 8489 §6, RFC 5626 §8). */
export const stunTarget: FuzzTarget = {
  name: 'stun',
  share: 30,
  material: { seeds: SEEDS, words: WORDS, lines: false },
  check(input) {
    const request = readBindingRequest(input);
    if (request === undefined) return;
    const answer = Buffer.from(answerBinding(request, FROM));
    hold(answer.length >= 20 && answer.length % 4 === 0, 'an answer is a STUN message');
    hold(answer.readUInt16BE(2) === answer.length - 20, 'its length is told');
    hold(
      answer.subarray(4, 20).equals(Buffer.from(input).subarray(4, 20)),
      'it has the cookie and the transaction of the request',
    );
    // A forged source address makes us send no more than this.
    hold(answer.length <= Math.max(64, 3 * input.length), `${answer.length} bytes in answer to ${input.length}`);
  },
};
