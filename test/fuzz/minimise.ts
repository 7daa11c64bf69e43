/** At most so many tries: a large input that fails slowly must not take all day. */
const TRIES = 3_000;

/** The shortest list found, by leaving out ever smaller stretches, for which `fails` still holds. */
export async function minimiseList<T>(
  list: readonly T[],
  fails: (candidate: readonly T[]) => boolean | Promise<boolean>,
  mostTries = TRIES,
): Promise<readonly T[]> {
  let best = list;
  let tries = 0;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && tries < mostTries; tries++) {
      const candidate = [...best.slice(0, at), ...best.slice(at + size)];
      if (await fails(candidate)) best = candidate;
      else at += size;
    }
  }
  return best;
}

/** As `minimiseList`, for bytes. */
export async function minimise(input: Uint8Array, fails: (candidate: Uint8Array) => boolean): Promise<Uint8Array> {
  return Uint8Array.from(await minimiseList([...input], (candidate) => fails(Uint8Array.from(candidate))));
}
