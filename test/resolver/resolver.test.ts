import { describe, expect, it } from 'vitest';
import { parseUri, type SipUri } from '../../src/protocol/sip/uri.js';
import { hopTarget } from '../../src/resolver/hop-target.js';
import { Resolver, type ResolverLimits } from '../../src/resolver/resolver.js';
import { createWorld } from '../../src/testing/world.js';

function sip(text: string): SipUri {
  const uri = parseUri(text);
  if (uri.kind !== 'sip') throw new Error(`${text} is no SIP URI`);
  return uri;
}

function setUp(limits: Partial<ResolverLimits> = {}) {
  const world = createWorld({ seed: 1 });
  const { network, scheduler, logger } = world.ports;
  const resolver = new Resolver({ network, scheduler, logger, limits });
  const resolve = (text: string, options?: Parameters<Resolver['resolve']>[1]) =>
    world.run(() => resolver.resolve(sip(text), options));
  return { world, dns: world.network.dns, resolver, resolve };
}

describe('the target of a URI', () => {
  it.each([
    ['sip:192.0.2.4', 'udp', '192.0.2.4', 5060],
    ['sip:100@192.0.2.4:5070', 'udp', '192.0.2.4', 5070],
    ['sip:host.example;transport=TCP', 'tcp', 'host.example', 5060],
    ['sip:host.example;transport=tls', 'tls', 'host.example', 5061],
    ['sip:host.example;transport=ws', 'ws', 'host.example', 80],
    ['sips:host.example', 'tls', 'host.example', 5061],
    ['sips:host.example;transport=tcp', 'tls', 'host.example', 5061],
    ['sips:host.example;transport=ws', 'wss', 'host.example', 443],
    ['sips:host.example:5999', 'tls', 'host.example', 5999],
    ['sip:host.example;maddr=192.0.2.9', 'udp', '192.0.2.9', 5060],
    ['sip:host.example;maddr=[2001:db8::9];transport=tcp', 'tcp', '2001:db8::9', 5060],
    ['sip:[2001:DB8::1]:5062', 'udp', '2001:DB8::1', 5062],
  ])('RFC 3263 §4.1, §4.2: %s goes by %s to %s port %i', (text, protocol, host, port) => {
    expect(hopTarget(sip(text))).toEqual({ protocol, host, port });
  });

  it('the transport of the caller goes before that of the URI', () => {
    expect(hopTarget(sip('sip:host.example;transport=udp'), 'tcp').protocol).toBe('tcp');
    expect(hopTarget(sip('sips:host.example'), 'tcp').protocol).toBe('tls');
  });

  it.each(['sip:host.example;transport=sctp', 'sips:host.example;transport=udp', 'sip:host.example;maddr=1:2'])(
    '%s is SIP_NO_ROUTE',
    (text) => {
      expect(() => hopTarget(sip(text))).toThrowError(expect.objectContaining({ code: 'SIP_NO_ROUTE' }));
    },
  );
});

