import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What one vitest run came to; `npm test` adds these up. */
interface Sums {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One text for each skipped test: its name and, where it says so, why. */
  readonly skippedTests: readonly string[];
}

/** Ends a run with `N passed, N failed` on a line of its own, or hands the figures to `npm test` in the file PBXKIT_TEST_SUMS. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const sums = sumUp(modules, unhandledErrors.length);
    const file = process.env['PBXKIT_TEST_SUMS'];
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(sums));
      return;
    }
    const skipped = sums.skipped > 0 ? `, ${sums.skipped} skipped` : '';
    console.log(`${sums.passed} passed, ${sums.failed} failed${skipped}`);
  }
}

function sumUp(modules: readonly TestModule[], unhandledErrors: number): Sums {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const skipped = tests.filter((test) => test.result().state === 'skipped' || test.result().state === 'pending');
  // A file that cannot be loaded and a hook that throws have no failed test of their own.
  const brokenFiles = modules.filter((module) => !module.ok() && !hasFailedTest(module));
  return {
    passed: tests.filter((test) => test.result().state === 'passed').length,
    failed: tests.filter((test) => test.result().state === 'failed').length + brokenFiles.length + unhandledErrors,
    skipped: skipped.length,
    skippedTests: skipped.map(describeSkipped),
  };
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests('failed')].length > 0;
}

function describeSkipped(test: TestCase): string {
  const result = test.result();
  const reason = result.state === 'skipped' && result.note !== undefined ? `: ${result.note}` : '';
  return `${test.module.relativeModuleId} > ${test.fullName}${reason}`;
}
