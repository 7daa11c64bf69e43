import type { SocketAddress } from '../base/ip.js';
import type { DigestAlgorithm } from '../protocol/digest/algorithm.js';
import type { DigestSecret } from '../protocol/digest/compute.js';

/** Who challenges: enough of a transport source to decide whether to answer. */
export interface ChallengingPeer {
  readonly protocol: string;
  readonly remote: SocketAddress;
  /** True over TLS. */
  readonly secure: boolean;
}

/** What a challenge asks for. */
export interface SecretRequest {
  readonly realm: string;
  /** The base algorithm; a `-sess` variant needs the same secret. */
  readonly algorithm: DigestAlgorithm;
}

/** A password as such: works in any realm and with any algorithm. */
export interface PasswordSecret {
  readonly username: string;
  readonly password: string;
}

/**
 * The credentials of one line or phone. It belongs to the target that a request is sent to, never to a realm alone: whoever
 * merely names the realm of a trunk in a challenge must get nothing (checked by `peer` where the source wants to).
 */
export interface CredentialSource {
  /** Undefined: not to be answered with this algorithm. HA1 values of another realm are of no use and are passed over. */
  secretFor(request: SecretRequest, peer: ChallengingPeer): DigestSecret | PasswordSecret | undefined;
}
