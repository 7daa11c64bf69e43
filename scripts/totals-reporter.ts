import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What one vitest run came to; `npm test` adds these up. */
interface Sums {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One text for each failed test, file or error: which, and the first line of why. */
  readonly failedTests: readonly string[];
  /** One text for each skipped test: its name and, where it says so, why. */
  readonly skippedTests: readonly string[];
}

/** Ends a run with `N passed, N failed` on a line of its own, or hands the figures to `npm test` in the file PBXKIT_TEST_SUMS. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const sums = sumUp(modules, unhandledErrors);
    const file = process.env['PBXKIT_TEST_SUMS'];
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(sums));
      return;
    }
    const skipped = sums.skipped > 0 ? `, ${sums.skipped} skipped` : '';
    console.log(`${sums.passed} passed, ${sums.failed} failed${skipped}`);
  }
}

function sumUp(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): Sums {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const skipped = tests.filter((test) => test.result().state === 'skipped' || test.result().state === 'pending');
  // A file that cannot be loaded and a hook that throws have no failed test of their own.
  const brokenFiles = modules.filter((module) => !module.ok() && !hasFailedTest(module));
  const failedTests = [
    ...tests.flatMap((test) => {
      const result = test.result();
      return result.state === 'failed' ? [`${nameOf(test)}: ${firstLine(result.errors[0]?.message)}`] : [];
    }),
    ...brokenFiles.map((module) => `${module.relativeModuleId}: ${firstLine(module.errors()[0]?.message)}`),
    ...unhandledErrors.map(({ message }) => `outside the tests: ${firstLine(message)}`),
  ];
  return {
    passed: tests.filter((test) => test.result().state === 'passed').length,
    failed: failedTests.length,
    failedTests,
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
  return `${nameOf(test)}${reason}`;
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function firstLine(message = 'no message'): string {
  return message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
