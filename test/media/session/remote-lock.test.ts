import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RemoteLock } from '../../../src/media/session/remote-lock.js';

const at = (address: string, port: number): { address: string; port: number } => ({ address, port });
const DESCRIBED = at('10.0.0.9', 4000);

/** Whether a packet from there is taken. */
function take(lock: RemoteLock, from: { address: string; port: number }): boolean {
  return lock.mayAccept(from) && lock.accept(from);
}

describe('from where media may come (RFC 4961, RFC 7362 §4)', () => {
  test('from the described address at once; nothing else of that IP address until it has come several times in a row', () => {
    const lock = new RemoteLock();
    lock.describe(DESCRIBED, undefined);
    expect(take(lock, DESCRIBED)).toBe(true);
    expect(lock.locked).toBe(false);
    const other = at('10.0.0.9', 5000);
    expect([1, 2, 3, 4].map(() => take(lock, other))).toEqual([false, false, false, true]);
    expect(lock.target).toEqual(other);
    expect(take(lock, DESCRIBED)).toBe(false);
    expect(lock.strangers).toBe(1);
  });

  test('a packet of another place between them begins the count anew', () => {
    const lock = new RemoteLock();
    lock.describe(DESCRIBED, undefined);
    const other = at('10.0.0.9', 5000);
    for (let i = 0; i < 20; i++) {
      for (let k = 0; k < 3; k++) expect(take(lock, other)).toBe(false);
      expect(take(lock, DESCRIBED)).toBe(true);
    }
    expect(lock.target).toEqual(DESCRIBED);
  });

  test('the address of the signalling counts as well, in whatever spelling', () => {
    const lock = new RemoteLock();
    lock.describe(at('192.168.1.5', 4000), '2001:DB8::0001');
    const behind = at('2001:db8::1', 9000);
    for (let i = 0; i < 4; i++) take(lock, behind);
    expect(lock.target).toEqual(behind);
    expect(lock.knows('2001:db8::1')).toBe(true);
    expect(lock.knows('2001:db8::2')).toBe(false);
  });

  test('the same description again keeps what was learned; another one does not', () => {
    const lock = new RemoteLock();
    lock.describe(DESCRIBED, undefined);
    const learned = at('10.0.0.9', 5000);
    for (let i = 0; i < 4; i++) take(lock, learned);
    lock.describe({ ...DESCRIBED }, undefined);
    expect(lock.target).toEqual(learned);
    expect(lock.locked).toBe(false);
    lock.describe(at('10.0.0.10', 4000), undefined);
    expect(lock.target).toEqual(at('10.0.0.10', 4000));
    lock.describe(undefined, undefined);
    expect(lock.target).toBeUndefined();
  });

  test('whatever strangers send and when, they are never taken and never become the target', () => {
    const from = fc.record({
      address: fc.constantFrom('10.0.0.9', '203.0.113.1', '203.0.113.2', '198.51.100.1'),
      port: fc.constantFrom(4000, 4002, 9999),
    });
    fc.assert(
      fc.property(fc.array(from, { maxLength: 60 }), (packets) => {
        const lock = new RemoteLock();
        lock.describe(DESCRIBED, '198.51.100.1');
        for (const packet of packets) {
          const taken = take(lock, packet);
          if (packet.address.startsWith('203')) expect(taken).toBe(false);
          expect(lock.target?.address.startsWith('203')).toBe(false);
          if (taken) expect(lock.target).toEqual(packet);
        }
      }),
    );
  });
});
