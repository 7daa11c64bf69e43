/** The registration of external lines against scripted registrars: RFC 3261 §10.2, and what carriers do (product facts, part 2). */
import { describe, expect } from 'vitest';
import type { NatKind } from '../../src/testing/nat.js';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import type { RawPeer, WireMessage } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import {
  contactOf,
  type RegistrarScript,
  registersOf,
  scriptedRegistrar,
  type TrunkStack,
  trunkStack,
} from '../support/trunks.js';

const LINE: LineOptions = { name: '1234', server: '198.51.100.1', username: '1234', password: 'secret' };
const TENANT = 'default';

const challenge = (realm = 'carrier', extra = '', nonce = 'n'): { status: number; headers: string[] } => ({
  status: 401,
  headers: [`WWW-Authenticate: Digest realm="${realm}", nonce="${nonce}", algorithm=MD5, qop="auth"${extra}`],
});

/** A line of `options` at a registrar that follows the script. */
async function line(
  world: World,
  script: RegistrarScript,
  options: Partial<LineOptions> = {},
): Promise<TrunkStack & { readonly carrier: RawPeer }> {
  const carrier = await scriptedRegistrar(world, script);
  const stack = await trunkStack(world);
  await world.run(() => stack.trunks.configure(TENANT, { lines: [{ ...LINE, ...options }] }));
  return { ...stack, carrier };
}

const seconds = (messages: readonly WireMessage[]): number[] => messages.map(({ at }) => Math.round(at / 1000));
const gaps = (messages: readonly WireMessage[]): number[] =>
  messages.slice(1).map((message, i) => (message.at - (messages[i]?.at ?? 0)) / 1000);
const stateOf = (stack: TrunkStack): string | undefined => stack.trunks.lines(TENANT)[0]?.state.kind;
const granted = (grantSeconds?: number) => ({ status: 200, ...(grantSeconds === undefined ? {} : { grantSeconds }) });

