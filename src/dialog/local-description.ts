import type { Random } from '../base/random.js';

/** A leg's `o=` line and what was said under it, as plain data. */
export interface LocalDescriptionSnapshot {
  readonly sessionId: string;
  readonly version: number;
  /** The text that was sent last. */
  readonly sent?: string;
}

/** Where the `o=` line of a description stands: from `start` to `end`, its line end not counted. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Who speaks on a leg: gives every session description that leaves on it the leg's own `o=` line. The session id stays, the
 * version is one higher exactly when the rest of the text is not what was sent last (RFC 3264 §8, RFC 8866 §5.2), so that
 * the peer sees one maker of descriptions, whoever talks behind us. All other lines stay as they are, byte for byte. The
 * address in the line says nothing of the network behind: RFC 8829 §5.2.1 asks for that, and every browser sends this one.
 */
export class LocalDescription {
  readonly #sessionId: string;
  #version: number;
  #sent: string | undefined;

  private constructor(sessionId: string, version: number, sent: string | undefined) {
    this.#sessionId = sessionId;
    this.#version = version;
    this.#sent = sent;
  }

  /** A new leg. */
  static create(random: Random): LocalDescription {
    return new LocalDescription(String(Number.parseInt(random.token(48), 16)), 0, undefined);
  }

  static restore(snapshot: LocalDescriptionSnapshot): LocalDescription {
    return new LocalDescription(snapshot.sessionId, snapshot.version, snapshot.sent);
  }

  /** What was sent last, as it was sent. */
  get sent(): string | undefined {
    return this.#sent;
  }

  /** `sdp` as it leaves on this leg. What is no description (no `o=` line) stays as it is. */
  write(sdp: string): string {
    const place = originPlace(sdp);
    if (place === undefined) return sdp;
    if (this.#sent !== undefined && sameButOrigin(sdp, this.#sent)) return this.#sent;
    this.#version++;
    const origin = `o=- ${this.#sessionId} ${this.#version} IN IP4 127.0.0.1`;
    this.#sent = sdp.slice(0, place.start) + origin + sdp.slice(place.end);
    return this.#sent;
  }

  /** The same speaker in another dialog of the same INVITE: from here on both count for themselves. */
  fork(): LocalDescription {
    return new LocalDescription(this.#sessionId, this.#version, this.#sent);
  }

  snapshot(): LocalDescriptionSnapshot {
    const sent = this.#sent === undefined ? {} : { sent: this.#sent };
    return { sessionId: this.#sessionId, version: this.#version, ...sent };
  }
}

/** Whether two descriptions are the same text, their `o=` lines apart. */
export function sameButOrigin(a: string, b: string): boolean {
  if (a === b) return true;
  const inA = originPlace(a);
  const inB = originPlace(b);
  if (inA === undefined || inB === undefined) return false;
  return inA.start === inB.start && a.startsWith(b.slice(0, inB.start)) && a.slice(inA.end) === b.slice(inB.end);
}

function originPlace(sdp: string): Place | undefined {
  const start = sdp.startsWith('o=') ? 0 : sdp.indexOf('\no=') + 1;
  if (start === 0 && !sdp.startsWith('o=')) return undefined;
  const newline = sdp.indexOf('\n', start);
  if (newline < 0) return { start, end: sdp.length };
  return { start, end: sdp.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline };
}
