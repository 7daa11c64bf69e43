import type { EpochMillis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import { accept } from '../base/schema-problems.js';
import { Analysis } from './analysis.js';
import { checkPlan, type KnownNames, type PlanProblem } from './check.js';
import type { PlanCall, RouteDecision } from './decision.js';
import { DialPlanError } from './dial-plan-error.js';
import { Explanation, type PlanStep } from './explanation.js';
import { mermaidOf } from './mermaid.js';
import type { PrefixTable } from './prefix-table.js';
import { DEFAULT_PLAN, type DialPlanRules } from './rules.js';
import { rulesSchema } from './rules-schema.js';
import { type RefineRecord, type Tables, tablesOf } from './tables.js';
import { applyTransform } from './transform.js';

/** The two numbers of a call. */
export interface CallNumbers {
  readonly caller: string;
  readonly called: string;
}

/**
 * Says where calls go. It never changes, asks no clock and draws nothing: the same call gets the same decision. In every table the
 * longest matching prefix wins, and what no rule matches is a local user, or goes out on any line if it begins with the out-prefix.
 */
export class DialPlan {
  readonly #rules: DialPlanRules;
  readonly #tables: Tables;

  /** @throws DialPlanError (DIALPLAN_INVALID) that lists every fault with its path */
  constructor(rules: DialPlanRules) {
    accept(rulesSchema, rules, (problems) => new DialPlanError(problems));
    // A copy: what the host does to its object later is not the plan.
    this.#rules = structuredClone(rules);
    this.#tables = tablesOf(this.#rules);
  }

  /**
   * Where a call goes. Always decides: what may not be is a `reject`.
   * @throws UsageError PBX_INVALID_ARGUMENT for a plan that does not exist, or without `at` when a rule has a time condition
   */
  decide(call: PlanCall): RouteDecision {
    return this.#analysis(call).decide();
  }

  /** How `decide` comes to its decision, as data and, by `String(…)`, for people. Throws as `decide` does. */
  explain(call: PlanCall): Explanation {
    const steps: PlanStep[] = [];
    const decision = this.#analysis(call, steps).decide();
    return new Explanation(steps, decision);
  }

  /** The last change of both numbers, before they leave by a line or trunk of that outgoing group. */
  refine(group: string, { caller, called }: CallNumbers): CallNumbers {
    const { refineCaller, refineCalled } = this.#tables;
    return {
      caller: refined(refineCaller.get(group), caller),
      called: refined(refineCalled.get(group), called),
    };
  }

  /**
   * Whether a time condition holds at that instant, for lines and users that have one.
   * @throws UsageError PBX_INVALID_ARGUMENT for a condition that does not exist
   */
  isOpen(time: string, at: EpochMillis): boolean {
    const hours = this.#tables.hours.get(time);
    if (hours === undefined) throw invalid(`there is no time condition ${JSON.stringify(time)}`);
    checkInstant(at);
    return hours.isOpen(at);
  }

  /** Rules that will not do what they were written for: never matched, without end, or leading to what does not exist. */
  check(known: KnownNames = {}): PlanProblem[] {
    return checkPlan(this.#rules, this.#tables, known);
  }

  /** The plans that calls may come in with: those that rules name, and `default`. */
  get plans(): readonly string[] {
    return [...this.#tables.plans.keys()];
  }

  /** The time conditions by which lines and users may be open. */
  get times(): readonly string[] {
    return [...this.#tables.hours.keys()];
  }

  /** The plan as a Mermaid flowchart. */
  toMermaid(): string {
    return mermaidOf(this.#rules);
  }

  #analysis(call: PlanCall, trace?: PlanStep[]): Analysis {
    const plan = call.plan ?? DEFAULT_PLAN;
    if (!this.#tables.plans.has(plan)) throw invalid(`there is no dial plan ${JSON.stringify(plan)}`);
    if (this.#tables.timed) checkInstant(call.at);
    return new Analysis(this.#tables, call, plan, trace);
  }
}

function refined(table: PrefixTable<RefineRecord> | undefined, number: string): string {
  const transform = table?.longest(number)?.transform;
  return transform === undefined ? number : applyTransform(transform, number);
}

/** The last instant that a date can name. */
const LAST_INSTANT = 8.64e15;

function checkInstant(at: EpochMillis | undefined): void {
  if (at !== undefined && Math.abs(at) <= LAST_INSTANT) return;
  throw invalid(`at: found ${at ?? 'nothing'}, expected milliseconds since 1970, because rules have time conditions`);
}

function invalid(problem: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', problem);
}