describe('RFC 3261 §10.2: a registration', () => {
  scenario('says who, where and for how long; the Contact is a token of the line’s own', { seed: 1 }, async (world) => {
    const { carrier, told, ...stack } = await line(world, () => granted(), { displayName: 'Office' });
    await world.advance({ seconds: 5 });
    const [register] = registersOf(carrier);
    expect(register?.uri).toBe('sip:198.51.100.1');
    expect(register?.header('From')).toMatch(/^"Office" <sip:1234@198\.51\.100\.1>;tag=\w+$/);
    expect(register?.header('To')).toBe('"Office" <sip:1234@198.51.100.1>');
    expect([register?.header('Expires'), register?.header('Supported')]).toEqual(['3600', 'path']);
    expect(contactOf(register)).toMatchObject({ host: '192.0.2.1', port: 5060 });
    expect(contactOf(register).user).toMatch(/^[0-9a-f]{24}$/);
    expect(told).toEqual(['line.registered 1234']);
    expect(stateOf({ ...stack, told })).toBe('registered');
  });

  scenario(
    'is refreshed before the exact granted expiry: one Call-ID, CSeq rising (§10.2.4)',
    { seed: 2 },
    async (world) => {
      // The carrier shortens 3600 to 60.
      const { carrier, told } = await line(world, () => granted(60));
      await world.advance({ minutes: 10 });
      const all = registersOf(carrier);
      for (const gap of gaps(all)) {
        expect(gap).toBeGreaterThanOrEqual(21);
        expect(gap).toBeLessThanOrEqual(27);
      }
      expect(new Set(gaps(all)).size).toBeGreaterThan(5);
      expect(new Set(all.map(({ callId }) => callId)).size).toBe(1);
      expect(all.map(({ cseq }) => cseq)).toEqual(all.map((_, i) => i + 1));
      expect(new Set(all.map((each) => contactOf(each).user)).size).toBe(1);
      expect(told).toEqual(['line.registered 1234']);
    },
  );

  scenario(
    'callId "new": each REGISTER has one of its own, for carriers that break on the same',
    { seed: 3 },
    async (world) => {
      const { carrier } = await line(world, () => granted(60), { callId: 'new' });
      await world.advance({ minutes: 3 });
      const all = registersOf(carrier);
      expect(new Set(all.map(({ callId }) => callId)).size).toBe(all.length);
    },
  );

  scenario('domain, proxy, user name with a domain: product facts, part 2', { seed: 4 }, async (world) => {
    const { carrier } = await line(
      world,
      (request) => (request.header('Authorization') === undefined ? challenge() : granted()),
      {
        server: 'registrar.ims.example',
        domain: 'ims.example',
        proxy: '198.51.100.1',
        authorizationId: '1234@ims.example',
      },
    );
    await world.advance({ seconds: 5 });
    const [first, second] = registersOf(carrier);
    expect([first?.uri, first?.header('Route')]).toEqual(['sip:ims.example', '<sip:198.51.100.1;lr>']);
    expect(first?.header('To')).toBe('<sip:1234@ims.example>');
    expect(second?.header('Authorization')).toContain('username="1234@ims.example"');
    expect(second?.header('Authorization')).toContain('uri="sip:ims.example"');
  });

  scenario(
    'close removes it (Expires 0), and waits for a silent carrier no longer than said',
    { seed: 5 },
    async (world) => {
      let silent = false;
      const { carrier, trunks, told } = await line(world, () => (silent ? undefined : granted()));
      await world.advance({ seconds: 5 });
      silent = true;
      const begin = world.clock.now();
      await world.run(() => trunks.close());
      expect(world.clock.now() - begin).toBe(2000);
      const all = registersOf(carrier);
      expect(all.map((each) => each.header('Expires'))).toEqual(['3600', '0']);
      expect(contactOf(all[1])).toEqual(contactOf(all[0]));
      expect(told).toEqual(['line.registered 1234', 'line.unregistered 1234']);
    },
  );

  scenario(
    'closed while the first REGISTER is under way: removed once it was granted, not before (§10.2)',
    { seed: 6 },
    async (world) => {
      const { carrier, trunks } = await line(world, () => granted());
      await world.until(() => carrier.received.length > 0);
      await world.run(() => trunks.close());
      expect(registersOf(carrier).map((each) => each.header('Expires'))).toEqual(['3600', '0']);
    },
  );
});

