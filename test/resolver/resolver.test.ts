import { describe, expect, it } from 'vitest';
import { setUp, sip } from './support.js';

/** What a domain of RFC 3263 §4.1 has: NAPTR for three transports, SRV for each, two servers. */
function wholeDomain(bench: ReturnType<typeof setUp>): void {
  const { dns } = bench;
  dns.setNaptr('example.com', [
    { order: 100, preference: 50, service: 'SIP+D2U', replacement: '_sip._udp.example.com' },
    { order: 90, preference: 50, service: 'SIP+D2T', replacement: '_sip._tcp.example.com' },
    { order: 50, preference: 50, service: 'SIPS+D2T', replacement: '_sips._tcp.example.com' },
  ]);
  for (const [name, port] of [
    ['_sip._udp', 5060],
    ['_sip._tcp', 5060],
    ['_sips._tcp', 5061],
  ] as const)
    dns.setSrv(`${name}.example.com`, [
      { priority: 20, port, target: 'server2.example.com' },
      { priority: 10, port, target: 'server1.example.com' },
    ]);
  dns.set('server1.example.com', ['192.0.2.1']);
  dns.set('server2.example.com', ['192.0.2.2']);
}

describe('RFC 3263 §4.1, §4.2: what needs no or few questions', () => {
  it('an IP literal is taken as it is, in one spelling, and nobody is asked', async () => {
    const { dns, resolve } = setUp();
    expect(await resolve('sip:192.0.2.7')).toEqual([{ protocol: 'udp', address: '192.0.2.7', port: 5060 }]);
    expect(await resolve('sips:192.0.2.7')).toEqual([{ protocol: 'tls', address: '192.0.2.7', port: 5061 }]);
    expect(await resolve('sip:[2001:DB8:0:0::7];transport=tcp')).toEqual([
      { protocol: 'tcp', address: '2001:db8::7', port: 5060 },
    ]);
    expect(dns.queries).toBe(0);
  });

  it('an IP literal is known at once; a name is not, and what leads nowhere is an error', () => {
    const { dns, resolver } = setUp();
    expect(resolver.atOnce(sip('sip:192.0.2.7:5070'))).toEqual({ protocol: 'udp', address: '192.0.2.7', port: 5070 });
    expect(resolver.atOnce(sip('sip:192.0.2.7'), 'tcp')).toMatchObject({ protocol: 'tcp', port: 5060 });
    expect(resolver.atOnce(sip('sip:example.com'))).toBeUndefined();
    expect(() => resolver.atOnce(sip('sip:192.0.2.7;transport=carrier-pigeon'))).toThrow('leads nowhere');
    expect(dns.queries).toBe(0);
  });

  it('an explicit port: A and AAAA records at once, UDP or what the URI says, that port; the name stays with the hop', async () => {
    const bench = setUp();
    wholeDomain(bench);
    const { dns, hops, resolve } = bench;
    dns.set('example.com', ['192.0.2.9']);
    expect(await hops('sip:example.com:5060')).toEqual(['udp 192.0.2.9:5060']);
    expect(await hops('sip:example.com:5080;transport=tcp')).toEqual(['tcp 192.0.2.9:5080']);
    expect(await hops('sips:example.com:5061')).toEqual(['tls 192.0.2.9:5061']);
    expect(await resolve('sip:example.com:5060')).toMatchObject([{ name: 'example.com' }]);
    expect(dns.asked).toEqual(['A example.com', 'AAAA example.com']);
  });

  it('an explicit transport: no NAPTR question, the SRV records of that transport', async () => {
    const bench = setUp();
    wholeDomain(bench);
    const { dns, hops } = bench;
    expect(await hops('sip:example.com;transport=tcp')).toEqual(['tcp 192.0.2.1:5060', 'tcp 192.0.2.2:5060']);
    expect(dns.asked[0]).toBe('SRV _sip._tcp.example.com');
    expect(await hops('sips:example.com;transport=tcp')).toEqual(['tls 192.0.2.1:5061', 'tls 192.0.2.2:5061']);
    expect(dns.asked.some((question) => question.startsWith('NAPTR'))).toBe(false);
  });

  it('an explicit transport without SRV records: A and AAAA records at the default port', async () => {
    const { dns, hops } = setUp();
    dns.set('plain.example', ['192.0.2.5']);
    expect(await hops('sip:plain.example;transport=tls')).toEqual(['tls 192.0.2.5:5061']);
    expect(dns.asked[0]).toBe('SRV _sips._tcp.plain.example');
  });

  it('localhost is this machine, and DNS is not asked (RFC 6761 §6.3)', async () => {
    const { dns, hops } = setUp();
    dns.set('localhost', ['192.0.2.66']);
    expect(await hops('sip:localhost')).toEqual(['udp 127.0.0.1:5060']);
    expect(dns.queries).toBe(0);
  });
});

