import { DialPlan, deleteDigits, extension, replaceDigits, trunk } from 'pbxkit';
import { describe, expect, test } from 'vitest';
import { readProjectFile } from '../architecture/sources.js';
import { readPage } from './pages.js';

/** The `dialPlan` option of a text, each line without its indentation. */
function plansIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.flatMap((line, index) =>
    line === 'dialPlan: {' ? [lines.slice(index, lines.indexOf('},', lines.indexOf('],', index)) + 1).join('\n')] : [],
  );
}

describe('docs/guides/lines.md and README.md tell the truth', () => {
  test('their two carriers are those of examples/two-carriers', () => {
    const [plan] = plansIn(readProjectFile('examples/two-carriers/main.ts'));
    expect(plan).toContain("{ prefix: '8', route: line('5678'), transform: 1 }");
    expect(plansIn(readPage('README.md').text)).toEqual([plan]);
    expect(plansIn(readPage('docs/guides/lines.md').text)).toContain(plan);
  });

  test('numbers that come in: where they lead, and what the phone shows', () => {
    const plan = new DialPlan({
      caller: [{ plan: 'incoming', prefix: '+49', transform: replaceDigits({ length: 3, digits: '90' }) }],
      called: [
        { prefix: '9', route: trunk('gateway'), transform: deleteDigits({ length: 1 }) },
        { plan: 'incoming', prefix: '+49301230', route: extension('100') },
        { plan: 'incoming', prefix: '+4930123', route: extension(), transform: deleteDigits({ length: 8 }) },
      ],
    });
    const from = { caller: '+4989777', plan: 'incoming' };
    expect(plan.decide({ ...from, called: '+49301230' })).toMatchObject({ extension: '100', caller: '9089777' });
    expect(plan.decide({ ...from, called: '+4930123101' })).toMatchObject({ extension: '101' });
    expect(plan.decide({ caller: '100', called: '9089777' })).toMatchObject({ trunk: 'gateway', called: '089777' });
  });
});
