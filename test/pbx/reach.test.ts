import { describe, expect, it } from 'vitest';
import { reachedFamilies, spokenProtocols } from '../../src/pbx/reach.js';

const at = (protocol: 'udp' | 'tcp' | 'tls', address: string) => ({ protocol, local: { address, port: 5060 } });

describe('what the open sockets can reach', () => {
  it('UDP and TLS need a socket of theirs, TCP none', () => {
    expect(spokenProtocols([at('udp', '192.0.2.1'), at('tcp', '192.0.2.1')])).toEqual(['udp', 'tcp']);
    expect(spokenProtocols([at('tls', '192.0.2.1')])).toEqual(['tcp', 'tls']);
    expect(spokenProtocols([at('tls', '::1'), at('udp', '::1')])).toEqual(['udp', 'tcp', 'tls']);
  });

  it('the families in the order of the sockets', () => {
    expect(reachedFamilies([at('udp', '192.0.2.1'), at('tcp', '192.0.2.1')])).toEqual([4]);
    expect(reachedFamilies([at('udp', '2001:db8::1'), at('udp', '192.0.2.1')])).toEqual([6, 4]);
    expect(reachedFamilies([at('tcp', '127.0.0.1'), at('udp', '::1')])).toEqual([4, 6]);
  });
});
