import { describe, expect, it } from 'vitest';
import { type MappingBehaviour, mappingBehaviour } from '../../src/nat/behaviour.js';

const local = { address: '10.0.0.2', port: 5060 };
const at = (text: string): { address: string; port: number } => {
  const [address = '', port] = text.split(' ');
  return { address, port: Number(port) };
};

describe('RFC 5780 §4.3: mapping behaviour, as far as ordinary servers show it', () => {
  it.each<readonly [string, readonly (readonly [string, string])[], MappingBehaviour]>([
    ['nobody has answered', [], 'unknown'],
    ['one server, a NAT', [['192.0.2.7 3478', '203.0.113.1 40000']], 'unknown'],
    ['one server, no NAT', [['192.0.2.7 3478', '10.0.0.2 5060']], 'none'],
    ['the address is ours, the port is not', [['192.0.2.7 3478', '10.0.0.2 40000']], 'unknown'],
    [
      'two servers see the same',
      [
        ['192.0.2.7 3478', '203.0.113.1 40000'],
        ['192.0.2.8 3478', '203.0.113.1 40000'],
      ],
      'endpoint-independent',
    ],
    [
      'two servers see two ports',
      [
        ['192.0.2.7 3478', '203.0.113.1 40000'],
        ['192.0.2.8 3478', '203.0.113.1 40001'],
      ],
      'endpoint-dependent',
    ],
    [
      'a pool of addresses',
      [
        ['192.0.2.7 3478', '203.0.113.1 5060'],
        ['192.0.2.8 3478', '203.0.113.2 5060'],
      ],
      'endpoint-dependent',
    ],
    [
      'two ports of one server see the same, another server does not',
      [
        ['192.0.2.7 3478', '203.0.113.1 40000'],
        ['192.0.2.7 3479', '203.0.113.1 40000'],
        ['192.0.2.8 3478', '203.0.113.1 40001'],
      ],
      'address-dependent',
    ],
    [
      'two ports of one server see two ports',
      [
        ['192.0.2.7 3478', '203.0.113.1 40000'],
        ['192.0.2.7 3479', '203.0.113.1 40001'],
      ],
      'address-and-port-dependent',
    ],
    [
      'two ports of one server see the same, and there is no other',
      [
        ['192.0.2.7 3478', '203.0.113.1 40000'],
        ['192.0.2.7 3479', '203.0.113.1 40000'],
      ],
      'unknown',
    ],
  ])('%s', (_name, seen, expected) => {
    expect(
      mappingBehaviour(
        local,
        seen.map(([server, mapped]) => ({ server: at(server), mapped: at(mapped) })),
      ),
    ).toBe(expected);
  });
});
