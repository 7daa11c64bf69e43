import type { ContractCase } from './contract-case.js';
import type { MediaBench } from './media-bench.js';
import { DESCRIPTION_CASES } from './media-description-cases.js';
import { IPV6_CASES, PACKET_CASES } from './media-packet-cases.js';

export interface MediaEngineContractOptions {
  /** Whether parties of the bench can have IPv6 addresses. Default true. */
  readonly ipv6?: boolean;
}

/**
 * What every media engine that relays must do: to descriptions, to packets, to strangers, to counters, and what it tells of
 * its own accord. `make` gives a fresh engine and parties around it; the suite closes it. Uses node:assert only.
 */
export function mediaEngineContract(
  make: () => MediaBench | Promise<MediaBench>,
  options: MediaEngineContractOptions = {},
): readonly ContractCase[] {
  const cases = [...DESCRIPTION_CASES, ...PACKET_CASES, ...(options.ipv6 === false ? [] : IPV6_CASES)];
  return cases.map(([name, test]) => ({
    name,
    run: async () => {
      const bench = await make();
      try {
        await test(bench);
      } finally {
        await bench.close();
      }
    },
  }));
}
