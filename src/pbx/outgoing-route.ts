import type { Party } from '../call/party.js';
import type { Destination } from '../call/route.js';
import type { RouteOutcome } from '../call/route-outcome.js';
import type { RouteDecision } from '../dialplan/decision.js';
import type { DialPlan } from '../dialplan/dial-plan.js';
import type { AttemptFailure, Selected, Selection } from '../trunk/selection.js';
import type { SelectOptions } from '../trunk/trunk-manager.js';

export interface OutgoingRouteOptions {
  /** To a line, group, trunk or peer; or to an extension that is none, so that any line serves. */
  readonly decision: RouteDecision;
  /** By whose right it goes out. */
  readonly by: Party;
  /** The number that is shown, before its last change. */
  readonly caller: string;
  /** Whether the caller may know which lines there are, and how they stand. */
  readonly tellsWhy: boolean;
  readonly plan: DialPlan;
  readonly select: (wanted: SelectOptions) => Selection;
}

/** One call on its way out: the line or trunk that is tried, and after a failure the next. */
export class OutgoingRoute {
  readonly #options: OutgoingRouteOptions;
  readonly #selection: Selection;

  constructor(options: OutgoingRouteOptions) {
    const { decision, by, caller, plan, select } = options;
    this.#options = options;
    const { called } = decision;
    this.#selection = select({
      ...candidates(decision),
      number: called,
      refine: (group) => plan.refine(group, { caller, called }).called,
      ...(by.extension === undefined ? {} : { caller: by.extension }),
      ...(by.via === undefined ? {} : { cameBy: by.via.name }),
    });
  }

  first(): Destination {
    return this.#to(this.#selection.next()) ?? this.#none();
  }

  /** Undefined: no other may be tried, or there is none; the caller is told of this failure. */
  after(outcome: RouteOutcome): Destination | undefined {
    return this.#to(this.#selection.next(failureOf(outcome)));
  }

  #to(selected: Selected | undefined): Destination | undefined {
    if (selected === undefined) return undefined;
    const { plan, caller } = this.#options;
    const { target, called, group, noAnswerSeconds } = selected;
    return {
      kind: 'targets',
      targets: [target],
      called,
      caller: group === undefined ? caller : plan.refine(group, { caller, called }).caller,
      ...(noAnswerSeconds === undefined ? {} : { noAnswerSeconds }),
    };
  }

  /** Not 503: that one trunk is full or away does not make this server unusable (RFC 3398 §7.2.4.1 has the cause). */
  #none(): Destination {
    const why = this.#selection.skipped.map(({ name, reason }) => `${name}: ${reason}`).join(', ');
    // A number that is nobody's, where nothing leads outside.
    if (why === '' && this.#options.decision.kind === 'extension') return { kind: 'reject', status: 404 };
    return {
      kind: 'reject',
      status: 480,
      reason: why === '' || !this.#options.tellsWhy ? 'No Line Available' : `No Line Available (${why})`,
      reasonHeaders: ['Q.850;cause=34;text="No circuit/channel available"'],
    };
  }
}

function candidates(decision: RouteDecision): Pick<SelectOptions, 'names' | 'group'> {
  switch (decision.kind) {
    case 'line':
      return decision.line === undefined ? {} : { names: [decision.line] };
    case 'trunk':
      return { names: [decision.trunk] };
    case 'peer':
      return { names: [decision.peer] };
    case 'group':
      return { group: decision.group };
    default:
      return {};
  }
}

function failureOf({ kind, response, rang = false }: RouteOutcome): AttemptFailure {
  if (response !== undefined) return { kind: 'response', rang, ...response };
  if (kind === 'unreachable') return { kind, rang };
  // A refusal that no response stands behind is our own: nothing was sent to the carrier.
  return { kind: kind === 'failed' ? 'local' : 'timeout', rang };
}
