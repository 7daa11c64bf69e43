/** One way to do the job of a benchmark. */
export interface Contestant {
  readonly name: string;
  /** One operation. What it returns is kept alive, so that the work cannot be optimised away. */
  run(): unknown;
}

/** Contestants that do the same job; the first is pbxkit, the others are its peers. */
export interface Benchmark {
  readonly name: string;
  readonly contestants: readonly [Contestant, ...Contestant[]];
  /** How many times faster than each peer pbxkit has to be; absent: only shown. */
  readonly minimumRatio?: number;
}

/** How long to measure. */
export interface Effort {
  /** Alternating rounds, default 15. */
  readonly rounds?: number;
  /** CPU time of one contestant in one round, milliseconds; default 40. */
  readonly roundMs?: number;
}

/** The figures of one contestant: CPU nanoseconds per operation. */
export interface Figure {
  readonly name: string;
  readonly medianNs: number;
  readonly minNs: number;
  readonly maxNs: number;
}

/** The result of one benchmark. */
export interface Outcome {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** For each peer: its time over ours, taken in each round (both ran one after the other), then the median. */
  readonly ratios: readonly {
    readonly peer: string;
    readonly median: number;
    readonly min: number;
    readonly max: number;
  }[];
  readonly minimumRatio?: number;
  /** False when a ratio is below `minimumRatio`. */
  readonly passed: boolean;
}

/** Takes the value of each operation, so that the work cannot be optimised away. */
const sink: { value: unknown } = { value: undefined };

/** CPU time of `count` operations, nanoseconds. */
function measure(contestant: Contestant, count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) sink.value = contestant.run();
  const used = process.cpuUsage(before);
  return (used.user + used.system) * 1_000;
}

/** How many operations take about `ms` of CPU; also warms the contestant up. */
function calibrate(contestant: Contestant, ms: number): number {
  let count = 64;
  for (;;) {
    const ns = measure(contestant, count);
    if (ns >= ms * 500_000) return Math.max(1, Math.round((count * ms * 1e6) / ns));
    count *= 2;
  }
}

/**
 * Runs every contestant for a while. Done for all benchmarks before the first is measured, because a function that has served one
 * caller only is faster than it will be in a program.
 */
export function warmUp(benchmarks: readonly Benchmark[], effort: Effort = {}): void {
  for (const { contestants } of benchmarks) {
    for (const contestant of contestants) calibrate(contestant, 2 * (effort.roundMs ?? 40));
  }
}

/** Runs one benchmark: all contestants take turns in each round, so that noise of the machine hits them alike. */
export function runBenchmark(benchmark: Benchmark, effort: Effort = {}): Outcome {
  const rounds = effort.rounds ?? 15;
  const roundMs = effort.roundMs ?? 40;
  const { contestants } = benchmark;
  warmUp([benchmark], effort);
  const counts = contestants.map((contestant) => calibrate(contestant, roundMs));
  const times: number[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    contestants.forEach((contestant, i) => {
      const count = counts[i] as number;
      times[i]?.push(measure(contestant, count) / count);
    });
  }
  const own = times[0] as number[];
  const ratios = contestants.slice(1).map((peer, i) => {
    const perRound = (times[i + 1] as number[]).map((ns, round) => ns / (own[round] as number));
    return { peer: peer.name, median: median(perRound), min: Math.min(...perRound), max: Math.max(...perRound) };
  });
  const { minimumRatio } = benchmark;
  return {
    name: benchmark.name,
    figures: contestants.map((contestant, i) => figure(contestant.name, times[i] as number[])),
    ratios,
    ...(minimumRatio === undefined ? {} : { minimumRatio }),
    passed: minimumRatio === undefined || ratios.every((ratio) => ratio.median >= minimumRatio),
  };
}

function figure(name: string, ns: readonly number[]): Figure {
  return { name, medianNs: median(ns), minNs: Math.min(...ns), maxNs: Math.max(...ns) };
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}
