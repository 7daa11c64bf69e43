import { describe, expect, it } from 'vitest';
import { StunClientTransaction, type StunOutcome } from '../../../src/protocol/stun/client-transaction.js';
import { withFingerprint } from '../../../src/protocol/stun/fingerprint.js';
import { hex, ID, message } from './support.js';

const server = { address: '192.0.2.7', port: 3478 };
const MAPPED: readonly [number, string] = [0x0020, '0001a147e112a643'];

function transaction(options: { readonly sends?: number; readonly lastWait?: number } = {}): StunClientTransaction {
  return new StunClientTransaction({ server, transactionId: Buffer.from(ID, 'hex'), ...options });
}

function started(): StunClientTransaction {
  const machine = transaction();
  machine.start(0);
  return machine;
}

function outcome(machine: StunClientTransaction, data: Uint8Array, from = server): StunOutcome | undefined {
  const [effect] = machine.onDatagram(data, from) ?? [];
  return effect?.type === 'done' ? effect.outcome : undefined;
}

describe('RFC 8489 §6.2.1: sending', () => {
  it('the request goes out at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, and is given up at 39500 ms', () => {
    const machine = transaction();
    const sent: number[] = [];
    let effects = machine.start(0);
    let now = 0;
    while (effects[0]?.type === 'send') {
      sent.push(now);
      expect(hex(effects[0].data)).toBe(`000100002112a442${ID}`);
      expect(effects[0].to).toEqual(server);
      now = machine.nextDeadline ?? Number.NaN;
      expect(machine.onTimer(now - 1)).toEqual([]);
      effects = machine.onTimer(now);
    }
    expect(sent).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(now).toBe(39_500);
    expect(effects).toEqual([{ type: 'done', outcome: { kind: 'timeout' } }]);
    expect(machine.terminated).toBe(true);
    expect(machine.nextDeadline).toBeUndefined();
  });

  it('Rc and Rm can be set', () => {
    const machine = transaction({ sends: 2, lastWait: 4 });
    machine.start(100);
    expect(machine.nextDeadline).toBe(600);
    machine.onTimer(600);
    expect(machine.nextDeadline).toBe(2600);
    expect(machine.onTimer(2600)).toEqual([{ type: 'done', outcome: { kind: 'timeout' } }]);
  });

  it('it starts once, and what comes before or after its life is not its own', () => {
    const machine = transaction();
    expect(machine.onDatagram(message(0x0101, MAPPED), server)).toBeUndefined();
    expect(machine.start(0)).toHaveLength(1);
    expect(machine.start(0)).toEqual([]);
    expect(outcome(machine, message(0x0101, MAPPED))?.kind).toBe('mapped');
    expect(machine.onDatagram(message(0x0101, MAPPED), server)).toBeUndefined();
    expect(machine.onTimer(100_000)).toEqual([]);
    expect(machine.onSendError(new Error('late'))).toEqual([]);
  });

  it('a hard error of the network ends it', () => {
    const cause = new Error('no route');
    expect(started().onSendError(cause)).toEqual([{ type: 'done', outcome: { kind: 'unreachable', cause } }]);
  });
});

describe('RFC 8489 §6.3.3, §6.3.4: the answer', () => {
  it('XOR-MAPPED-ADDRESS is what was asked for', () => {
    expect(outcome(started(), message(0x0101, MAPPED, [0x8022, '74657374']))).toEqual({
      kind: 'mapped',
      mapped: { address: '192.0.2.1', port: 32_853 },
      software: 'test',
    });
  });

  it('IPv6: the address of the server may be spelled in several ways', () => {
    const machine = new StunClientTransaction({
      server: { address: '2001:db8::7', port: 3478 },
      transactionId: Buffer.from(ID, 'hex'),
    });
    machine.start(0);
    const answer = message(0x0101, [0x0020, '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9']);
    expect(outcome(machine, answer, { address: '2001:0db8:0:0::7', port: 3478 })).toEqual({
      kind: 'mapped',
      mapped: { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 },
    });
  });

  it('RFC 5389 §12.1: a server of RFC 3489 answers with MAPPED-ADDRESS and attributes of its time', () => {
    const old = message(
      0x0101,
      [0x0001, '00018055c0000201'],
      [0x0004, '00010d96c0000207'],
      [0x0005, '00010d97c0000208'],
    );
    expect(outcome(started(), old)).toEqual({ kind: 'mapped', mapped: { address: '192.0.2.1', port: 32_853 } });
  });

  it('an error response ends it with its code', () => {
    expect(outcome(started(), message(0x0111, [0x0009, '000003014d6f7665']))).toEqual({
      kind: 'refused',
      error: { code: 301, reason: 'Move' },
    });
  });

  it.each([
    ['without an address', message(0x0101)],
    ['with an attribute that must be understood and is not', message(0x0101, MAPPED, [0x7fff, ''])],
    ['an error without ERROR-CODE', message(0x0111)],
  ])('an answer %s ends it and is of no use', (_name, data) => {
    expect(outcome(started(), data)).toEqual({ kind: 'invalid' });
  });
});

describe('what a stranger sends changes nothing', () => {
  const other = Buffer.from(message(0x0101, MAPPED));
  other[19] = (other[19] ?? 0) ^ 1;
  const foreignError = Buffer.from(message(0x0111, [0x0009, '000004144e6f']));
  foreignError[8] = (foreignError[8] ?? 0) ^ 1;
  const legacy = Buffer.from(message(0x0101, MAPPED));
  legacy.writeUInt32BE(0x01020304, 4);
  const badFingerprint = Buffer.from(withFingerprint(message(0x0101, MAPPED)));
  badFingerprint[badFingerprint.length - 1] = (badFingerprint.at(-1) ?? 0) ^ 1;

  it.each([
    ['the answer from another address', message(0x0101, MAPPED), { address: '192.0.2.8', port: 3478 }],
    ['the answer from another port', message(0x0101, MAPPED), { address: '192.0.2.7', port: 3479 }],
    ['an answer under another transaction id', other, server],
    ['an error under another transaction id', foreignError, server],
    ['an answer without the cookie', legacy, server],
    ['an answer with a wrong FINGERPRINT', badFingerprint, server],
    ['an answer of another method', message(0x0103, MAPPED), server],
    ['our own request, reflected', message(0x0001), server],
    ['an indication', message(0x0011), server],
    ['junk', Buffer.from([0]), server],
    ['nothing', Buffer.alloc(0), server],
  ])('%s', (_name, data, from) => {
    const machine = started();
    expect(machine.onDatagram(data, from)).toBeUndefined();
    expect(machine.terminated).toBe(false);
    expect(outcome(machine, message(0x0101, MAPPED))?.kind).toBe('mapped');
  });
});
