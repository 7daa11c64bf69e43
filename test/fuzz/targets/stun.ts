import { ipVersion } from '../../../src/base/ip.js';
import { answerBinding, bindingRequest, readBindingRequest } from '../../../src/protocol/stun/binding.js';
import { StunClientTransaction, type StunOutcome } from '../../../src/protocol/stun/client-transaction.js';
import { checkFingerprint } from '../../../src/protocol/stun/fingerprint.js';
import { checkIntegrity } from '../../../src/protocol/stun/integrity.js';
import { readStunMessage, type StunMessage } from '../../../src/protocol/stun/message.js';
import {
  errorOf,
  mappedAddressOf,
  softwareOf,
  unknownAttributesOf,
} from '../../../src/protocol/stun/read-attributes.js';
import { rfc5769 } from '../../protocol/stun/support.js';
import { hex } from '../input/media-seeds.js';
import { type FuzzTarget, hold, isOneLine } from './target.js';

const COOKIE = '2112a442';
const ID = '000102030405060708090a0b';

const SEEDS = [
  hex(`0001 0000 ${COOKIE} ${ID}`),
  hex(`0001 0008 ${COOKIE} ${ID} 8022 0004 70627800`),
  hex(`0001 000c ${COOKIE} ${ID} 0024 0004 6e0001ff 8028 0000`),
  hex(`0001 0008 ${COOKIE} ${ID} 0003 0004 00000006`),
  hex(`0001 0008 f00df00d ${ID} 0003 0004 00000000`),
  hex(`0101 000c ${COOKIE} ${ID} 0020 0008 0001a147e112a643`),
  hex(`0101 0018 ${COOKIE} ${ID} 0020 0014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9`),
  hex(`0101 000c ${COOKIE} ${ID} 0001 0008 00018055c0000201`),
  hex(`0111 0018 ${COOKIE} ${ID} 0009 000b 00000414 556e6b6e6f776e00 000a 0002 00030000`),
  hex(`0011 0000 ${COOKIE} ${ID}`),
  ...(rfc5769() ?? []).map((sample) => hex(sample.hex)),
];

const WORDS = [
  '0001',
  '0101',
  '0111',
  '0000',
  'ffff',
  COOKIE,
  '0006 0004',
  '0008 0014',
  '001c 0020',
  '8028 0004',
  '7fff 0000',
  '0001 0008',
].map(hex);

const FROM = { address: '192.0.2.7', port: 40_000 };
const SERVER = { address: '198.51.100.1', port: 3478 };

/**
 * STUN on every port: a Binding request is answered shortly with where it came from, all else by nothing (RFC 8489 §6, RFC 5626 §8); a client
 * takes an answer under its own number and from its server, once.
 */
export const stunTarget: FuzzTarget = {
  name: 'stun',
  share: 40,
  material: { seeds: SEEDS, words: WORDS, lines: false, binary: true },
  check(input) {
    checkOnSharedPort(input);
    const message = readStunMessage(input);
    if (message === undefined) return;
    checkViews(message);
    checkServer(message);
    checkClient(message);
  },
};

function checkOnSharedPort(input: Uint8Array): void {
  const request = readBindingRequest(input);
  if (request === undefined) return;
  checkAnswer(input, answerBinding(request, FROM));
}

/** Clients of RFC 3489 as well. */
function checkServer(message: StunMessage): void {
  const request = bindingRequest(message);
  if (request === undefined) return;
  hold(message.class === 'request' && message.method === 1, 'only a Binding request is answered');
  checkAnswer(message.bytes, answerBinding(request, FROM));
}

function checkAnswer(input: Uint8Array, bytes: Uint8Array): void {
  const answer = Buffer.from(bytes);
  hold(answer.length >= 20 && answer.length % 4 === 0, 'an answer is a STUN message');
  hold(answer.readUInt16BE(2) === answer.length - 20, 'its length is told');
  hold(answer.subarray(4, 20).equals(Buffer.from(input).subarray(4, 20)), 'it has the transaction of the request');
  // A forged source address makes us send no more than this.
  hold(answer.length <= Math.max(64, 3 * input.length), `${answer.length} bytes in answer to ${input.length}`);
  const read = readStunMessage(answer);
  hold(read !== undefined && (read.class === 'success' || read.class === 'error'), 'and can be read');
}

function checkViews(message: StunMessage): void {
  const mapped = mappedAddressOf(message);
  hold(mapped === undefined || (ipVersion(mapped.address) !== 0 && mapped.port > 0), 'an address that can be');
  const error = errorOf(message);
  hold(error === undefined || (error.code >= 300 && error.code <= 699), 'a code that can be');
  for (const text of [error?.reason ?? '', softwareOf(message) ?? '']) {
    hold(isOneLine(text) && text.length <= 127, 'a text that may go into a log');
  }
  unknownAttributesOf(message);
  checkFingerprint(message);
  for (const by of ['sha1', 'sha256'] as const) {
    hold(checkIntegrity(message, 'a key that nobody has', by) !== 'good', 'without the key no integrity is good');
  }
}

function checkClient(message: StunMessage): void {
  const transactionId = message.transactionId.slice(-12);
  const transaction = new StunClientTransaction({ server: SERVER, transactionId });
  transaction.start(0);
  hold(transaction.onDatagram(message.bytes, FROM) === undefined, 'an answer from elsewhere is none');
  const effects = transaction.onDatagram(message.bytes, SERVER);
  hold((effects !== undefined) === transaction.terminated, 'what is taken ends the transaction');
  if (effects === undefined) {
    hold(transaction.onTimer(500).length === 1, 'what is not taken leaves it as it was');
    return;
  }
  hold(message.class === 'success' || message.class === 'error', 'only an answer is taken');
  const outcomes = effects.flatMap((effect): StunOutcome[] => (effect.type === 'done' ? [effect.outcome] : []));
  hold(outcomes.length === 1 && transaction.nextDeadline === undefined, 'it ends once');
  hold(transaction.onDatagram(message.bytes, SERVER) === undefined, 'and takes nothing more');
}
