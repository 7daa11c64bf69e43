import { isClean, measure, type Run, type Sample } from './measure.js';

/** The end of a search: the highest rate that was clean and the lowest that was not. */
export interface Highest {
  readonly clean: Sample | undefined;
  readonly unclean: Sample | undefined;
}

/** Runs of one search at most. */
const MOST_RUNS = 14;
/** The search ends when clean and unclean are this close. */
const CLOSE = 1.08;

/**
 * Looks for the highest clean rate: half as much more until a rate is not clean, then by halves. A rate counts as unclean
 * when it fails twice: somebody else's burst of work is no fault of the peer.
 */
export async function highestRate(run: Run, onSample: (sample: Sample) => void): Promise<Highest> {
  let clean: Sample | undefined;
  let unclean: Sample | undefined;
  let { rate } = run;
  for (let i = 0; i < MOST_RUNS; i++) {
    const sample = await twice({ ...run, rate }, onSample);
    if (isClean(sample, run)) clean = sample;
    else unclean = sample;
    if (unclean === undefined) rate = Math.round(rate * 1.5);
    else if (clean === undefined) rate = Math.round(rate / 2);
    else if (unclean.rate / clean.rate <= CLOSE) break;
    else rate = Math.round((clean.rate + unclean.rate) / 2);
  }
  return { clean, unclean };
}

async function twice(run: Run, onSample: (sample: Sample) => void): Promise<Sample> {
  const first = await measure(run);
  onSample(first);
  if (isClean(first, run)) return first;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const second = await measure(run);
  onSample(second);
  return second;
}
