import { describe, expect, it } from 'vitest';
import { SourceAddresses } from '../../src/net/source-addresses.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

function routed() {
  const clock = new ManualClock();
  const system = { route: undefined as string | undefined, asked: 0 };
  const network = {
    sourceAddressFor: () => {
      system.asked++;
      return system.route;
    },
  };
  return { clock, system, sources: new SourceAddresses({ network, clock }) };
}

describe('SourceAddresses', () => {
  it('an address is remembered for a minute', () => {
    const { clock, system, sources } = routed();
    system.route = '192.0.2.1';
    expect(sources.for('203.0.113.9')).toBe('192.0.2.1');
    system.route = '192.0.2.2';
    clock.advanceSync(59_000);
    expect([sources.for('203.0.113.9'), system.asked]).toEqual(['192.0.2.1', 1]);
    clock.advanceSync(1000);
    expect(sources.for('203.0.113.9')).toBe('192.0.2.2');
  });

  it('that no route leads there is remembered for a second: an outage is over when it is over', () => {
    const { clock, system, sources } = routed();
    for (let i = 0; i < 3; i++) expect(sources.for('203.0.113.9')).toBeUndefined();
    expect(system.asked).toBe(1);
    system.route = '192.0.2.1';
    clock.advanceSync(1000);
    expect(sources.for('203.0.113.9')).toBe('192.0.2.1');
  });
});