describe('digest (RFC 3261 §22)', () => {
  scenario('is answered once; refreshes carry credentials at once', { seed: 10 }, async (world) => {
    const { carrier } = await line(world, (request) =>
      request.header('Authorization') === undefined ? challenge() : granted(60),
    );
    await world.advance({ minutes: 2 });
    const all = registersOf(carrier);
    expect(all.slice(0, 4).map((each) => each.header('Authorization') !== undefined)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(all.slice(1, 4).map((each) => /nc=(\d+)/.exec(each.header('Authorization') ?? '')?.[1])).toEqual([
      '00000001',
      '00000002',
      '00000003',
    ]);
    expect(all.map(({ cseq }) => cseq)).toEqual(all.map((_, i) => i + 1));
  });

  scenario(
    'endless 401: an attempt is two REGISTERs, five attempts, then the line is suspended',
    { seed: 11 },
    async (world) => {
      const { carrier, told, ...stack } = await line(world, (_, count) => challenge('carrier', '', `n${count}`));
      await world.advance({ minutes: 24 * 60 });
      const all = registersOf(carrier);
      expect(all.map((each) => each.header('Authorization') !== undefined)).toEqual(
        Array.from({ length: 10 }, (_, i) => i % 2 === 1),
      );
      expect(told).toEqual([...Array(4).fill('line.failed 1234'), 'line.suspended 1234']);
      expect(stack.trunks.lines(TENANT)[0]?.state).toMatchObject({
        kind: 'suspended',
        fault: { kind: 'wrong-password', status: 401 },
      });
    },
  );

  scenario('endless stale=true: three REGISTERs an attempt at most', { seed: 12 }, async (world) => {
    const { carrier, told } = await line(world, (_, count) => challenge('carrier', ', stale=true', `n${count}`));
    await world.advance({ minutes: 24 * 60 });
    expect(registersOf(carrier)).toHaveLength(15);
    expect(told.at(-1)).toBe('line.suspended 1234');
  });

  scenario('a new realm with each 401: the first of an attempt is answered, no other', { seed: 13 }, async (world) => {
    const { carrier, told, ...stack } = await line(world, (_, count) => challenge(`realm${count}`));
    await world.advance({ minutes: 24 * 60 });
    expect(registersOf(carrier)).toHaveLength(10);
    expect(stack.trunks.lines(TENANT)[0]?.state).toMatchObject({ kind: 'suspended', fault: { kind: 'stranger' } });
  });

  scenario('a realm that was accepted stays the only one', { seed: 14 }, async (world) => {
    const { carrier, ...stack } = await line(world, (request, count) => {
      if (count > 2) return challenge('other');
      return request.header('Authorization') === undefined ? challenge('carrier') : granted(60);
    });
    await world.advance({ seconds: 50 });
    const [, , third, fourth] = registersOf(carrier);
    expect(third?.header('Authorization')).toContain('realm="carrier"');
    expect(fourth).toBeUndefined();
    expect(stack.trunks.lines(TENANT)[0]?.state).toMatchObject({ kind: 'registered', fault: { kind: 'stranger' } });
  });

  scenario(
    'digest leak (checklist 52): a challenge from an address that is not the server’s gets nothing',
    { seed: 15 },
    async (world) => {
      const thief = await scriptedRegistrar(world, () => undefined, { name: 'thief', address: '203.0.113.66' });
      const carrier = await scriptedRegistrar(world, () => undefined);
      carrier.onMessage = (message) => thief.respond(message, 401, { ...challenge(), contact: '', toTag: 'x' });
      const stack = await trunkStack(world);
      await world.run(() => stack.trunks.configure(TENANT, { lines: [LINE] }));
      await world.advance({ minutes: 24 * 60 });
      expect(carrier.received.length).toBeGreaterThan(0);
      expect([...carrier.received, ...thief.received].some((each) => each.header('Authorization') !== undefined)).toBe(
        false,
      );
      expect(stack.trunks.lines(TENANT)[0]?.state).toMatchObject({ kind: 'suspended', fault: { kind: 'stranger' } });
    },
  );
});

describe('a carrier that says no', () => {
  scenario('403 is fatal: one attempt, suspended at once', { seed: 20 }, async (world) => {
    const { carrier, told, ...stack } = await line(world, () => ({ status: 403, reason: 'Account Closed' }));
    await world.advance({ minutes: 24 * 60 });
    expect(registersOf(carrier)).toHaveLength(1);
    expect(told).toEqual(['line.suspended 1234']);
    expect(stack.trunks.lines(TENANT)[0]?.state).toMatchObject({
      fault: { kind: 'forbidden', status: 403, text: '403 Account Closed' },
    });
  });

  scenario('404, 405, 302: refused, five times at most, with growing waits', { seed: 21 }, async (world) => {
    const { carrier } = await line(world, (_, count) => ({ status: [404, 405, 302][count % 3] ?? 404 }));
    await world.advance({ minutes: 24 * 60 });
    const waits = gaps(registersOf(carrier));
    expect(waits).toHaveLength(4);
    waits.forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(30 * 2 ** i);
      expect(wait).toBeLessThanOrEqual(60 * 2 ** i + 1);
    });
  });

  scenario('423: what it wants is asked for at once, and kept (§10.2.8)', { seed: 22 }, async (world) => {
    const { carrier, told } = await line(
      world,
      (request) =>
        Number(request.header('Expires')) < 300 ? { status: 423, headers: ['Min-Expires: 300'] } : granted(),
      { expiresSeconds: 60 },
    );
    await world.advance({ minutes: 10 });
    const all = registersOf(carrier);
    expect(all.slice(0, 3).map((each) => each.header('Expires'))).toEqual(['60', '300', '300']);
    expect(gaps(all)[1]).toBeGreaterThan(190);
    expect(told).toEqual(['line.registered 1234']);
  });

  scenario('endless 423, and 423 without Min-Expires: failures, not a loop', { seed: 23 }, async (world) => {
    const { carrier, told } = await line(world, (_, count) => ({
      status: 423,
      headers: count > 4 ? [] : [`Min-Expires: ${4000 * count}`],
    }));
    await world.advance({ minutes: 24 * 60 });
    // Two attempts of two, then three of one.
    expect(registersOf(carrier)).toHaveLength(7);
    expect(told).toEqual([...Array(4).fill('line.failed 1234'), 'line.suspended 1234']);
  });

  scenario('a grant of 0 seconds is none', { seed: 24 }, async (world) => {
    const { told } = await line(world, () => ({ status: 200, headers: ['Expires: 0'], contact: '' }));
    await world.advance({ seconds: 5 });
    expect(told).toEqual(['line.failed 1234']);
  });
});

