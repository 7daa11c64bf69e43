import { describe, expect, test } from 'vitest';
import { TypedEmitter } from '../../src/base/events.js';
import { RecordingLogger } from '../../src/testing/recording-logger.js';

interface Map {
  ping: { readonly n: number };
  pong: Record<string, never>;
}

const create = (): { emitter: TypedEmitter<Map>; logger: RecordingLogger } => {
  const logger = new RecordingLogger(() => 0);
  return { emitter: new TypedEmitter<Map>(logger), logger };
};

describe('TypedEmitter', () => {
  test('on listens until its undo, once only once', () => {
    const { emitter } = create();
    const seen: string[] = [];
    const off = emitter.on('ping', ({ n }) => seen.push(`on ${n}`));
    emitter.once('ping', ({ n }) => seen.push(`once ${n}`));
    const offOnce = emitter.once('ping', ({ n }) => seen.push(`never ${n}`));
    offOnce();
    expect(emitter.listenerCount('ping')).toBe(2);
    emitter.emit('ping', { n: 1 });
    emitter.emit('ping', { n: 2 });
    off();
    off();
    emitter.emit('ping', { n: 3 });
    expect(seen).toEqual(['on 1', 'once 1', 'on 2']);
    expect(emitter.listenerCount()).toBe(0);
  });

  test('the same function may listen twice; each undo takes its own away', () => {
    const { emitter } = create();
    let count = 0;
    const listener = (): void => {
      count++;
    };
    const off = emitter.on('ping', listener);
    emitter.on('ping', listener);
    off();
    emitter.emit('ping', { n: 1 });
    expect(count).toBe(1);
  });

  test('a throwing listener is logged with the event name and stops nobody', () => {
    const { emitter, logger } = create();
    const seen: number[] = [];
    emitter.on('ping', () => {
      throw new Error('boom');
    });
    emitter.on('ping', ({ n }) => seen.push(n));
    emitter.emit('ping', { n: 7 });
    expect(seen).toEqual([7]);
    expect(logger.lines('error')).toMatchObject([
      { fields: { event: 'ping' }, text: 'a listener of "ping" failed: boom' },
    ]);
  });

  test('a rejecting listener is logged, even one that rejects with no error at all', async () => {
    const { emitter, logger } = create();
    emitter.on('ping', async () => {
      throw new Error('later');
    });
    const reason: unknown = JSON.parse('"text"');
    emitter.on('ping', async () => {
      throw reason;
    });
    emitter.emit('ping', { n: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(logger.lines('error').map((line) => line.text)).toEqual([
      'a listener of "ping" failed: later',
      'a listener of "ping" failed: text',
    ]);
  });

  test('a listener that is taken off while the event goes round does not disturb the others', () => {
    const { emitter } = create();
    const seen: string[] = [];
    const offs: (() => void)[] = [];
    offs.push(
      emitter.on('ping', () => {
        seen.push('a');
        for (const off of offs) off();
      }),
    );
    offs.push(emitter.on('pong', () => seen.push('never')));
    emitter.on('ping', () => seen.push('b'));
    emitter.emit('ping', { n: 1 });
    emitter.emit('pong', {});
    expect(seen).toEqual(['a', 'b']);
  });

  test('removeAll takes every listener off', () => {
    const { emitter } = create();
    emitter.on('ping', () => {});
    emitter.on('pong', () => {});
    expect(emitter.listenerCount()).toBe(2);
    emitter.removeAll();
    expect(emitter.listenerCount()).toBe(0);
  });
});
