import fc from 'fast-check';
import { FEATURE_CODES } from 'pbxkit/dialplan';
import { describe, expect, test } from 'vitest';
import { codeFault, FeatureCodeTable, shapeOf } from '../../src/dialplan/feature-code.js';

const office = new FeatureCodeTable(FEATURE_CODES);

/** `service name {words}` of what was dialled. */
function meaning(table: FeatureCodeTable, dialled: string): unknown {
  const found = table.match(dialled);
  if (found === undefined) return undefined;
  const { code, arguments: words } = found;
  return [code.name === undefined ? code.service : `${code.service} ${code.name}`, words];
}

describe('FEATURE_CODES (product facts, part 4)', () => {
  test.each([
    ['*90*101', ['forwarding busy', { number: '101' }]],
    ['*90#', ['forwarding busy', {}]],
    ['*91*101', ['forwarding offline', { number: '101' }]],
    ['*91#', ['forwarding offline', {}]],
    ['*92*00491701234567', ['forwarding noAnswer', { number: '00491701234567' }]],
    ['*92#', ['forwarding noAnswer', {}]],
    ['*93*+4930123', ['forwarding always', { number: '+4930123' }]],
    ['*93#', ['forwarding always', {}]],
    ['*40*101', ['pickup', { number: '101' }]],
    ['*50*', ['pickup group', {}]],
    ['*70*7', ['park', { slot: '7' }]],
    ['*71*99', ['park retrieve', { slot: '99' }]],
    ['*74', ['join', {}]],
    ['*6*700*1234', ['conference', { room: '700', pin: '1234' }]],
  ])('%s', (dialled, expected) => {
    expect(meaning(office, dialled)).toEqual(expected);
  });

  test('every code is well formed, and each is there once', () => {
    for (const { code } of FEATURE_CODES) expect(codeFault(code), code).toBeUndefined();
    expect(new Set(FEATURE_CODES.map(({ code }) => shapeOf(code))).size).toBe(FEATURE_CODES.length);
  });
});

describe('FeatureCodeTable', () => {
  test('a # behind a code is the dial key, but for codes that end with it', () => {
    expect(meaning(office, '*40*101#')).toEqual(['pickup', { number: '101' }]);
    expect(meaning(office, '*74#')).toEqual(['join', {}]);
    expect(meaning(office, '*6*700*1234#')).toEqual(['conference', { room: '700', pin: '1234' }]);
    expect(meaning(office, '*90##')).toEqual(['forwarding busy', {}]);
  });

  test('what is missing, or too much, is no code', () => {
    for (const dialled of [
      '',
      '*',
      '*9',
      '*90',
      '*90*',
      '*90*#',
      '*90*1*2',
      '*6*700',
      '*6**1',
      '*6*1*2*3',
      '*740',
      '101',
      '90*101',
    ])
      expect(office.match(dialled), dialled).toBeUndefined();
  });

  test('the longest beginning is tried first, then shorter ones, then codes of the same beginning as they stand', () => {
    const table = new FeatureCodeTable([
      { code: '*1*a', service: 'one' },
      { code: '*1*a*b', service: 'two' },
      { code: '*1*2*b', service: 'three' },
      { code: '*1*2', service: 'four' },
    ]);
    expect(['*1*5', '*1*5*6', '*1*2*6', '*1*2'].map((dialled) => table.match(dialled)?.code.service)).toEqual([
      'one',
      'two',
      'three',
      'four',
    ]);
    expect(table.match('*1*2')?.index).toBe(3);
  });

  test('what is dialled for the words of a code comes back as it was', () => {
    const word = fc.stringMatching(/^[0-9A-Za-z+]{1,9}$/);
    fc.assert(
      fc.property(word, word, fc.boolean(), (room, pin, withKey) => {
        expect(meaning(office, `*6*${room}*${pin}${withKey ? '#' : ''}`)).toEqual(['conference', { room, pin }]);
      }),
    );
  });

  test.each(['90', 'number', '*', '*90 1', '*a*a', '*aö', '*90*number1', `*${'1'.repeat(64)}`, ''])(
    '%j is refused as a code',
    (code) => {
      expect(codeFault(code)).toBeDefined();
    },
  );
});