describe('a carrier that cannot now', () => {
  scenario('503 with Retry-After: not before that, and never suspended for it', { seed: 30 }, async (world) => {
    const { carrier, told } = await line(world, (_, count) =>
      count <= 8 ? { status: 503, headers: ['Retry-After: 600'] } : granted(),
    );
    await world.advance({ minutes: 300 });
    const all = registersOf(carrier);
    for (const wait of gaps(all.slice(0, 9))) expect(wait).toBeGreaterThanOrEqual(600);
    expect(told).toEqual([...Array(8).fill('line.failed 1234'), 'line.registered 1234']);
  });

  scenario('Retry-After of years counts as an hour', { seed: 31 }, async (world) => {
    const { carrier } = await line(world, (_, count) =>
      count === 1 ? { status: 503, headers: ['Retry-After: 4294967295'] } : granted(),
    );
    await world.advance({ minutes: 67 });
    expect(registersOf(carrier)).toHaveLength(2);
  });

  scenario(
    'silence: RFC 5626 §4.5 back-off up to half an hour, for as long as it takes',
    { seed: 32 },
    async (world) => {
      let silent = true;
      const { carrier, told, ...stack } = await line(world, () => (silent ? undefined : granted()));
      await world.advance({ minutes: 12 * 60 });
      const all = registersOf(carrier);
      // Counted from the end of an attempt, 32 s after its begin (timer F).
      gaps(all).forEach((gap, i) => {
        const upper = Math.min(1800, 30 * 2 ** (i + 1));
        expect(gap - 32).toBeGreaterThanOrEqual(upper / 2);
        expect(gap - 32).toBeLessThanOrEqual(upper + 1);
      });
      expect(all.length).toBeLessThan(50);
      expect(stateOf({ ...stack, told })).toBe('failing');
      silent = false;
      await world.advance({ minutes: 32 });
      expect(told.at(-1)).toBe('line.registered 1234');
    },
  );

  scenario('silence after a grant: tried again before it ends, told when it has ended', { seed: 33 }, async (world) => {
    let silent = false;
    const { carrier, told, ...stack } = await line(world, () => (silent ? undefined : granted(600)));
    await world.advance({ seconds: 5 });
    silent = true;
    await world.advance({ seconds: 590 });
    expect(registersOf(carrier).length).toBeGreaterThanOrEqual(3);
    expect([stateOf({ ...stack, told }), told.includes('line.unregistered 1234')]).toEqual(['registered', false]);
    await world.advance({ seconds: 15 });
    expect(told.at(-1)).toBe('line.unregistered 1234');
    expect(stateOf({ ...stack, told })).toBe('failing');
  });

  scenario('suspendAfter.failures: a host may want an end of it', { seed: 34 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => undefined);
    const { trunks, told } = await trunkStack(world, { suspendAfter: { failures: 3 } });
    await world.run(() => trunks.configure(TENANT, { lines: [LINE] }));
    await world.advance({ minutes: 24 * 60 });
    expect(registersOf(carrier)).toHaveLength(3);
    expect(told.at(-1)).toBe('line.suspended 1234');
  });

  scenario('a name that does not exist: unreachable, and tried again', { seed: 35 }, async (world) => {
    const stack = await trunkStack(world);
    await world.run(() => stack.trunks.configure(TENANT, { lines: [{ ...LINE, server: 'nowhere.example' }] }));
    await world.advance({ minutes: 1 });
    expect(stack.trunks.lines(TENANT)[0]?.state).toMatchObject({ kind: 'failing', fault: { kind: 'unreachable' } });
    const carrier = await scriptedRegistrar(world, () => granted());
    world.network.dns.set('nowhere.example', [carrier.address]);
    await world.advance({ minutes: 30 });
    expect(stateOf(stack)).toBe('registered');
  });
});

