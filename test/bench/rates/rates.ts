import { cpuMs, isClean, measure, percentile, type Sample, type Work } from './measure.js';
import type { Peer } from './peers.js';
import { type Report, show, spread } from './report.js';
import { highestRate } from './search.js';
import type { LoopDelay } from './server-options.js';
import { SippServer } from './sipp.js';

/** What is measured, of whom, and for how long each time. */
export interface Plan {
  readonly peers: readonly Peer[];
  readonly work: Work;
  readonly seconds: number;
  readonly repeats: number;
}

/** Lets each peer work before it is measured: code that has run a few thousand times only is slower than it will be. */
export async function warmUp(plan: Plan, report: Report): Promise<void> {
  for (const peer of plan.peers) {
    // Slowly first: code that has not been compiled yet would fall behind, and answer late for half a minute.
    await measure({ peer, work: plan.work, rate: 50, seconds: 6 });
    const sample = await measure({ peer, work: plan.work, rate: 300, seconds: 10 });
    report.note(`warm: ${line(sample)}`);
    if (sample.ok === 0) throw new Error(`${peer.name}: nothing succeeds; is the set-up right?`);
  }
}

/** CPU for each success at fixed rates: the peers in turn, A B C A B C, so that noise of the machine hits them alike. */
export async function atFixedRates(plan: Plan, rates: readonly number[], report: Report): Promise<void> {
  for (const rate of rates) {
    const samples = new Map<Peer, Sample[]>(plan.peers.map((peer) => [peer, []]));
    for (let i = 0; i < plan.repeats; i++) {
      for (const peer of plan.peers) {
        const sample = await measure({ peer, work: plan.work, rate, seconds: plan.seconds });
        report.note(line(sample));
        samples.get(peer)?.push(sample);
      }
    }
    const own = samples.get(plan.peers[0] as Peer) ?? [];
    for (const [peer, found] of samples) {
      const cpu = spread(found.map(cpuMs));
      const ratio = spread(own.map((sample, i) => cpuMs(sample) / cpuMs(found[i] as Sample)));
      const failed = found.reduce((sum, sample) => sum + sample.failed, 0);
      const text = `${show(cpu)} ms${peer === plan.peers[0] ? '' : `; pbxkit/it ${show(ratio, 2)}`}`;
      const value = { cpuMs: cpu, ...(peer === plan.peers[0] ? {} : { ratio }), failed, samples: found.map(plain) };
      report.add(
        `${plan.work.kind}, ${rate}/s: CPU of ${peer.name}${failed > 0 ? ` (${failed} failed)` : ''}`,
        text,
        value,
      );
    }
  }
}

/** The highest clean rate of each peer. Returns that of the first. */
export async function highestRates(plan: Plan, from: number, report: Report): Promise<number> {
  const found: number[] = [];
  for (const peer of plan.peers) {
    const run = { peer, work: plan.work, rate: from, seconds: plan.seconds };
    const { clean, unclean } = await highestRate(run, (sample) =>
      report.note(`${isClean(sample, run) ? 'clean' : 'unclean'}: ${line(sample)}`),
    );
    const rate = clean?.rate ?? 0;
    found.push(rate);
    const text = `${rate}/s (unclean ${unclean?.rate ?? '-'}/s); ${clean === undefined ? '-' : cpuMs(clean).toFixed(3)} ms`;
    report.add(`${plan.work.kind}: highest clean rate of ${peer.name}`, text, {
      clean: clean === undefined ? undefined : plain(clean),
      unclean: unclean === undefined ? undefined : plain(unclean),
    });
  }
  return found[0] ?? 0;
}

/**
 * INVITE to 200 with a callee that answers at once, at one rate; and the same without anybody between the two ends, which is what sipp
 * itself takes.
 */
export async function setUpTimes(plan: Plan, rate: number, report: Report): Promise<void> {
  const callee = new SippServer('answer-at-once');
  try {
    for (const peer of plan.peers) {
      // Not counted: the callee may not listen yet, and the first call of all would wait for a retransmission.
      await measure({ peer, work: plan.work, rate, seconds: 2 });
      const sample = await measure({ peer, work: plan.work, rate, seconds: plan.seconds, times: true });
      const [p50, p99] = [percentile(sample.times, 0.5), percentile(sample.times, 0.99)];
      report.note(line(sample));
      const text = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
      report.add(`set-up at ${rate}/s through ${peer.name}`, text, { rate, p50, p99 });
    }
  } finally {
    await callee.stop();
  }
}

/** How late the event loop of the first peer is at one rate. */
export async function loopDelay(plan: Plan, rate: number, report: Report): Promise<void> {
  const peer = plan.peers[0] as Peer;
  await peer.program.ask('delay-start');
  const sample = await measure({ peer, work: plan.work, rate, seconds: plan.seconds });
  const delay = await peer.program.ask<LoopDelay>('delay-stop');
  report.note(line(sample));
  const text = `p50 ${delay.p50} ms, p99 ${delay.p99} ms, max ${delay.max} ms`;
  report.add(`event loop of ${peer.name} at ${rate}/s, late by`, text, { rate, ...delay }, 'p99 < 20 ms');
}

/** One run in a line. */
export function line(sample: Sample): string {
  const { peer, rate, ok, failed, retransmissions, core, foreign } = sample;
  const cpu = `${cpuMs(sample).toFixed(3)} ms (user ${sample.userMs.toFixed(3)})`;
  return `${peer} ${rate}/s: ok ${ok}, failed ${failed}, again ${retransmissions}, ${cpu}, core ${core.toFixed(2)}, others ${foreign.toFixed(2)}`;
}

/** Without the list of times. */
function plain({ times: _times, ...rest }: Sample): Omit<Sample, 'times'> {
  return rest;
}
