import { describe, expect, test } from 'vitest';
import { RecordingLogger } from '../../src/testing/recording-logger.js';

describe('RecordingLogger', () => {
  test('keeps lines with time and fields, those of children with their bindings', () => {
    let now = 1500;
    const logger = new RecordingLogger(() => now);
    logger.info({ callId: 'abc' }, 'started');
    now = 2000;
    const child = logger.child({ area: 'transaction' }).child({ branch: 'z9' });
    child.warn({ err: new Error('boom'), count: 2, list: [1] }, 'odd');
    child.debug({});
    expect(logger.lines()).toHaveLength(3);
    expect(logger.lines('warn')).toMatchObject([
      { at: 2000, level: 'warn', text: 'odd', fields: { area: 'transaction', branch: 'z9', count: 2 } },
    ]);
    expect(logger.format('info')).toBe(
      '1.500 info started callId=abc\n2.000 warn odd area=transaction branch=z9 err=boom count=2 list=[1]',
    );
  });
});
