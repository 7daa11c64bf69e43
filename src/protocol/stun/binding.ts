import type { SocketAddress } from '../../base/ip.js';
import { Attribute, notUnderstood } from './attribute-types.js';
import { checkFingerprint, withFingerprint } from './fingerprint.js';
import { attributeOf, BINDING, isLegacy, readStunMessage, type StunMessage } from './message.js';
import { writeBinding } from './write.js';

/** A STUN Binding request (RFC 8489 §5), as far as the answer depends on it. */
export interface BindingRequest {
  /** 12 bytes; 16 of a client of RFC 3489. */
  readonly transactionId: Uint8Array;
  /** Attributes that must be understood and are not (RFC 8489 §6.3.1), each once. */
  readonly unknown: readonly number[];
  /** Whether it is asked for an answer from another address or port (RFC 3489 §11.2.4), by a client of that RFC. */
  readonly wantsChange: boolean;
  /** Whether it had a FINGERPRINT: then the answer has one. */
  readonly fingerprint: boolean;
}

/** CHANGE-REQUEST: "change IP" and "change port". */
const CHANGE_FLAGS = 0x06;

/**
 * Reads a Binding request from a datagram. Undefined for everything else: indications, responses, other methods, lengths
 * that do not fit, a wrong FINGERPRINT, and RFC 3489 without the cookie: where STUN shares a port with another protocol, the
 * cookie tells it (RFC 5389 §12.2).
 */
export function readBindingRequest(data: Uint8Array): BindingRequest | undefined {
  const message = readStunMessage(data);
  return message === undefined || isLegacy(message) ? undefined : bindingRequest(message);
}

/** What the message asks for, of clients of RFC 3489 too; undefined if it is no Binding request, or its FINGERPRINT is wrong. */
export function bindingRequest(message: StunMessage): BindingRequest | undefined {
  if (message.class !== 'request' || message.method !== BINDING) return undefined;
  const fingerprint = checkFingerprint(message);
  if (fingerprint === 'bad') return undefined;
  const legacy = isLegacy(message);
  const types = message.attributes.map(({ type }) => type);
  const change = attributeOf(message, Attribute.changeRequest)?.value;
  return {
    transactionId: message.transactionId.slice(),
    unknown: notUnderstood(types, legacy ? 'legacy server' : 'server'),
    wantsChange: legacy && ((change?.[3] ?? 0) & CHANGE_FLAGS) !== 0,
    fingerprint: fingerprint === 'good',
  };
}

/**
 * The answer to a Binding request that came from `from`: XOR-MAPPED-ADDRESS (MAPPED-ADDRESS for RFC 3489) and nothing else
 * (RFC 5626 §8 asks for no more, and an answer to a forged address should be small), or 420 with the attributes that are not
 * understood (RFC 8489 §6.3.1). Without MESSAGE-INTEGRITY: there is no secret.
 * @throws TypeError for an address that is none
 */
export function answerBinding(request: BindingRequest, from: SocketAddress, software?: string): Uint8Array {
  const { transactionId, unknown, fingerprint } = request;
  const says = software === undefined ? {} : { software };
  const answer = writeBinding(
    unknown.length > 0
      ? // Short: without a phrase the package writes a longer one of its own.
        { class: 'error', transactionId, error: { code: 420, reason: 'Unknown' }, unknown, ...says }
      : { class: 'success', transactionId, mapped: from, ...says },
  );
  return fingerprint ? withFingerprint(answer) : answer;
}