describe('RFC 3263: several servers', () => {
  scenario(
    'two SRV targets, the first is dead: the second within one attempt, always before the end',
    { seed: 40 },
    async (world) => {
      const dead = await scriptedRegistrar(world, () => undefined, { name: 'one', address: '198.51.100.11' });
      const alive = await scriptedRegistrar(
        world,
        (request) => (request.header('Authorization') === undefined ? challenge() : granted(60)),
        { name: 'two', address: '198.51.100.12' },
      );
      const { dns } = world.network;
      dns.setSrv('_sip._udp.carrier.example', [
        { priority: 1, port: 5060, target: 'one.carrier.example' },
        { priority: 2, port: 5060, target: 'two.carrier.example' },
      ]);
      dns.set('one.carrier.example', [dead.address], { ttlSeconds: 3600 });
      dns.set('two.carrier.example', [alive.address], { ttlSeconds: 3600 });
      const { trunks, told } = await trunkStack(world);
      await world.run(() => trunks.configure(TENANT, { lines: [{ ...LINE, server: 'carrier.example' }] }));
      await world.advance({ seconds: 40 });
      expect(told).toEqual(['line.registered 1234']);
      expect(registersOf(alive).map((each) => each.uri)).toEqual(['sip:carrier.example', 'sip:carrier.example']);
      expect(seconds(registersOf(alive))[0]).toBe(32);
      // What was put off for half a minute is asked first again; the registration does not end meanwhile.
      await world.advance({ minutes: 5 });
      expect(registersOf(dead).length).toBeGreaterThan(1);
      expect(told).toEqual(['line.registered 1234']);
    },
  );
});

describe('the answer’s Contact', () => {
  scenario('wrong Contact echoed: the Expires header counts, then that contact', { seed: 50 }, async (world) => {
    const { carrier } = await line(world, (_, count) =>
      count === 1
        ? { status: 200, contact: '<sip:9@10.9.9.9>;expires=7200', headers: ['Expires: 120'] }
        : { status: 200, contact: '<sip:9@10.9.9.9>;expires=80' },
    );
    await world.advance({ seconds: 400 });
    const [first = 0, second = 0] = gaps(registersOf(carrier));
    expect(first).toBeGreaterThanOrEqual(68);
    expect(first).toBeLessThan(81);
    expect(second).toBeGreaterThanOrEqual(32);
    expect(second).toBeLessThan(41);
  });

  scenario('other phones of the account are listed too: ours counts, by its token', { seed: 51 }, async (world) => {
    const { carrier } = await line(world, (request) => ({
      status: 200,
      contact: `<sip:other@10.9.9.9>;expires=10, <sip:${contactOf(request).user}@203.0.113.9:1024>;expires=600, <sip:third@10.9.9.8>;expires=20`,
    }));
    await world.advance({ minutes: 12 });
    for (const gap of gaps(registersOf(carrier))) expect(gap).toBeGreaterThanOrEqual(420);
  });

  scenario('no Contact and no Expires: what was asked for', { seed: 52 }, async (world) => {
    const { carrier, told } = await line(world, () => ({ status: 200, contact: '' }), { expiresSeconds: 300 });
    await world.advance({ minutes: 5 });
    expect(registersOf(carrier)).toHaveLength(2);
    expect(told).toEqual(['line.registered 1234']);
  });

  scenario('headers that cannot be read count as absent', { seed: 53 }, async (world) => {
    const { told } = await line(world, () => ({
      status: 200,
      contact: '<<<',
      headers: ['Expires: soon', 'Service-Route: ;;;'],
    }));
    await world.advance({ seconds: 5 });
    expect(told).toEqual(['line.registered 1234']);
  });
});

