import { describe, expect, it } from 'vitest';
import { localAddressAdvisor } from '../../src/base/address-advisor.js';
import type { PbxConfigError } from '../../src/pbx/config-error.js';
import { checkOptions } from '../../src/pbx/options-schema.js';

function problems(options: Record<string, unknown>): readonly string[] {
  try {
    checkOptions({ domain: 'office.example', ...options });
    return [];
  } catch (error) {
    return (error as PbxConfigError).problems.map(({ path, found, expected }) => `${path}: ${found} | ${expected}`);
  }
}

describe('options about NAT', () => {
  it.each<[Record<string, unknown>]>([
    [{ externalAddress: '203.0.113.7' }],
    [{ externalAddress: '2001:db8::7', localNetworks: [] }],
    [{ externalAddress: { stun: ['stun.example.net', '192.0.2.7:3479', 'stun:[2001:db8::7]'] } }],
    [
      {
        externalAddress: { stun: ['stun.example.net'], refreshSeconds: 10 },
        localNetworks: ['10.0.0.0/8', 'fd00::/8'],
      },
    ],
    [{ stun: { listen: ['udp://0.0.0.0:3478', 'udp://[::]:3478'] } }],
  ])('%j is taken', (options) => {
    expect(problems(options)).toEqual([]);
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { externalAddress: 'office.example' },
      'externalAddress: "office.example" | an IP address such as "203.0.113.7", or',
    ],
    [{ externalAddress: '203.0.113.7:5060' }, 'externalAddress: "203.0.113.7:5060" | an IP address'],
    [{ externalAddress: 7 }, 'externalAddress: 7 | an IP address such as'],
    [{ externalAddress: {} }, 'externalAddress.stun: nothing | '],
    [{ externalAddress: { stun: [] } }, 'externalAddress.stun: [] | at least one STUN server'],
    [{ externalAddress: { stun: ['a', 'stuns:b'] } }, 'externalAddress.stun[1]: "stuns:b" | a STUN server such as'],
    [
      { externalAddress: { stun: ['a'], refreshSeconds: 5 } },
      'externalAddress.refreshSeconds: 5 | a whole number from 10',
    ],
    [{ externalAddress: { stun: ['a'], every: 5 } }, 'externalAddress.every: '],
    [{ localNetworks: ['10.0.0.0/33'] }, 'localNetworks[0]: "10.0.0.0/33" | an IP address or a network'],
    [{ localNetworks: '10.0.0.0/8' }, 'localNetworks: "10.0.0.0/8" | a list of IP addresses and networks'],
    [{ stun: {} }, 'stun.listen: nothing | '],
    [{ stun: { listen: [] } }, 'stun.listen: [] | at least one address'],
    [{ stun: { listen: ['tcp://0.0.0.0:3478'] } }, 'stun.listen[0]: "tcp://0.0.0.0:3478" | an address such as "udp://'],
  ])('%j is refused with its path', (options, expected) => {
    const found = problems(options);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('every fault is told, and an advisor does not go with an external address', () => {
    expect(problems({ externalAddress: 'x', localNetworks: ['y'], stun: { listen: ['z'] } })).toHaveLength(3);
    expect(problems({ externalAddress: '203.0.113.7', addressAdvisor: localAddressAdvisor }).join()).toContain(
      'externalAddress or addressAdvisor, not both',
    );
  });
});
