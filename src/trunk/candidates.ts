import type { TenantId } from '../base/tenant.js';
import type { TrunkCallConfig } from './call-options.js';
import { lineTarget, trunkTarget } from './call-target.js';
import type { ExternalLine } from './external-line.js';
import type { LineConfig } from './line-options.js';
import type { PeerTable } from './peer-table.js';
import type { Candidate, Selected, SelectionCandidates, SkipReason } from './selection.js';
import type { SipTrunk } from './sip-trunk.js';
import type { TrunkPeerConfig } from './trunk-options.js';
import type { Usages } from './usage.js';

/** Who may be chosen, and for which number. */
export interface CandidateOptions {
  /** The number for the Request-URI, as the carrier wants it. */
  readonly number: string;
  /** The last change of the number for lines and trunks of that outgoing group. Default: none. */
  readonly refine?: (group: string) => string;
  /** Names of lines and trunks. Default: those of `group`, else all lines. */
  readonly names?: readonly string[];
  readonly group?: string;
}

export interface CandidatesOptions {
  readonly lines: PeerTable<LineConfig, ExternalLine>;
  readonly trunks: PeerTable<TrunkPeerConfig, SipTrunk>;
  readonly usages: Usages;
  readonly isOpen: (tenantId: TenantId, timeCondition: string) => boolean;
}

/** Lines and trunks as they stand now, as the selection wants to see them. */
export class Candidates {
  readonly #options: CandidatesOptions;

  constructor(options: CandidatesOptions) {
    this.#options = options;
  }

  /** In the order of `names`, else of the configuration, lines first. */
  of(tenantId: TenantId, options: CandidateOptions): SelectionCandidates {
    const { names, group } = options;
    const { lines, trunks } = this.#options;
    if (names !== undefined) {
      return names.map((name) => {
        const line = lines.get(tenantId, name);
        if (line !== undefined) return this.#line(tenantId, line.peer, line.config, options);
        const trunk = trunks.get(tenantId, name);
        return trunk === undefined ? { name } : this.#trunk(tenantId, trunk.peer, trunk.config, options);
      });
    }
    const found: Candidate[] = [];
    for (const { peer, config } of lines.entries(tenantId))
      if (group === undefined || config.calls.group === group) found.push(this.#line(tenantId, peer, config, options));
    if (group === undefined) return found;
    for (const { peer, config } of trunks.entries(tenantId))
      if (config.calls.group === group) found.push(this.#trunk(tenantId, peer, config, options));
    return found;
  }

  #line(tenantId: TenantId, line: ExternalLine, config: LineConfig, options: CandidateOptions): Candidate {
    const { kind } = line.state;
    const { name, calls } = config;
    const down = kind === 'registered' ? undefined : kind === 'suspended' ? 'suspended' : 'down';
    const called = numberFor(calls, options);
    return this.#candidate(tenantId, name, calls, down, (lease) => ({
      kind: 'line',
      name,
      called,
      target: lineTarget(line, config, called, lease),
      ...chosenCalls(calls),
    }));
  }

  #trunk(tenantId: TenantId, trunk: SipTrunk, config: TrunkPeerConfig, options: CandidateOptions): Candidate {
    const { name, calls } = config;
    const down = trunk.state === 'down' ? 'down' : undefined;
    const called = numberFor(calls, options);
    return this.#candidate(tenantId, name, calls, down, (lease) => ({
      kind: 'trunk',
      name,
      called,
      target: trunkTarget(trunk, config, called, lease),
      ...chosenCalls(calls),
    }));
  }

  #candidate(
    tenantId: TenantId,
    name: string,
    calls: TrunkCallConfig,
    down: SkipReason | undefined,
    select: Candidate['select'],
  ): Candidate {
    const { usages, isOpen } = this.#options;
    const { timeCondition } = calls;
    const isClosed = timeCondition !== undefined && !isOpen(tenantId, timeCondition);
    const blocked: SkipReason | undefined = down ?? (isClosed ? 'out-of-hours' : undefined);
    return { name, calls, usage: usages.of(tenantId, name), blocked, select };
  }
}

function numberFor({ group }: TrunkCallConfig, { number, refine }: CandidateOptions): string {
  return group === undefined || refine === undefined ? number : refine(group);
}

function chosenCalls({ group, noAnswerSeconds }: TrunkCallConfig): Pick<Selected, 'group' | 'noAnswerSeconds'> {
  return {
    ...(group === undefined ? {} : { group }),
    ...(noAnswerSeconds === undefined ? {} : { noAnswerSeconds }),
  };
}