describe('Resolver', () => {
  it('RFC 3263 §4.2: IP literals are taken as they are, in one spelling, and nobody is asked', async () => {
    const { dns, resolve } = setUp();
    expect(await resolve('sip:192.0.2.7')).toEqual([{ protocol: 'udp', address: '192.0.2.7', port: 5060 }]);
    expect(await resolve('sip:[2001:DB8:0:0::7];transport=tcp')).toEqual([
      { protocol: 'tcp', address: '2001:db8::7', port: 5060 },
    ]);
    expect(dns.queries).toBe(0);
  });

  it('RFC 3263 §4.2: a name gives a hop for each A and AAAA record, in order, for failover', async () => {
    const { dns, resolve } = setUp();
    dns.set('sip.example', ['2001:db8::1', '192.0.2.1', '192.0.2.2']);
    expect(await resolve('sip:SIP.Example:5080;transport=tcp')).toEqual([
      { protocol: 'tcp', address: '2001:db8::1', port: 5080 },
      { protocol: 'tcp', address: '192.0.2.1', port: 5080 },
      { protocol: 'tcp', address: '192.0.2.2', port: 5080 },
    ]);
  });

  it('keeps an answer for its TTL, and 30 s without one', async () => {
    const { world, dns, resolve } = setUp();
    dns.set('long.example', ['192.0.2.1'], { ttlSeconds: 60 });
    dns.set('none.example', ['192.0.2.2']);
    await resolve('sip:long.example');
    await resolve('sip:none.example');
    await world.advance({ seconds: 29 });
    await resolve('sip:long.example');
    await resolve('sip:none.example');
    expect(dns.queries).toBe(2);
    await world.advance({ seconds: 2 });
    await resolve('sip:long.example');
    await resolve('sip:none.example');
    expect(dns.queries).toBe(3);
    await world.advance({ seconds: 30 });
    dns.set('long.example', ['192.0.2.99']);
    expect(await resolve('sip:long.example')).toMatchObject([{ address: '192.0.2.99' }]);
  });

  it('TTLs are kept within bounds: 0 lasts a second, a year an hour', async () => {
    const { world, dns, resolve } = setUp();
    dns.set('zero.example', ['192.0.2.1'], { ttlSeconds: 0 });
    dns.set('year.example', ['192.0.2.2'], { ttlSeconds: 31_536_000 });
    await resolve('sip:zero.example');
    await resolve('sip:year.example');
    await resolve('sip:zero.example');
    expect(dns.queries).toBe(2);
    await world.advance({ minutes: 61 });
    await resolve('sip:year.example');
    await resolve('sip:zero.example');
    expect(dns.queries).toBe(4);
  });

  it('a name that does not exist is remembered for 5 s, a failing name service not at all', async () => {
    const { world, dns, resolve } = setUp();
    dns.fail('broken.example');
    for (let i = 0; i < 3; i++) {
      await expect(resolve('sip:nobody.example')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'ENOTFOUND' });
      await expect(resolve('sip:broken.example')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'EAI_AGAIN' });
    }
    expect(dns.queries).toBe(1 + 3);
    dns.set('nobody.example', ['192.0.2.3']);
    await world.advance({ seconds: 6 });
    expect(await resolve('sip:nobody.example')).toHaveLength(1);
  });

  it('asks once for all who wait for the same name', async () => {
    const { world, dns, resolver } = setUp();
    dns.set('sip.example', ['192.0.2.1']);
    dns.delayMs = 100;
    const all = await world.run(() =>
      Promise.all(Array.from({ length: 20 }, () => resolver.resolve(sip('sip:sip.example')))),
    );
    expect(all.every((hops) => hops[0]?.address === '192.0.2.1')).toBe(true);
    expect(dns.queries).toBe(1);
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

  it('a look-up that hangs fails after the time-out, and leaves no timer', async () => {
    const { world, dns, resolve } = setUp({ timeoutMs: 2000 });
    dns.set('slow.example', ['192.0.2.1']);
    dns.delayMs = 60_000;
    await expect(resolve('sip:slow.example')).rejects.toMatchObject({ code: 'DNS_FAILED', reason: 'ETIMEOUT' });
    expect(world.clock.now()).toBe(2000);
    dns.delayMs = 10;
    expect(await resolve('sip:slow.example')).toHaveLength(1);
    expect(world.leaks()).toEqual([]);
  });

  it('the cache is bounded, and clear() empties it', async () => {
    const { dns, resolver, resolve } = setUp({ capacity: 3 });
    for (const name of ['a', 'b', 'c', 'd']) dns.set(`${name}.example`, ['192.0.2.1']);
    for (const name of ['a', 'b', 'c', 'd', 'd', 'c', 'b']) await resolve(`sip:${name}.example`);
    expect(dns.queries).toBe(4);
    await resolve('sip:a.example');
    expect(dns.queries).toBe(5);
    resolver.clear();
    await resolve('sip:a.example');
    expect(dns.queries).toBe(6);
  });
});
