import { DialPlan, deleteDigits, extension, FEATURE_CODES, group, line, replaceDigits, service } from 'pbxkit';
import { describe, expect, test } from 'vitest';
import { codeBlocks, readPage } from './pages.js';

const page = readPage('docs/guides/dial-plan.md');

describe('docs/guides/dial-plan.md tells the truth', () => {
  const plan = new DialPlan({
    transforms: { 1: deleteDigits({ start: 0, length: 1 }) },
    called: [
      { prefix: '9', route: line('1234'), transform: 1 },
      { prefix: '8', route: line('5678'), transform: 1 },
    ],
  });

  test('two carriers: the explanation and the diagram', () => {
    expect(page.text).toContain(`\n// ${plan.explain({ caller: '100', called: '95551234' })}\n`);
    expect(codeBlocks(page).filter(({ language }) => language === 'mermaid')).toMatchObject([
      { code: plan.toMermaid() },
    ]);
  });

  test('the office: what its rules decide', () => {
    const office = new DialPlan({
      timeZone: 'Europe/Berlin',
      times: {
        open: { start: '08:00', finish: '18:00', weekdays: ['mon', 'tue', 'wed', 'thu', 'fri'] },
        holiday: { dates: ['12-24', '12-25', '2026-04-03/2026-04-06'] },
      },
      transforms: {
        national: replaceDigits({ length: 1, digits: '+49' }),
        world: replaceDigits({ length: 2, digits: '+' }),
      },
      codes: FEATURE_CODES,
      blackList: [{ caller: 'anonymous', called: '700' }],
      called: [
        { prefix: '700', route: service('autoAttendant') },
        { prefix: '700', route: service('voicemail', 'holiday'), time: 'holiday' },
        { prefix: '700', route: extension('100'), time: 'open' },
        { prefix: '0', route: group('carriers'), transform: 'national' },
        { prefix: '00', route: group('carriers'), transform: 'world', level: 'international' },
      ],
      refineCaller: [{ group: 'carriers', prefix: '*', transform: replaceDigits({ length: 0, digits: '+4930555' }) }],
    });
    const at = Date.parse('2026-03-02T09:00:00Z');
    expect(office.check({ groups: ['carriers'], extensions: ['100'] })).toEqual([]);
    const call = { caller: '101', called: '004412345', levels: ['international'], at };
    expect(office.decide(call)).toMatchObject({ kind: 'group', group: 'carriers', called: '+4412345' });
    expect(office.refine('carriers', { caller: '101', called: '+4412345' })).toEqual({
      caller: '+4930555101',
      called: '+4412345',
    });
    expect(office.decide({ caller: '101', called: '700', at })).toMatchObject({ extension: '100' });
    expect(office.decide({ caller: '101', called: '700', at: Date.parse('2026-12-24T09:00:00Z') })).toMatchObject({
      name: 'holiday',
    });
  });

  test('the faults: what check says', () => {
    const odd = new DialPlan({
      called: [
        { prefix: '1', transform: replaceDigits({ length: 1, digits: '2' }), reanalyse: true },
        { prefix: '2', transform: replaceDigits({ length: 1, digits: '1' }), reanalyse: true },
        { prefix: '9', route: line('1243') },
      ],
    });
    const told = odd.check({ lines: ['1234', '5678'] }).map(({ rule, problem }) => `// ${rule} ${problem}`);
    expect(page.text).toContain(told.join('\n'));
  });
});
