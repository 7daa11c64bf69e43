import type { Clock } from '../base/clock.js';
import { HmacSha256 } from '../base/hmac.js';
import type { Random } from '../base/random.js';
import { sameSecret } from '../base/same-secret.js';
import type { TenantId } from '../base/tenant.js';
import type { DigestAlgorithm } from '../protocol/digest/algorithm.js';

/** What a nonce is good for: nowhere else does it verify. */
export interface NonceScope {
  readonly tenantId: TenantId;
  readonly realm: string;
  readonly algorithm: DigestAlgorithm;
}

/** `foreign`: not made with this secret for this scope. */
export type NonceState =
  | {
      readonly kind: 'fresh';
      readonly ageMs: number;
      /** The nonce, as a text that is no part of the message that it came in. */
      readonly nonce: string;
    }
  | { readonly kind: 'stale' | 'foreign' };

const TIME_BYTES = 6;
const RANDOM_BYTES = 8;
const MAC_BYTES = 16;
const HEAD_BYTES = TIME_BYTES + RANDOM_BYTES;
/** In base64url, without padding because the bytes are a multiple of three. */
const TEXT_LENGTH = ((HEAD_BYTES + MAC_BYTES) / 3) * 4;

/** How far another node's wall clock may be ahead of ours. */
const CLOCK_SKEW_MS = 5_000;

/**
 * Makes and checks nonces that need no memory (RFC 7616 §5.4): any node that shares the secret can check them, and they
 * outlive a restart.
 *
 * ```
 *  0        6           14                  30 bytes, base64url
 *  | time   | random    | HMAC-SHA-256/128  |
 *   ms, wall              over scope, time, random
 * ```
 *
 * The time is wall time, because it must mean the same on every node and after a restart. When the wall clock jumps, nonces
 * from before the jump may count as stale, which costs each phone one more round trip, and no user notices.
 */
export class NonceMint {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #hmac: HmacSha256;
  readonly #lifetimeMs: number;
  #lastScope: (NonceScope & { readonly text: string }) | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly secret: Uint8Array;
    readonly lifetimeMs: number;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#hmac = new HmacSha256(options.secret);
    this.#lifetimeMs = options.lifetimeMs;
  }

  issue(scope: NonceScope): string {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(Math.max(0, Math.floor(this.#clock.wallTime())), 0, TIME_BYTES);
    head.set(this.#random.bytes(RANDOM_BYTES), TIME_BYTES);
    return this.#seal(head, scope);
  }

  check(nonce: string, scope: NonceScope): NonceState {
    if (nonce.length !== TEXT_LENGTH) return { kind: 'foreign' };
    const head = Buffer.from(nonce, 'base64url').subarray(0, HEAD_BYTES);
    if (head.length !== HEAD_BYTES) return { kind: 'foreign' };
    // The whole text is compared, so that a nonce has one spelling only.
    const sealed = this.#seal(head, scope);
    if (!sameSecret(nonce, sealed)) return { kind: 'foreign' };
    const ageMs = this.#clock.wallTime() - head.readUIntBE(0, TIME_BYTES);
    if (ageMs > this.#lifetimeMs || ageMs < -CLOCK_SKEW_MS) return { kind: 'stale' };
    return { kind: 'fresh', ageMs: Math.max(0, ageMs), nonce: sealed };
  }

  #seal(head: Buffer, scope: NonceScope): string {
    const { tenantId, realm, algorithm } = scope;
    let last = this.#lastScope;
    // A server has one scope mostly, and makes or checks a nonce in it for each REGISTER.
    if (last === undefined || last.tenantId !== tenantId || last.realm !== realm || last.algorithm !== algorithm) {
      last = { tenantId, realm, algorithm, text: JSON.stringify(['nonce', tenantId, realm, algorithm]) };
      this.#lastScope = last;
    }
    const sealed = Buffer.allocUnsafe(HEAD_BYTES + MAC_BYTES);
    sealed.set(head);
    sealed.write(this.#hmac.hex(last.text, head), HEAD_BYTES, MAC_BYTES, 'hex');
    return sealed.toString('base64url');
  }
}
