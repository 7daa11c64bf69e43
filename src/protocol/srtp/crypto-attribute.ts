import { UsageError } from '../../base/errors.js';
import { toHex } from '../../base/random.js';
import { MOST_RTP_PACKETS, type SrtpSuite, type SrtpSuiteName, srtpSuite } from './suite.js';

/** A master key with what belongs to it: what one side protects its packets with. Keep it as secret as the media. */
export interface SrtpMasterKey {
  /** As long as the suite says (`SrtpSuite.keyBytes`, `saltBytes`). */
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  /** The most RTP packets, and the most RTCP packets, that it may protect; absent: what the suite allows. */
  readonly lifetime?: number;
  /** The master key identifier as it stands in each packet; absent: packets have none. */
  readonly mki?: Uint8Array;
}

/** An `a=crypto` line that can be accepted (RFC 4568 §4, §6). */
export interface CryptoAttribute {
  /** 0 to 999999999; the answer repeats it. */
  readonly tag: number;
  readonly suite: SrtpSuiteName;
  readonly masterKey: SrtpMasterKey;
}

/**
 * Why an `a=crypto` line is not accepted. `grammar`: it breaks RFC 4568 §9; `suite`, `key-method`: unknown; `key`: its length is not that of the
 * suite; `several-keys`: more than one master key, which nobody offers; `lifetime`, `mki`: against §6.1; `session-parameter`: one that we do
 * not do, so the line has to be taken for invalid (§6.3.7).
 */
export type CryptoProblem =
  | 'grammar'
  | 'suite'
  | 'key-method'
  | 'key'
  | 'several-keys'
  | 'lifetime'
  | 'mki'
  | 'session-parameter';

/** What became of reading a line: the tag is told where it could be read. */
export type CryptoReading =
  | { readonly kind: 'accepted'; readonly attribute: CryptoAttribute }
  | { readonly kind: 'refused'; readonly why: CryptoProblem };

const LONGEST_LINE = 2048;
const LONGEST_MKI = 128;
const INLINE = 'inline:';

/** Reads the value of an `a=crypto` line, without `crypto:`. A stream is answered by its first line that is accepted (RFC 4568 §5.1.2). */
export function readCryptoAttribute(value: string): CryptoReading {
  const [tag, suiteName, keys, ...parameters] = value.length > LONGEST_LINE ? [] : value.split(/[ \t]/).filter(Boolean);
  if (tag === undefined || suiteName === undefined || keys === undefined || !isDecimal(tag, 9)) return refused('grammar');
  const suite = srtpSuite(suiteName);
  if (suite === undefined) return refused('suite');
  if (!keys.startsWith(INLINE)) return refused(keys.includes(':') ? 'key-method' : 'grammar');
  if (keys.includes(';')) return refused('several-keys');
  if (!parameters.every(isHarmless)) return refused('session-parameter');
  const masterKey = readKey(keys.slice(INLINE.length), suite);
  if (typeof masterKey === 'string') return refused(masterKey);
  return { kind: 'accepted', attribute: { tag: Number(tag), suite: suite.name, masterKey } };
}

/**
 * The value of an `a=crypto` line.
 * @throws UsageError (PBX_INVALID_ARGUMENT) for a key, salt, tag, lifetime or MKI that cannot stand there
 */
