import { DialPlan, type DialPlanRules, deleteDigits, line, type Route, type RouteDecision } from 'pbxkit/dialplan';
import { describe, expectTypeOf, test } from 'vitest';

describe('pbxkit/dialplan', () => {
  test('a decision is told apart by its kind', () => {
    const decision = new DialPlan({}).decide({ caller: '100', called: '101' });
    expectTypeOf(decision).toEqualTypeOf<RouteDecision>();
    expectTypeOf(decision.kind).toEqualTypeOf<Route['kind']>();
    expectTypeOf(decision.called).toEqualTypeOf<string>();
    if (decision.kind === 'extension') expectTypeOf(decision.extension).toEqualTypeOf<string>();
    if (decision.kind === 'line') expectTypeOf(decision.line).toEqualTypeOf<string | undefined>();
    if (decision.kind === 'reject') expectTypeOf(decision.status).toEqualTypeOf<number>();
    if (decision.kind === 'service') {
      expectTypeOf(decision.arguments).toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
    }
  });

  test('rules are checked as they are written', () => {
    expectTypeOf({ called: [{ prefix: '9', route: line('1234'), transform: 1 }] }).toExtend<DialPlanRules>();
    // @ts-expect-error a rule needs a prefix
    const withoutPrefix: DialPlanRules = { called: [{ route: line('1234') }] };
    // @ts-expect-error a length is needed
    const withoutLength = deleteDigits({ start: 0 });
    // @ts-expect-error lines are routes, not texts
    const textRoute: DialPlanRules = { called: [{ prefix: '9', route: 'line' }] };
    expectTypeOf([withoutPrefix, withoutLength, textRoute]).not.toBeNever();
  });
});
