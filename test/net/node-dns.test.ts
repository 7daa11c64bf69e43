import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemScheduler } from '../../src/base/scheduler.js';
import { NodeNetwork } from '../../src/net/node-network.js';
import { Resolver } from '../../src/resolver/resolver.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { sip } from '../resolver/support.js';
import { DnsServer } from '../support/dns-server.js';

let server: DnsServer;
let network: NodeNetwork;
beforeEach(async () => {
  server = await DnsServer.start();
  network = new NodeNetwork({ dnsServers: [server.address] });
});
afterEach(() => server.stop());

/** A resolver over real datagrams. */
function resolver(): Resolver {
  const scheduler = new SystemScheduler({ onError: () => {} });
  return new Resolver({ network, scheduler, random: new SeededRandom(5), families: () => [4, 6] });
}

const hops = async (text: string, own = resolver()): Promise<string[]> =>
  (await own.resolve(sip(text))).map(({ protocol, address, port }) => `${protocol} ${address}:${port}`);

describe('NodeNetwork and a DNS server', () => {
  it('reads A, AAAA, SRV and NAPTR records; TTLs of addresses', async () => {
    server.zone = {
      'office.example': [
        { type: 'A', address: '192.0.2.1', ttl: 77 },
        { type: 'AAAA', address: '2001:db8::1', ttl: 88 },
        {
          type: 'NAPTR',
          order: 1,
          preference: 2,
          flags: 's',
          service: 'SIP+D2U',
          replacement: '_sip._udp.office.example',
        },
      ],
      '_sip._udp.office.example': [{ type: 'SRV', priority: 1, weight: 2, port: 5070, target: 'office.example' }],
      '_sip._tcp.office.example': [{ type: 'SRV', priority: 0, weight: 0, port: 0, target: '' }],
    };
    expect(await network.resolveAddresses('office.example', 4)).toEqual([{ address: '192.0.2.1', ttlSeconds: 77 }]);
    expect(await network.resolveAddresses('office.example', 6)).toEqual([{ address: '2001:db8::1', ttlSeconds: 88 }]);
    expect(await network.resolveSrv('_sip._udp.office.example')).toEqual([
      { priority: 1, weight: 2, port: 5070, target: 'office.example' },
    ]);
    expect(await network.resolveSrv('_sip._tcp.office.example')).toMatchObject([{ target: '' }]);
    expect(await network.resolveNaptr('office.example')).toEqual([
      { order: 1, preference: 2, flags: 's', service: 'SIP+D2U', regexp: '', replacement: '_sip._udp.office.example' },
    ]);
  });

  it('tells a name and a record that do not exist from a server that fails', async () => {
    server.zone = { 'office.example': [{ type: 'A', address: '192.0.2.1' }] };
    server.broken.set('broken.example', 'servfail');
    const reason = (name: string): Promise<unknown> => network.resolveSrv(name).catch((error: unknown) => error);
    expect(await reason('nobody.example')).toMatchObject({ code: 'DNS_FAILED', reason: 'ENOTFOUND', notFound: true });
    expect(await reason('office.example')).toMatchObject({ code: 'DNS_FAILED', reason: 'ENODATA', notFound: true });
    expect(await reason('broken.example')).toMatchObject({ code: 'DNS_FAILED', reason: 'ESERVFAIL', notFound: false });
    expect(await reason('no\0name')).toMatchObject({ code: 'DNS_FAILED' });
  });

  it('a server that never answers: DNS_FAILED in bounded time; an abort ends the wait at once', async () => {
    server.broken.set('silent.example', 'silent');
    const controller = new AbortController();
    const aborted = network.resolveAddresses('silent.example', 4, { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'PBX_ABORTED' });
    await expect(network.resolveSrv('silent.example')).rejects.toMatchObject({
      code: 'DNS_FAILED',
      reason: 'ETIMEOUT',
    });
  }, 15_000);

  it('a server that is no address is PBX_INVALID_ARGUMENT', () => {
    expect(() => new NodeNetwork({ dnsServers: ['ns.example'] })).toThrowError(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
  });

  it.each(['wrong-id', 'wrong-source'] as const)(
    'RFC 5452: an answer that is not to our question (%s) is passed over for the right one',
    async (kind) => {
      server.zone = { 'bank.example': [{ type: 'A', address: '192.0.2.1' }] };
      server.spoof = { kind, address: '203.0.113.66' };
      expect(await network.resolveAddresses('bank.example', 4)).toMatchObject([{ address: '192.0.2.1' }]);
    },
  );

  it('RFC 5452: an answer without the question is not believed', async () => {
    server.zone = { 'bank.example': [{ type: 'A', address: '192.0.2.1' }] };
    server.spoof = { kind: 'no-question', address: '203.0.113.66' };
    await expect(network.resolveAddresses('bank.example', 4)).rejects.toMatchObject({ code: 'DNS_FAILED' });
  });
});

describe('Resolver over a real DNS server', () => {
  it('RFC 3263 §4: NAPTR to SRV to A, through a CNAME, and an answer is asked for once', async () => {
    server.zone = {
      'carrier.example': [
        {
          type: 'NAPTR',
          order: 10,
          preference: 1,
          flags: 'S',
          service: 'SIP+D2T',
          replacement: '_sip._tcp.carrier.example',
        },
        {
          type: 'NAPTR',
          order: 20,
          preference: 1,
          flags: 'S',
          service: 'SIP+D2U',
          replacement: '_sip._udp.carrier.example',
        },
      ],
      '_sip._tcp.carrier.example': [
        { type: 'SRV', priority: 1, weight: 1, port: 5070, target: 'edge.carrier.example' },
      ],
      '_sip._udp.carrier.example': [
        { type: 'SRV', priority: 2, weight: 1, port: 5062, target: 'core.carrier.example' },
        { type: 'SRV', priority: 1, weight: 1, port: 5061, target: 'edge.carrier.example' },
      ],
      'edge.carrier.example': [{ type: 'CNAME', target: 'edge-1.carrier.example' }],
      'edge-1.carrier.example': [{ type: 'A', address: '192.0.2.1' }],
      'core.carrier.example': [{ type: 'AAAA', address: '2001:db8::2' }],
    };
    const own = resolver();
    const expected = ['tcp 192.0.2.1:5070', 'udp 192.0.2.1:5061', 'udp 2001:db8::2:5062'];
    expect(await hops('sip:carrier.example', own)).toEqual(expected);
    const asked = server.asked.length;
    expect(await hops('sip:carrier.example', own)).toEqual(expected);
    expect(server.asked).toHaveLength(asked);
  });

  it('a circle of CNAMEs ends in DNS_FAILED', async () => {
    server.zone = {
      'a.example': [{ type: 'CNAME', target: 'b.example' }],
      'b.example': [{ type: 'CNAME', target: 'a.example' }],
    };
    await expect(hops('sip:a.example:5060')).rejects.toMatchObject({ code: 'DNS_FAILED' });
  });

  it('RFC 2782: weights 60, 30 and 10 share the calls', async () => {
    server.zone = {
      '_sip._udp.share.example': [60, 30, 10].map((weight) => ({
        type: 'SRV' as const,
        priority: 1,
        weight,
        port: 5060,
        target: `w${weight}.share.example`,
      })),
      ...Object.fromEntries(
        [60, 30, 10].map((weight) => [
          `w${weight}.share.example`,
          [{ type: 'A' as const, address: `192.0.2.${weight}` }],
        ]),
      ),
    };
    const own = resolver();
    const firsts = new Map<string | undefined, number>();
    for (let i = 0; i < 3000; i++) {
      const [first] = await hops('sip:share.example;transport=udp', own);
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    for (const weight of [60, 30, 10])
      expect(Math.abs((firsts.get(`udp 192.0.2.${weight}:5060`) ?? 0) / 3000 - weight / 100)).toBeLessThan(0.03);
  });

  it('names of the hosts file are found although DNS does not know them', async () => {
    expect(await hops('sip:localhost:5066')).toContain('udp 127.0.0.1:5066');
    expect(server.asked).toEqual([]);
  });
});
