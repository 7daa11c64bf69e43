import type { CallRecord, ErrorCode, ErrorKind, Logger, PbxOptions, PlayResult } from 'pbxkit';
import { createPbx, memoryStorage, type PbxkitError } from 'pbxkit';
import { describe, expectTypeOf, test } from 'vitest';

declare const pinoShaped: {
  level: string;
  trace(object: object, message?: string): void;
  debug(object: object, message?: string): void;
  info(object: object, message?: string): void;
  warn(object: object, message?: string): void;
  error(object: object, message?: string): void;
  fatal(object: object, message?: string): void;
  child(bindings: Record<string, unknown>): typeof pinoShaped;
};

describe('pbxkit', () => {
  test('only the domain must be given', () => {
    expectTypeOf({ domain: 'office.example' }).toExtend<PbxOptions>();
    // @ts-expect-error a PBX has a domain
    createPbx({});
    // @ts-expect-error listen is a list of addresses
    createPbx({ domain: 'office.example', listen: 'udp://127.0.0.1:5060' });
  });

  test('an extension has a number and a password', () => {
    createPbx({
      domain: 'office.example',
      extensions: [{ number: '100', password: 'secret' }],
      storage: memoryStorage(),
    });
    // @ts-expect-error no password
    createPbx({ domain: 'office.example', extensions: [{ number: '100' }] });
    // @ts-expect-error a number is text: 007 is not 7
    createPbx({ domain: 'office.example', extensions: [{ number: 100, password: 'secret' }] });
  });

  test('events are typed by name; on() gives its undo', () => {
    const pbx = createPbx({ domain: 'office.example' });
    const off = pbx.on('call.ended', ({ record, tenantId }) => {
      expectTypeOf(record).toEqualTypeOf<CallRecord>();
      expectTypeOf(tenantId).toExtend<string>();
    });
    expectTypeOf(off).toEqualTypeOf<() => void>();
    // @ts-expect-error there is no such event
    pbx.on('call.exploded', () => undefined);
  });

  test('a PBX has a life: start, drain, close, and await using', () => {
    const pbx = createPbx({ domain: 'office.example' });
    expectTypeOf(pbx.start).returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf(pbx.close).returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf(pbx.drain).returns.toExtend<Promise<unknown>>();
    expectTypeOf(pbx).toExtend<AsyncDisposable>();
  });

  test('what is played is awaited, and steered meanwhile', () => {
    const pbx = createPbx({ domain: 'office.example' });
    pbx.onCall('700', async (call) => {
      const playing = call.play(['one.wav', 'two.wav'], { interruptedBy: ['#'] });
      expectTypeOf(playing).toExtend<Promise<PlayResult>>();
      expectTypeOf(playing.positionMs).toEqualTypeOf<number>();
      // @ts-expect-error a place is a number of milliseconds
      playing.seek('1 s');
      expectTypeOf(await playing).toEqualTypeOf<PlayResult>();
    });
  });

  test('a pino-shaped logger is taken as it is', () => {
    expectTypeOf(pinoShaped).toExtend<Logger>();
  });

  test('errors are told apart by closed unions', () => {
    expectTypeOf<PbxkitError['code']>().toEqualTypeOf<ErrorCode>();
    expectTypeOf<PbxkitError['kind']>().toEqualTypeOf<ErrorKind>();
    expectTypeOf<ErrorKind>().toEqualTypeOf<'misuse' | 'remote' | 'transport' | 'storage' | 'aborted'>();
    expectTypeOf<PbxkitError>().toExtend<Error>();
  });
});
