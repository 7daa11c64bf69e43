import { describeDecision, type RouteDecision } from './decision.js';
import { describeChange, type Transform } from './transform.js';

/** One step on the way to a decision. `rule` is where the rule stands: `called[0]`. */
export type PlanStep =
  | {
      readonly kind: 'caller';
      readonly caller: string;
      readonly prefix: string;
      readonly plan: string;
      readonly rule: string;
    }
  | {
      readonly kind: 'black-list';
      readonly caller: string;
      readonly called: string;
      readonly refused: boolean;
      readonly rule: string;
    }
  | { readonly kind: 'code'; readonly called: string; readonly code: string; readonly rule: string }
  /** A rule that would match, but not at this time. */
  | { readonly kind: 'closed'; readonly prefix: string; readonly time: string; readonly rule: string }
  | { readonly kind: 'called'; readonly called: string; readonly prefix: string; readonly rule: string }
  | { readonly kind: 'level'; readonly level: string; readonly owned: boolean }
  | {
      readonly kind: 'transformed';
      readonly party: 'caller' | 'called';
      /** Undefined: it stands in the rule itself. */
      readonly id: string | undefined;
      readonly transform: Transform;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'reanalysed'; readonly called: string }
  | { readonly kind: 'loop'; readonly called: string }
  /** No rule: the number begins with the out-prefix, or it is local. */
  | { readonly kind: 'default'; readonly called: string; readonly outPrefix: string | undefined }
  | { readonly kind: 'decided'; readonly decision: RouteDecision };

/** How a decision came about. As a text it reads in one line. */
export class Explanation {
  /** The last one is always `decided`, with `decision`. */
  readonly steps: readonly PlanStep[];
  /** What `decide` returns for the same call. */
  readonly decision: RouteDecision;

  constructor(steps: readonly PlanStep[], decision: RouteDecision) {
    this.steps = [...steps, { kind: 'decided', decision }];
    this.decision = decision;
  }

  toString(): string {
    return this.steps.map(describeStep).join(' → ');
  }
}

/** One step, for people: `95551234 matched prefix 9`. */
function describeStep(step: PlanStep): string {
  switch (step.kind) {
    case 'caller':
      return `caller ${shown(step.caller)} matched prefix ${step.prefix}, plan ${step.plan}`;
    case 'black-list':
      return `black list ${step.refused ? 'refuses' : 'spares'} caller ${step.caller}, called ${step.called}`;
    case 'code':
      return `${shown(step.called)} is the code ${step.code}`;
    case 'closed':
      return `prefix ${step.prefix} is out of time ${step.time}`;
    case 'called':
      return `${shown(step.called)} matched prefix ${step.prefix}`;
    case 'level':
      return `level ${step.level} ${step.owned ? 'is owned' : 'is missing'}`;
    case 'transformed': {
      const who = step.id === undefined ? 'its transformation' : `transformation ${step.id}`;
      return `${who} ${describeChange(step.transform, step.from)}${step.party === 'caller' ? ' of the caller' : ''}`;
    }
    case 'reanalysed':
      return `${shown(step.called)} is analysed again`;
    case 'loop':
      return `${shown(step.called)} goes round without end`;
    case 'default':
      return step.outPrefix === undefined
        ? `${shown(step.called)} matched no prefix`
        : `${shown(step.called)} matched no prefix but the out-prefix ${step.outPrefix}, which is removed`;
    case 'decided':
      return describeDecision(step.decision);
  }
}

function shown(number: string): string {
  return number === '' ? 'no number' : number;
}