describe('RFC 3263 §4.1: NAPTR', () => {
  it('order and preference choose the transport, among those that we speak', async () => {
    const bench = setUp();
    wholeDomain(bench);
    expect(await bench.hops('sip:example.com')).toEqual([
      'tcp 192.0.2.1:5060',
      'tcp 192.0.2.2:5060',
      'udp 192.0.2.1:5060',
      'udp 192.0.2.2:5060',
    ]);
    const secure = setUp({}, { protocols: () => ['udp', 'tcp', 'tls'] });
    wholeDomain(secure);
    expect((await secure.hops('sip:example.com'))[0]).toBe('tls 192.0.2.1:5061');
    const datagrams = setUp({}, { protocols: () => ['udp'] });
    wholeDomain(datagrams);
    expect(await datagrams.hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060', 'udp 192.0.2.2:5060']);
  });

  it('the order goes before the preference', async () => {
    const { dns, hops } = setUp();
    dns.setNaptr('example.com', [
      { order: 20, preference: 1, service: 'SIP+D2U', replacement: '_sip._udp.example.com' },
      { order: 10, preference: 99, service: 'sip+d2t', flags: 'S', replacement: '_sip._tcp.example.com' },
    ]);
    for (const name of ['_sip._udp', '_sip._tcp'])
      dns.setSrv(`${name}.example.com`, [{ port: 5070, target: 'a.example' }]);
    dns.set('a.example', ['192.0.2.1']);
    expect(await hops('sip:example.com')).toEqual(['tcp 192.0.2.1:5070', 'udp 192.0.2.1:5070']);
  });

  it('a sips URI uses the SIPS services only, even if we could not speak TLS', async () => {
    const bench = setUp({}, { protocols: () => ['udp', 'tcp', 'tls'] });
    wholeDomain(bench);
    expect(await bench.hops('sips:example.com')).toEqual(['tls 192.0.2.1:5061', 'tls 192.0.2.2:5061']);
    const plain = setUp();
    wholeDomain(plain);
    plain.dns.set('example.com', ['192.0.2.9']);
    expect(await plain.hops('sips:example.com')).toEqual(['tls 192.0.2.9:5061']);
  });

  it('the replacement may be in another domain; the name to certify stays that of the URI', async () => {
    const { dns, resolve } = setUp();
    dns.setNaptr('example.com', [{ service: 'SIP+D2T', replacement: '_sip._tcp.school.example' }]);
    dns.setSrv('_sip._tcp.school.example', [{ port: 5065, target: 'host.school.example' }]);
    dns.set('host.school.example', ['192.0.2.3']);
    expect(await resolve('sip:example.com')).toEqual([
      { protocol: 'tcp', address: '192.0.2.3', port: 5065, name: 'example.com' },
    ]);
  });

  it('rules that are not terminal, have a regular expression or name another service are passed over: no rule leads on', async () => {
    const { dns, hops } = setUp();
    dns.setNaptr('example.com', [
      { service: 'SIP+D2U', flags: '', replacement: 'example.com' },
      { service: 'SIP+D2U', flags: 'u', regexp: '!^.*$!sip:x@evil.example!', replacement: '' },
      { service: 'E2U+sip', replacement: '_sip._udp.evil.example' },
      { service: 'SIP+D2S', replacement: '_sip._sctp.example.com' },
    ]);
    dns.set('example.com', ['192.0.2.8']);
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.8:5060']);
    expect(dns.asked.filter((question) => question.startsWith('NAPTR'))).toEqual(['NAPTR example.com']);
  });

  it('a rule whose SRV records are missing: the addresses of the domain, by the transport that it named', async () => {
    const { dns, hops } = setUp();
    dns.setNaptr('example.com', [{ service: 'SIP+D2T', replacement: '_sip._tcp.example.com' }]);
    dns.set('example.com', ['192.0.2.8']);
    expect(await hops('sip:example.com')).toEqual(['tcp 192.0.2.8:5060']);
  });
});

describe('RFC 3263 §4.2, RFC 2782: SRV', () => {
  it('without NAPTR: SRV for each transport that we speak, ours the preferred first', async () => {
    const setZone = ({ dns }: ReturnType<typeof setUp>): void => {
      dns.setSrv('_sip._udp.example.com', [{ port: 5070, target: 'a.example' }]);
      dns.setSrv('_sip._tcp.example.com', [{ port: 5071, target: 'a.example' }]);
      dns.setSrv('_sips._tcp.example.com', [{ port: 5072, target: 'a.example' }]);
      dns.set('a.example', ['192.0.2.1']);
    };
    const bench = setUp();
    setZone(bench);
    expect(await bench.hops('sip:example.com')).toEqual(['udp 192.0.2.1:5070', 'tcp 192.0.2.1:5071']);
    const streams = setUp({}, { protocols: () => ['tcp', 'udp', 'tls'] });
    setZone(streams);
    expect(await streams.hops('sip:example.com')).toEqual(['tcp 192.0.2.1:5071', 'udp 192.0.2.1:5070']);
    expect(await streams.hops('sips:example.com')).toEqual(['tls 192.0.2.1:5072']);
    expect(bench.dns.asked).not.toContain('SRV _sips._tcp.example.com');
  });

  it('without SRV: A and AAAA records, UDP for sip and TLS for sips, the default port', async () => {
    const { dns, hops } = setUp();
    dns.set('example.com', ['192.0.2.1', '192.0.2.2']);
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060', 'udp 192.0.2.2:5060']);
    expect(await hops('sips:example.com')).toEqual(['tls 192.0.2.1:5061', 'tls 192.0.2.2:5061']);
    expect(dns.asked.slice(0, 3)).toEqual([
      'NAPTR example.com',
      'SRV _sip._udp.example.com',
      'SRV _sip._tcp.example.com',
    ]);
  });

  it('the weights share the requests among servers of one priority', async () => {
    const { dns, resolve, resolver, world } = setUp();
    dns.setSrv('_sip._udp.example.com', [
      { weight: 3, port: 5060, target: 'big.example' },
      { weight: 1, port: 5060, target: 'small.example' },
    ]);
    dns.set('big.example', ['192.0.2.1'], { ttlSeconds: 3600 });
    dns.set('small.example', ['192.0.2.2'], { ttlSeconds: 3600 });
    await resolve('sip:example.com;transport=udp');
    let big = 0;
    const uri = sip('sip:example.com;transport=udp');
    await world.run(async () => {
      for (let i = 0; i < 2000; i++) if ((await resolver.resolve(uri))[0]?.address === '192.0.2.1') big++;
    });
    expect(Math.abs(big / 2000 - 0.75)).toBeLessThan(0.04);
  });

  it('RFC 2782: the target "." means that the service is decidedly not available: nothing else is tried', async () => {
    const { dns, hops, resolve } = setUp();
    dns.set('example.com', ['192.0.2.1']);
    dns.setSrv('_sip._tcp.example.com', [{ port: 0, target: '' }]);
    await expect(resolve('sip:example.com;transport=tcp')).rejects.toMatchObject({ code: 'SIP_NO_ROUTE' });
    expect(dns.asked).not.toContain('A example.com');
    // One transport is refused, the other served.
    dns.setSrv('_sip._udp.example.com', [{ port: 5066, target: 'example.com' }]);
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5066']);
  });

  it('a target without address does not hide the others', async () => {
    const { dns, hops } = setUp();
    dns.setSrv('_sip._udp.example.com', [
      { priority: 1, port: 5060, target: 'gone.example' },
      { priority: 2, port: 5060, target: 'broken.example' },
      { priority: 3, port: 5060, target: 'good.example' },
    ]);
    dns.fail('broken.example');
    dns.set('good.example', ['192.0.2.3']);
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.3:5060']);
  });

  it('one server in several records is one hop', async () => {
    const { dns, hops } = setUp();
    dns.setSrv('_sip._udp.example.com', [
      { priority: 1, port: 5060, target: 'a.example' },
      { priority: 2, port: 5060, target: 'b.example' },
    ]);
    dns.set('a.example', ['192.0.2.3']);
    dns.set('b.example', ['192.0.2.3', '192.0.2.4']);
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.3:5060', 'udp 192.0.2.4:5060']);
  });
});

describe('address families', () => {
  it('the preferred first, of each server', async () => {
    const { dns, hops } = setUp({}, { families: () => [6, 4] });
    dns.setSrv('_sip._udp.example.com', [
      { priority: 1, port: 5060, target: 'a.example' },
      { priority: 2, port: 5060, target: 'b.example' },
    ]);
    dns.set('a.example', ['192.0.2.1', '2001:db8::1']);
    dns.set('b.example', ['192.0.2.2']);
    expect(await hops('sip:example.com')).toEqual(['udp 2001:db8::1:5060', 'udp 192.0.2.1:5060', 'udp 192.0.2.2:5060']);
  });

  it('one that we have no socket for is not asked about, and an address of it alone is SIP_NO_ROUTE', async () => {
    const { dns, hops, resolve } = setUp({}, { families: () => [4] });
    dns.set('both.example', ['2001:db8::1', '192.0.2.1']);
    dns.set('six.example', ['2001:db8::6']);
    expect(await hops('sip:both.example:5060')).toEqual(['udp 192.0.2.1:5060']);
    expect(dns.asked).toEqual(['A both.example']);
    await expect(resolve('sip:six.example:5060')).rejects.toMatchObject({ code: 'SIP_NO_ROUTE' });
  });
});

describe('hostile and broken DNS', () => {
  it('a thousand SRV records, each with a hundred addresses: a few hops, a few questions', async () => {
    const { dns, hops } = setUp();
    const targets = Array.from({ length: 1000 }, (_, i) => ({ port: 5060, target: `t${i}.example` }));
    dns.setSrv('_sip._udp.example.com', targets);
    for (const [i, { target }] of targets.entries())
      dns.set(
        target,
        Array.from({ length: 100 }, (_, j) => `10.${i >> 8}.${i & 255}.${j + 1}`),
      );
    expect(await hops('sip:example.com')).toHaveLength(12);
    expect(dns.queries).toBeLessThanOrEqual(3 + 2 * 12);
  });

  it('among very many records those of the lowest priority number remain', async () => {
    const { dns, hops } = setUp();
    const many = Array.from({ length: 500 }, (_, i) => ({
      priority: 500 - i,
      port: 5060,
      target: `p${500 - i}.example`,
    }));
    dns.setSrv('_sip._udp.example.com', many);
    dns.set('p1.example', ['192.0.2.1']);
    dns.set('p2.example', ['192.0.2.2']);
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060', 'udp 192.0.2.2:5060']);
  });

  it('a name server that fails on NAPTR and SRV questions: the addresses of the domain', async () => {
    const { dns, hops } = setUp();
    dns.fail('example.com', 'ESERVFAIL');
    dns.fail('_sip._udp.example.com', 'ESERVFAIL');
    await expect(hops('sip:example.com')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'ESERVFAIL' });
    dns.set('example.com', ['192.0.2.1']);
    dns.fail('_sip._tcp.example.com', 'ETIMEOUT');
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060']);
  });

  it('a secondary whose address does not come is waited for no longer than the stragglers’ time', async () => {
    const { world, dns, hops } = setUp({ stragglersMs: 700 });
    dns.setSrv('_sip._udp.example.com', [
      { priority: 1, port: 5060, target: 'quick.example' },
      { priority: 2, port: 5060, target: 'slow.example' },
    ]);
    dns.set('quick.example', ['192.0.2.1']);
    dns.set('slow.example', ['192.0.2.2']);
    const lookup = dns.resolveAddresses.bind(dns);
    dns.resolveAddresses = async (host, family, options) => {
      if (host === 'slow.example') await new Promise<void>((resolve) => void world.clock.after(3000, resolve));
      return lookup(host, family, options);
    };
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060']);
    expect(world.clock.now()).toBeLessThan(1000);
    await world.advance({ seconds: 4 });
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060', 'udp 192.0.2.2:5060']);
    expect(world.leaks()).toEqual([]);
  });

  it('a question that hangs fails after its time-out, the whole search after its own, and leaves no timer', async () => {
    const { world, dns, resolve } = setUp({ queryTimeoutMs: 2000, timeoutMs: 5000 });
    dns.set('slow.example', ['192.0.2.1']);
    dns.delayMs = 60_000;
    await expect(resolve('sip:slow.example:5060')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'ETIMEOUT' });
    expect(world.clock.now()).toBe(4000); // A and AAAA together, then the hosts file
    await expect(resolve('sip:slow.example')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'ETIMEOUT' });
    expect(world.clock.now()).toBe(9000);
    dns.delayMs = 10;
    expect(await resolve('sip:slow.example')).toHaveLength(1);
    await world.advance({ seconds: 10 });
    expect(world.leaks()).toEqual([]);
  });

  it('more questions at a time than the limit fail at once', async () => {
    const { world, dns, resolver, resolve } = setUp({ maxQueries: 4 });
    dns.delayMs = 1000;
    const first = resolver.resolve(sip('sip:a.example:5060'));
    const second = resolver.resolve(sip('sip:b.example:5060'));
    for (const each of [first, second]) each.catch(() => {});
    await expect(resolve('sip:c.example:5060')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'EBUSY' });
    expect(world.clock.now()).toBe(0);
    await world.advance({ seconds: 3 });
  });

  it('close() ends what is under way and leaves no timer', async () => {
    const { world, dns, resolver } = setUp();
    dns.delayMs = 3000;
    const waiting = resolver.resolve(sip('sip:a.example'));
    waiting.catch(() => {});
    await world.advance({ ms: 10 });
    resolver.close();
    await expect(world.run(() => waiting)).rejects.toMatchObject({ name: expect.any(String) });
    expect(world.clock.now()).toBe(10);
    expect(world.leaks()).toEqual([]);
  });
});

