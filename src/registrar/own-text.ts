import type { Params } from '../protocol/sip/params.js';

/**
 * The same text, as one that is no part of a longer one: in V8 a piece of a message keeps the whole message in memory, and a binding
 * outlives its REGISTER by an hour.
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}

/** Parameters with texts of their own. */
export function ownParams(params: Params): Params {
  return params.map(({ name, value }) =>
    value === undefined ? { name: ownText(name) } : { name: ownText(name), value: ownText(value) },
  );
}

/** Texts of which there are few, each kept once. Beyond `capacity` it begins anew. */
export class SharedTexts {
  readonly #texts = new Map<string, string>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The same text, equal to an earlier one in identity too if that is remembered. */
  share(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= this.#capacity) this.#texts.clear();
    const own = ownText(text);
    this.#texts.set(own, own);
    return own;
  }
}
