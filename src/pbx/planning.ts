import type { ConfigProblem } from '../base/config-error.js';
import type { Logger } from '../base/logger.js';
import { accept } from '../base/schema-problems.js';
import { show } from '../base/show.js';
import type { KnownNames } from '../dialplan/check.js';
import { DialPlan } from '../dialplan/dial-plan.js';
import type { ExtensionOptions } from '../directory/extension.js';
import { linesAndTrunksSchema } from '../trunk/lines-and-trunks.js';
import { PbxConfigError } from './config-error.js';
import type { PbxOptions } from './options.js';

type Planned = Pick<PbxOptions, 'dialPlan' | 'lines' | 'trunks' | 'extensions'>;

/** The dial plan that holds now, and what it is a plan for. */
export class Planning {
  readonly #logger: Logger;
  #planned: Planned;
  #plan: DialPlan;

  /** @throws PbxConfigError for a plan that names what does not exist, or lines that name what the plan has not */
  constructor(planned: Planned, logger: Logger) {
    this.#logger = logger;
    this.#planned = planned;
    this.#plan = this.#made(planned);
  }

  get plan(): DialPlan {
    return this.#plan;
  }

  /** What it is a plan for. */
  get planned(): Planned {
    return this.#planned;
  }

  /** Calls under way keep the decisions that they have. @throws as the constructor; nothing has been changed then */
  reconfigure(changes: Planned): void {
    const planned: Planned = { ...this.#planned, ...changes };
    this.#plan = this.#made(planned);
    this.#planned = planned;
  }

  #made(planned: Planned): DialPlan {
    const { dialPlan, lines = [], trunks = [], extensions = [] } = planned;
    // A change may bring the name of something that was there before.
    accept(linesAndTrunksSchema, { lines, trunks }, (problems) => new PbxConfigError(problems));
    // Without lines nothing leads outside, so that an extension may begin with any digit.
    const plan = new DialPlan(dialPlan ?? (lines.length > 0 ? {} : { outPrefix: '' }));
    const problems = plan.check(namesIn(planned));
    const missing = problems.filter(({ kind }) => kind === 'missing');
    const faults: ConfigProblem[] = [
      ...missing.map(({ rule, problem }) => ({
        path: `dialPlan.${rule}`,
        found: `a name that nobody has (${problem})`,
        expected: namesOf(planned),
      })),
      ...missingIn(plan, 'lines', lines),
      ...missingIn(plan, 'trunks', trunks),
    ];
    if (faults.length > 0) throw new PbxConfigError(faults);
    for (const { kind, rule, problem } of problems)
      if (kind !== 'missing') this.#logger.warn({ rule }, `the dial plan: ${rule}: ${problem}`);
    for (const { name, owner } of planned.extensions === undefined ? [] : [...lines, ...trunks]) {
      if (owner !== undefined && !extensions.some(({ number }) => number === owner))
        this.#logger.warn(
          { line: name },
          `${name} belongs to extension ${owner}, which does not exist: nobody can call by it`,
        );
    }
    for (const number of hidden(plan, extensions)) {
      this.#logger.warn(
        { extension: number },
        `extension ${number} begins with the out-prefix: calls to it go out by a line; see dialPlan.outPrefix`,
      );
    }
    return plan;
  }
}

/** Extensions may come and go, and be in a directory of the host: they are not asked for. */
function namesIn({ lines = [], trunks = [], extensions }: Planned): KnownNames {
  const all = [...lines, ...trunks];
  return {
    lines: lines.map(({ name }) => name),
    trunks: trunks.map(({ name }) => name),
    ...(extensions === undefined ? {} : { peers: [...trunks, ...servers(extensions)].map(({ name }) => name) }),
    groups: all.flatMap(({ group }) => group ?? []),
    services: [],
    plans: all.flatMap(({ plan }) => plan ?? []),
    ...(extensions === undefined ? {} : { levels: extensions.flatMap(({ levels = [] }) => levels) }),
  };
}

function servers(extensions: readonly ExtensionOptions[]): readonly { readonly name: string }[] {
  return extensions.flatMap(({ number, kind }) => (kind === 'server' ? [{ name: number }] : []));
}

function missingIn(
  plan: DialPlan,
  list: 'lines' | 'trunks',
  peers: NonNullable<PbxOptions['lines' | 'trunks']>,
): ConfigProblem[] {
  const fault = (index: number, field: string, found: string | undefined, names: readonly string[]) =>
    found === undefined || names.includes(found)
      ? []
      : [{ path: `${list}[${index}].${field}`, found: show(field, found), expected: expectedOf(field, names) }];
  return peers.flatMap(({ timeCondition, plan: named }, index) => [
    ...fault(index, 'timeCondition', timeCondition, plan.times),
    ...fault(index, 'plan', named, plan.plans),
  ]);
}

function expectedOf(field: string, names: readonly string[]): string {
  const what = field === 'plan' ? 'a plan that rules of dialPlan name' : 'a time condition of dialPlan.times';
  return names.length === 0 ? `${what}; there is none` : `${what}: ${names.join(', ')}`;
}

/** Extensions that nobody can call because they begin with the out-prefix. */
function hidden(plan: DialPlan, extensions: readonly ExtensionOptions[]): readonly string[] {
  return extensions.flatMap(({ number }) => {
    const { kind, rule } = plan.decide({ caller: '', called: number, at: 0 });
    return kind === 'line' && rule === 'default' ? [number] : [];
  });
}

function namesOf({ lines = [], trunks = [] }: Planned): string {
  const names = [...lines, ...trunks].map(({ name }) => name);
  return names.length === 0
    ? 'one that exists; there is no line and no trunk'
    : `one that exists, such as ${names.join(', ')}`;
}