export function formatCryptoAttribute({ tag, suite, masterKey }: CryptoAttribute): string {
  const { key, salt, lifetime, mki } = masterKey;
  const { keyBytes, saltBytes } = srtpSuite(suite);
  if (key.length !== keyBytes || salt.length !== saltBytes) {
    throw invalid(`a key of ${key.length} and a salt of ${salt.length} bytes, expected ${keyBytes} and ${saltBytes}`);
  }
  if (!isWhole(tag, 999_999_999)) throw invalid(`tag ${tag}, expected 0 to 999999999`);
  let text = `${tag} ${suite} ${INLINE}${Buffer.concat([key, salt]).toString('base64')}`;
  if (lifetime !== undefined) {
    if (!isWhole(lifetime, MOST_RTP_PACKETS) || lifetime === 0) throw invalid(`lifetime ${lifetime}, expected 1 to 2^48`);
    const power = Math.log2(lifetime);
    text += `|${Number.isInteger(power) ? `2^${power}` : lifetime}`;
  }
  if (mki !== undefined) {
    const value = mki.length === 0 ? 0n : BigInt(`0x${toHex(mki)}`);
    if (value === 0n || mki.length > LONGEST_MKI) {
      throw invalid(`an MKI of ${mki.length} bytes and value ${value}, expected 1 to ${LONGEST_MKI} bytes and no 0`);
    }
    text += `|${value}:${mki.length}`;
  }
  return text;
}

/** `key||salt ["|" lifetime] ["|" MKI ":" length]`; what is wrong with it, if something is. */
function readKey(text: string, suite: SrtpSuite): SrtpMasterKey | CryptoProblem {
  const [keyText, ...fields] = text.split('|');
  const bytes = keyText === undefined ? undefined : fromBase64(keyText);
  if (bytes === undefined) return 'grammar';
  if (bytes.length !== suite.keyBytes + suite.saltBytes) return 'key';
  // Only the MKI has a colon; both fields may be left out.
  const mkiText = fields.at(-1)?.includes(':') === true ? fields.pop() : undefined;
  const lifetimeText = fields.shift();
  if (fields.length > 0) return 'grammar';
  const lifetime = lifetimeText === undefined ? undefined : readLifetime(lifetimeText);
  if (lifetimeText !== undefined && lifetime === undefined) return 'lifetime';
  const mki = mkiText === undefined ? undefined : readMki(mkiText);
  if (mkiText !== undefined && mki === undefined) return 'mki';
  return {
    key: bytes.subarray(0, suite.keyBytes),
    salt: bytes.subarray(suite.keyBytes),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(mki === undefined ? {} : { mki }),
  };
}

/** The bytes; undefined for what is not base64. Padding may be missing (RFC 4568 §6.1). */
function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]{1,256}={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** In packets; undefined for a number that is 0, too large, or begins with a zero. */
function readLifetime(text: string): number | undefined {
  const power = text.startsWith('2^');
  const digits = power ? text.slice(2) : text;
  if (!isDecimal(digits, 15) || (digits.startsWith('0') && (!power || digits !== '0'))) return undefined;
  const lifetime = power ? 2 ** Number(digits) : Number(digits);
  return lifetime > MOST_RTP_PACKETS ? undefined : lifetime;
}

/** The identifier as it stands in packets; undefined where the number does not fit its length. */
function readMki(text: string): Uint8Array | undefined {
  const [value, lengthText, ...more] = text.split(':');
  if (value === undefined || lengthText === undefined || more.length > 0) return undefined;
  if (!isDecimal(value, 309) || !isDecimal(lengthText, 3) || value.startsWith('0') || lengthText.startsWith('0')) return undefined;
  const length = Number(lengthText);
  const hex = BigInt(value).toString(16);
  if (length > LONGEST_MKI || hex.length > 2 * length) return undefined;
  return new Uint8Array(Buffer.from(hex.padStart(2 * length, '0'), 'hex'));
}

/** A hint of how large a window the sender would like (§6.3.6), and what is marked as optional (§6.3.7). */
function isHarmless(parameter: string): boolean {
  return parameter.startsWith('-') || (parameter.startsWith('WSH=') && isDecimal(parameter.slice(4), 9));
}

function isDecimal(text: string, most: number): boolean {
  if (text.length < 1 || text.length > most) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function isWhole(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

function refused(why: CryptoProblem): CryptoReading {
  return { kind: 'refused', why };
}

function invalid(problem: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', `a=crypto: found ${problem}`);
}
