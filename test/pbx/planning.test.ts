/** Lines, trunks and the dial plan of one PBX must fit together: a fault is refused at construction, and at run time nothing changes. */
import { describe, expect, test } from 'vitest';
import { PbxConfigError } from '../../src/pbx/config-error.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { RecordingLogger } from '../../src/testing/recording-logger.js';
import { officeScenario } from '../support/office.js';

const LINE = { name: '1234', server: '198.51.100.1', username: '1234', password: 'secret' };

function faultsOf(options: unknown): readonly { readonly path: string; readonly text: string }[] {
  try {
    createPbx({ domain: 'office.test', ...(options as Partial<PbxOptions>) });
  } catch (error) {
    if (!(error instanceof PbxConfigError)) throw error;
    return error.problems.map(({ path, found, expected }) => ({ path, text: `${found}, ${expected}` }));
  }
  return [];
}

describe('refused at construction, with path and reason', () => {
  const rule = { prefix: '9', route: { kind: 'line', line: '5678' } };
  test.each([
    [
      'an unknown line in a rule',
      { lines: [LINE], dialPlan: { called: [rule] } },
      'dialPlan.called[0]',
      'there is no line 5678',
    ],
    [
      'a trunk that is none',
      { dialPlan: { called: [{ prefix: '9', route: { kind: 'trunk', trunk: 'x' } }] } },
      'dialPlan.called[0]',
      'there is no trunk x',
    ],
    [
      'a group of nobody',
      { dialPlan: { refineCalled: [{ group: 'g', prefix: '*', transform: { type: 'keep', last: 3 } }] } },
      'dialPlan.refineCalled[0]',
      'there is no group g',
    ],
    [
      'a service, of which there is none yet',
      { dialPlan: { codes: [{ code: '*97', service: 'voicemail' }] } },
      'dialPlan.codes[0]',
      'there is no service voicemail',
    ],
    [
      'a prefix twice',
      {
        lines: [LINE],
        dialPlan: {
          called: [
            { prefix: '9', route: { kind: 'line' } },
            { prefix: '9', route: { kind: 'line' } },
          ],
        },
      },
      'dialPlan.called[1]',
      'called[0]',
    ],
    ['an impossible time', { dialPlan: { times: { day: { start: '25:00' } } } }, 'dialPlan.times.day.start', '"25:00"'],
    [
      'a negative length',
      { dialPlan: { transforms: { 1: { type: 'delete', start: 0, length: -1 } } } },
      'dialPlan.transforms.1.length',
      '-1',
    ],
    [
      'a time condition that the plan has not',
      { lines: [{ ...LINE, timeCondition: 'day' }] },
      'lines[0].timeCondition',
      'there is none',
    ],
    ['a plan that no rule names', { lines: [{ ...LINE, plan: 'in' }] }, 'lines[0].plan', 'default'],
    [
      'two of one name',
      { lines: [LINE], trunks: [{ name: '1234', server: 'x.example' }] },
      'trunks[0].name',
      'lines[0]',
    ],
    ['a misspelled option', { lines: [{ ...LINE, pasword: 'x' }] }, 'lines[0].pasword', '"password"'],
  ])('%s', (_what, options, path, text) => {
    expect(faultsOf(options)).toContainEqual({ path, text: expect.stringContaining(text) });
  });

  test('all faults at once', () => {
    const faults = faultsOf({ lines: [{ ...LINE, server: 7 }], dialPlan: { outPrefx: '0', called: [{ prefix: 3 }] } });
    expect(faults.map(({ path }) => path)).toEqual([
      'lines[0].server',
      'dialPlan.called[0].prefix',
      'dialPlan.outPrefx',
    ]);
  });
});

describe('only worth a warning', () => {
  test.each([
    [
      'an extension behind the out-prefix',
      { lines: [LINE], extensions: [{ number: '900', password: 'x' }] },
      'extension 900',
    ],
    [
      'a rule that nothing comes to',
      { lines: [LINE], dialPlan: { called: [{ plan: 'p', prefix: '9', route: { kind: 'line' } }] } },
      'no call comes to plan p',
    ],
  ])('%s', (_what, options, text) => {
    const logger = new RecordingLogger(() => 0);
    createPbx({ domain: 'office.test', logger, ...(options as Partial<PbxOptions>) });
    expect(logger.format('warn')).toContain(text);
  });

  test('without lines an extension may begin with any digit', () => {
    const logger = new RecordingLogger(() => 0);
    createPbx({ domain: 'office.test', logger, extensions: [{ number: '900', password: 'x' }] });
    expect(logger.format('warn')).toBe('');
  });
});

describe('changed while the PBX runs', () => {
  officeScenario(
    'a faulty plan is refused, and the old one stays in force; a good one holds for the next call',
    { pbx: { dialPlan: { called: [{ prefix: '7', route: { kind: 'extension', extension: '101' } }] } } },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101', { onCall: (call) => call.reject(486) });
      await office.registered('102', { onCall: (call) => call.reject(600) });
      const statusOf = async (number: string) => {
        const call = alice.call(number);
        await world.until(call.ended());
        return call.state;
      };
      expect(() =>
        office.pbx.reconfigure({ dialPlan: { called: [{ prefix: '7', route: { kind: 'line', line: 'x' } }] } }),
      ).toThrow('dialPlan.called[0]: found a name that nobody has (there is no line x)');
      expect(await statusOf('7')).toMatchObject({ status: 486 });
      office.pbx.reconfigure({
        dialPlan: { called: [{ prefix: '7', route: { kind: 'extension', extension: '102' } }] },
      });
      expect(await statusOf('7')).toMatchObject({ status: 600 });
    },
  );

  officeScenario(
    'a line may not take the name of a trunk that is there',
    { pbx: { trunks: [{ name: 'gw', server: '198.51.100.9', qualifySeconds: 0 }] } },
    async (office) => {
      expect(() => office.pbx.reconfigure({ lines: [{ ...LINE, name: 'gw' }] })).toThrow('trunks[0].name');
      expect(office.pbx.lines).toEqual([]);
    },
  );

  officeScenario(
    'a trunk that is gone is not called any more',
    { pbx: { trunks: [{ name: 'gw', server: '198.51.100.9', qualifySeconds: 0, group: 'out' }] } },
    async (office, world) => {
      expect(office.pbx.trunks).toHaveLength(1);
      office.pbx.reconfigure({ trunks: [] });
      await world.advance({ seconds: 3 });
      expect(office.pbx.trunks).toHaveLength(0);
    },
  );
});
