import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { VirtualDns } from '../../src/testing/virtual-dns.js';
import { VirtualNetwork } from '../../src/testing/virtual-network.js';

const setUp = (): { clock: ManualClock; dns: VirtualDns } => {
  const clock = new ManualClock();
  return { clock, dns: new VirtualDns({ scheduler: clock, delayMs: 30 }) };
};

const outcome = <T>(promise: Promise<T>): { value?: T; error?: unknown } => {
  const result: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => {
      result.value = value;
    },
    (error: unknown) => {
      result.error = error;
    },
  );
  return result;
};

describe('VirtualDns', () => {
  test('answers after its delay, with TTL, whatever the case of the name', async () => {
    const { clock, dns } = setUp();
    dns.set('PBX.example', ['192.0.2.1', '2001:DB8::1'], { ttlSeconds: 60 });
    const result = outcome(dns.lookup('pbx.EXAMPLE'));
    await clock.advance(29);
    expect(result).toEqual({});
    await clock.advance(1);
    expect(result.value).toEqual([
      { address: '192.0.2.1', ttlSeconds: 60 },
      { address: '2001:db8::1', ttlSeconds: 60 },
    ]);
    expect(dns.queries).toBe(1);
  });

  test('unknown names, failures and empty answers reject as the real look-up does', async () => {
    const { clock, dns } = setUp();
    dns.fail('broken.example');
    dns.set('empty.example', []);
    dns.set('gone.example', ['192.0.2.1']);
    dns.delete('gone.example');
    const results = ['unknown.example', 'broken.example', 'empty.example', 'gone.example'].map((name) =>
      outcome(dns.lookup(name)),
    );
    await clock.advance(30);
    expect(results.map((result) => result.error)).toMatchObject([
      { code: 'DNS_FAILED', reason: 'ENOTFOUND' },
      { code: 'DNS_FAILED', reason: 'EAI_AGAIN' },
      { code: 'DNS_FAILED', reason: 'ENOTFOUND' },
      { code: 'DNS_FAILED', reason: 'ENOTFOUND' },
    ]);
  });

  test('SRV, NAPTR, A and AAAA records: each question gets its own, and an absence says of what', async () => {
    const { clock, dns } = setUp();
    dns.set('pbx.example', ['192.0.2.1', '2001:db8::1']);
    dns.setNaptr('pbx.example', [{ service: 'SIP+D2U', replacement: '_sip._udp.pbx.example' }]);
    dns.setSrv('_sip._udp.PBX.example', [{ port: 5070, target: 'pbx.example' }], { ttlSeconds: 9 });
    const results = [
      outcome(dns.resolveAddresses('pbx.example', 6)),
      outcome(dns.resolveNaptr('pbx.example')),
      outcome(dns.resolveSrv('_sip._udp.pbx.example')),
      outcome(dns.resolveSrv('pbx.example')),
      outcome(dns.resolveSrv('nothing.example')),
    ];
    await clock.advance(30);
    expect(results.map((result) => result.value ?? result.error)).toMatchObject([
      [{ address: '2001:db8::1' }],
      [{ order: 0, preference: 0, flags: 's', service: 'SIP+D2U', replacement: '_sip._udp.pbx.example' }],
      [{ priority: 0, weight: 0, port: 5070, target: 'pbx.example', ttlSeconds: 9 }],
      { reason: 'ENODATA' },
      { reason: 'ENOTFOUND' },
    ]);
    expect(dns.asked).toEqual([
      'AAAA pbx.example',
      'NAPTR pbx.example',
      'SRV _sip._udp.pbx.example',
      'SRV pbx.example',
      'SRV nothing.example',
    ]);
  });

  test('IP literals come back at once and count as no query', async () => {
    const { dns } = setUp();
    await expect(dns.lookup('192.0.2.7')).resolves.toEqual([{ address: '192.0.2.7' }]);
    await expect(dns.lookup('[2001:DB8::7]')).resolves.toEqual([{ address: '2001:db8::7' }]);
    expect(dns.queries).toBe(0);
  });

  test('an aborted look-up rejects at once and leaves no timer', async () => {
    const { clock, dns } = setUp();
    const abort = new AbortController();
    const result = outcome(dns.lookup('pbx.example', { signal: abort.signal }));
    abort.abort(new Error('enough'));
    await clock.settle();
    expect(result.error).toMatchObject({ code: 'PBX_ABORTED', kind: 'aborted' });
    expect(clock.pending).toBe(0);
    await expect(dns.lookup('pbx.example', { signal: abort.signal })).rejects.toMatchObject({ code: 'PBX_ABORTED' });
  });

  test('every host of a network asks the same name service', async () => {
    const clock = new ManualClock();
    const network = new VirtualNetwork({ clock, random: new SeededRandom(1) });
    network.dns.set('pbx.example', ['192.0.2.1']);
    network.dns.delayMs = 5;
    const host = network.host({ addresses: ['10.0.0.1'] });
    const result = outcome(host.lookup('pbx.example'));
    await clock.advance(5);
    expect(result.value).toEqual([{ address: '192.0.2.1' }]);
    await expect(host.lookup('localhost')).resolves.toEqual([{ address: '127.0.0.1' }]);
  });
});
