import { expect, test } from 'vitest';
import { entryNames, extractApi } from '../../scripts/api-report.js';

test.each(entryNames)('the API report of %s in docs/api is current (npm run api writes it)', (entry) => {
  expect(extractApi(entry, { write: false }).apiReportChanged).toBe(false);
});