describe('behind a NAT (RFC 3581)', () => {
  const behind = async (
    world: World,
    script: RegistrarScript,
    options: Partial<LineOptions> = {},
    kind: NatKind = 'port-restricted',
  ): Promise<TrunkStack & { readonly carrier: RawPeer }> => {
    const carrier = await scriptedRegistrar(world, script);
    const nat = world.nat({ publicAddress: '203.0.113.1', kind });
    const machine = world.host('office', '192.168.1.2', { behind: nat });
    const stack = await trunkStack(world, { machine });
    await world.run(() => stack.trunks.configure(TENANT, { lines: [{ ...LINE, ...options }] }));
    return { ...stack, carrier };
  };

  scenario(
    'the Contact becomes what the registrar saw, the first one is removed: two REGISTERs',
    { seed: 60 },
    async (world) => {
      const { carrier, told } = await behind(world, () => granted());
      await world.advance({ minutes: 5 });
      const [first, second, third] = registersOf(carrier);
      expect(contactOf(first).host).toBe('192.168.1.2');
      expect(contactOf(second)).toEqual({ user: contactOf(first).user, host: '203.0.113.1', port: second?.from.port });
      expect(second?.all('Contact').join(', ')).toContain(`<sip:${contactOf(first).user}@192.168.1.2:5060>;expires=0`);
      expect(third).toBeUndefined();
      expect(told).toEqual(['line.registered 1234']);
    },
  );

  scenario('refreshes keep it; de-registration removes it', { seed: 61 }, async (world) => {
    // Refreshes every 12 to 17 s keep the NAT’s mapping.
    const { carrier, trunks } = await behind(world, () => granted(36));
    await world.advance({ minutes: 2 });
    await world.run(() => trunks.close());
    const all = registersOf(carrier).slice(1);
    expect(all.length).toBeGreaterThan(4);
    expect(new Set(all.map((each) => contactOf(each).host))).toEqual(new Set(['203.0.113.1']));
    expect(all.slice(1).every((each) => !each.all('Contact').join().includes('192.168'))).toBe(true);
    expect(all.at(-1)?.header('Expires')).toBe('0');
  });

  scenario(
    'a registrar that sees us elsewhere each time: one more REGISTER each time, no loop',
    { seed: 62 },
    async (world) => {
      let port = 1024;
      const carrier = await scriptedRegistrar(world, () => undefined);
      carrier.onMessage = (request) => {
        const via = (request.header('Via') ?? '').replace(';rport', `;received=203.0.113.9;rport=${++port}`);
        const stamped = { ...request, all: (name: string) => (name === 'Via' ? [via] : request.all(name)) };
        carrier.respond(stamped, 200, { contact: `${request.header('Contact')};expires=600`, toTag: 'c' });
      };
      const { trunks } = await trunkStack(world);
      await world.run(() => trunks.configure(TENANT, { lines: [LINE] }));
      await world.advance({ minutes: 60 });
      const waits = gaps(registersOf(carrier));
      expect(waits.filter((wait) => wait < 1)).toHaveLength(Math.ceil(waits.length / 2));
      expect(waits.length).toBeLessThan(20);
    },
  );

  scenario(
    'rewriteContact false: the Contact stays, and is found in the answer all the same',
    { seed: 63 },
    async (world) => {
      const { carrier } = await behind(world, () => granted(600), { rewriteContact: false });
      await world.advance({ minutes: 5 });
      expect(registersOf(carrier).map((each) => contactOf(each).host)).toEqual(['192.168.1.2']);
    },
  );
});