describe('the cache', () => {
  const addresses = (asked: readonly string[]): string[] => asked.filter((question) => question.startsWith('A '));

  it('keeps an answer for its TTL, and 30 s without one', async () => {
    const { world, dns, resolve } = setUp();
    dns.set('long.example', ['192.0.2.1'], { ttlSeconds: 60 });
    dns.set('none.example', ['192.0.2.2']);
    const both = async (): Promise<void> => {
      await resolve('sip:long.example:5060');
      await resolve('sip:none.example:5060');
    };
    await both();
    await world.advance({ seconds: 29 });
    await both();
    expect(addresses(dns.asked)).toEqual(['A long.example', 'A none.example']);
    await world.advance({ seconds: 2 });
    await both();
    expect(addresses(dns.asked)).toHaveLength(3);
    await world.advance({ seconds: 30 });
    dns.set('long.example', ['192.0.2.99']);
    expect(await resolve('sip:long.example:5060')).toMatchObject([{ address: '192.0.2.99' }]);
  });

  it('SRV and NAPTR answers too: a record that changes is seen when its TTL is over', async () => {
    const { world, dns, hops } = setUp();
    dns.setNaptr('example.com', [{ service: 'SIP+D2U', replacement: '_sip._udp.example.com' }], { ttlSeconds: 600 });
    dns.setSrv('_sip._udp.example.com', [{ port: 5060, target: 'a.example' }], { ttlSeconds: 20 });
    dns.set('a.example', ['192.0.2.1'], { ttlSeconds: 600 });
    dns.set('b.example', ['192.0.2.2']);
    await hops('sip:example.com');
    const asked = dns.queries;
    dns.setSrv('_sip._udp.example.com', [{ port: 5060, target: 'b.example' }]);
    await world.advance({ seconds: 4 });
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.1:5060']);
    expect(dns.queries).toBe(asked);
    await world.advance({ seconds: 17 });
    expect(await hops('sip:example.com')).toEqual(['udp 192.0.2.2:5060']);
    expect(dns.asked.filter((question) => question.startsWith('NAPTR'))).toHaveLength(1);
  });

  it('TTLs are kept within bounds: 0 lasts a second, a year an hour', async () => {
    const { world, dns, resolve } = setUp();
    dns.set('zero.example', ['192.0.2.1'], { ttlSeconds: 0 });
    dns.set('year.example', ['192.0.2.2'], { ttlSeconds: 31_536_000 });
    await resolve('sip:zero.example:5060');
    await resolve('sip:year.example:5060');
    await resolve('sip:zero.example:5060');
    expect(addresses(dns.asked)).toHaveLength(2);
    await world.advance({ minutes: 61 });
    await resolve('sip:year.example:5060');
    await resolve('sip:zero.example:5060');
    expect(addresses(dns.asked)).toHaveLength(4);
  });

  it('a name that does not exist is remembered for 5 s, a failing name service not at all', async () => {
    const { world, dns, resolve } = setUp();
    dns.fail('broken.example');
    for (let i = 0; i < 3; i++) {
      await expect(resolve('sip:nobody.example')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'ENOTFOUND' });
      await expect(resolve('sip:broken.example')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'EAI_AGAIN' });
    }
    expect(addresses(dns.asked)).toEqual(['A nobody.example', ...Array.from({ length: 3 }, () => 'A broken.example')]);
    dns.set('nobody.example', ['192.0.2.3']);
    await world.advance({ seconds: 6 });
    expect(await resolve('sip:nobody.example')).toHaveLength(1);
  });

  it('what DNS does not know, the hosts file may', async () => {
    const { dns, hops } = setUp();
    dns.resolveAddresses = (host) => dns.resolveSrv(`nothing at ${host}`) as Promise<never>;
    dns.set('printer.lan', ['192.0.2.44']);
    expect(await hops('sip:printer.lan')).toEqual(['udp 192.0.2.44:5060']);
  });

  it('asks once for all who wait for the same name', async () => {
    const { world, dns, resolver } = setUp();
    dns.set('sip.example', ['192.0.2.1']);
    dns.delayMs = 100;
    const all = await world.run(() =>
      Promise.all(Array.from({ length: 20 }, () => resolver.resolve(sip('sip:sip.example')))),
    );
    expect(all.every((hops) => hops[0]?.address === '192.0.2.1')).toBe(true);
    expect(dns.queries).toBe(5);
  });

  it('an abort ends the wait of that caller at once and of no other', async () => {
    const { world, dns, resolver } = setUp();
    dns.set('sip.example', ['192.0.2.1']);
    dns.delayMs = 1000;
    const controller = new AbortController();
    const aborted = resolver.resolve(sip('sip:sip.example'), { signal: controller.signal });
    const patient = resolver.resolve(sip('sip:sip.example'));
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'PBX_ABORTED' });
    expect(world.clock.now()).toBe(0);
    expect(await world.run(() => patient)).toHaveLength(1);
    await expect(resolver.resolve(sip('sip:sip.example'), { signal: controller.signal })).rejects.toMatchObject({
      code: 'PBX_ABORTED',
    });
  });

  it('is bounded, and clear() empties it', async () => {
    const { dns, resolver, resolve } = setUp({ capacity: 3 }, { families: () => [4] });
    for (const name of ['a', 'b', 'c', 'd']) dns.set(`${name}.example`, ['192.0.2.1']);
    for (const name of ['a', 'b', 'c', 'd', 'd', 'c', 'b']) await resolve(`sip:${name}.example:5060`);
    expect(dns.queries).toBe(4);
    await resolve('sip:a.example:5060');
    expect(dns.queries).toBe(5);
    resolver.clear();
    await resolve('sip:a.example:5060');
    expect(dns.queries).toBe(6);
  });
});
