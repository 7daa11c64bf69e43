import { describe, expect, test } from 'vitest';
import { formatNameAddr } from '../../src/protocol/sip/name-addr.js';
import { formatUri } from '../../src/protocol/sip/uri.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { type Ask, Bench, contactsOf, TENANT } from './bench.js';

const UUID = '<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>';
const OUTBOUND = 'Supported: path, outbound';
const VIA = 'Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKphone';

/** A Contact as RFC 5626 §3.2 has it. */
function contact(regId: number | string, host = '10.0.0.9', instance = UUID): string {
  return `<sip:100@${host};transport=tcp>;+sip.instance="${instance}";reg-id=${regId}`;
}

/** A REGISTER of one flow, by a connection of its own and with a Call-ID of its own (§4.2.1). */
function flow(regId: number, more: Ask = {}): Ask {
  return {
    contact: contact(regId),
    callId: `flow-${regId}`,
    connectionId: `c${regId}`,
    headers: [OUTBOUND],
    remote: { address: '203.0.113.5', port: 40_000 + regId },
    ...more,
  };
}

const isClosed = async (bench: Bench, connectionId: string, port: number): Promise<void> => {
  const local = { address: '192.0.2.1', port: 5060 };
  bench.registrar.flowClosed({ protocol: 'tcp', local, remote: { address: '203.0.113.5', port }, connectionId });
  await bench.clock.advance(0);
};

describe('RFC 5626 §6: what a reg-id does', () => {
  test('Require: outbound and a Flow-Timer tell the phone that its flow is kept', async () => {
    const response = await new Bench().register(flow(1));
    expect(response.status).toBe(200);
    expect(response.headers.get('Require')).toEqual(['outbound']);
    expect(response.headers.get('Flow-Timer')).toBe(120);
    expect(response.headers.get('Supported')).toEqual(['path', 'outbound']);
    expect(contactsOf(response)).toEqual([`${contact(1)};expires=3600`]);
  });

  test('the same instance and reg-id replace the old flow, whatever contact and Call-ID', async () => {
    const bench = new Bench();
    await bench.register(flow(1));
    const again = flow(1, {
      contact: contact(1, '172.16.0.1', UUID.toLowerCase()),
      callId: 'rebooted',
      connectionId: 'c9',
    });
    const response = await bench.register(again);
    expect(contactsOf(response)).toHaveLength(1);
    expect(contactsOf(response)[0]).toContain('172.16.0.1');
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.refreshed']);
    const [target] = await bench.registrar.locate(TENANT, '100');
    expect(target?.flow?.connectionId).toBe('c9');
  });

  test('another reg-id is another flow, even with the same contact', async () => {
    const bench = new Bench();
    await bench.register(flow(1));
    const response = await bench.register(flow(2));
    expect(contactsOf(response)).toHaveLength(2);
    await bench.register(flow(1, { contact: `${contact(1)};expires=0` }));
    expect((await bench.registrar.bindings(TENANT, '100')).map(({ regId }) => regId)).toEqual([2]);
  });

  test('two phones behind two NATs with the same address do not take each other’s place', async () => {
    const bench = new Bench();
    await bench.register(flow(1));
    await bench.register({
      ...flow(1),
      contact: contact(1, '10.0.0.9', '<urn:uuid:other>'),
      callId: 'o',
      connectionId: 'o',
    });
    expect(await bench.registrar.bindings(TENANT, '100')).toHaveLength(2);
    expect(await bench.registrar.locate(TENANT, '100')).toHaveLength(2);
  });

  test('without Supported: outbound the flow replaces too, but nothing is promised', async () => {
    const bench = new Bench();
    await bench.register(flow(1, { headers: [] }));
    const response = await bench.register(flow(1, { headers: [], callId: 'later', connectionId: 'c2' }));
    expect(response.headers.has('Require')).toBe(false);
    expect(response.headers.has('Flow-Timer')).toBe(false);
    expect(contactsOf(response)).toHaveLength(1);
  });

  test('a reg-id without an instance is ignored', async () => {
    const bench = new Bench();
    const plain = '<sip:100@10.0.0.9;transport=tcp>;reg-id=1';
    const response = await bench.register(flow(1, { contact: plain }));
    expect(response.status).toBe(200);
    expect(response.headers.has('Require')).toBe(false);
    expect((await bench.registrar.bindings(TENANT, '100'))[0]?.regId).toBeUndefined();
  });

  test('an instance without a reg-id is bound by its URI', async () => {
    const bench = new Bench();
    const response = await bench.register(flow(1, { contact: `<sip:100@10.0.0.9>;+sip.instance="${UUID}"` }));
    expect(response.headers.has('Require')).toBe(false);
    await bench.register(flow(1, { contact: `<sip:100@10.0.0.8>;+sip.instance="${UUID}"`, callId: 'b' }));
    expect(await bench.registrar.bindings(TENANT, '100')).toHaveLength(2);
  });

  test.each(['0', 'x', '', '99999999999'])('reg-id=%s is none', async (regId) => {
    const response = await new Bench().register(flow(1, { contact: contact(regId) }));
    expect([response.status, response.headers.has('Require')]).toEqual([regId === '' ? 400 : 200, false]);
  });

  test('beside a second contact that is to last: 400; beside removals: 200', async () => {
    const bench = new Bench();
    const plain = '<sip:100@10.0.0.8>';
    expect((await bench.register(flow(1, { contact: [contact(1), plain] }))).status).toBe(400);
    expect((await bench.register(flow(1, { contact: [contact(1), contact(2)] }))).status).toBe(400);
    expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
    await bench.register({ contact: plain });
    const response = await bench.register(flow(1, { contact: [`${plain};expires=0`, contact(1)] }));
    expect(contactsOf(response)).toEqual([`${contact(1)};expires=3600`]);
  });

  test('a retransmission out of order of the same flow is refused, of another Call-ID it is not', async () => {
    const bench = new Bench();
    await bench.register(flow(1, { cseq: 50 }));
    expect((await bench.register(flow(1, { cseq: 49 }))).status).toBe(500);
    expect((await bench.register(flow(1, { cseq: 49, callId: 'new' }))).status).toBe(200);
  });

  test('by UDP without an edge proxy nothing is promised, because no STUN pings are answered here', async () => {
    const udp = { ...flow(1), connectionId: undefined } as unknown as Ask;
    const { connectionId: _, ...ask } = udp;
    expect((await new Bench().register(ask)).headers.has('Require')).toBe(false);
    const response = await new Bench({ stunKeepAlive: true }).register(ask);
    expect(response.headers.get('Require')).toEqual(['outbound']);
    // §4.4.2: by UDP the phone knows itself how often
    expect(response.headers.has('Flow-Timer')).toBe(false);
  });
});

describe('RFC 5626 §6: a proxy on the way', () => {
  const EDGE = 'Path: <sip:token@edge.example;lr;ob>';
  const headers = [OUTBOUND, VIA];

  test('with ob in its Path it takes part', async () => {
    const bench = new Bench();
    const response = await bench.register(flow(1, { headers: [...headers, EDGE] }));
    expect(response.status).toBe(200);
    expect(response.headers.get('Require')).toEqual(['outbound']);
    // the edge proxy answers the pings
    expect(response.headers.has('Flow-Timer')).toBe(false);
    const [target] = await bench.registrar.locate(TENANT, '100');
    expect([target?.flow, target?.route?.map(formatNameAddr)]).toEqual([undefined, ['<sip:token@edge.example;lr;ob>']]);
  });

  test.each([
    ['no Path', []],
    ['a Path without ob', ['Path: <sip:edge.example;lr>']],
  ])('%s: 439, and nothing is bound', async (_, path) => {
    const bench = new Bench();
    expect((await bench.register(flow(1, { headers: [...headers, ...path] }))).status).toBe(439);
    expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
  });

  test('439 is only for phones that say outbound; for others the reg-id is ignored', async () => {
    const bench = new Bench();
    const response = await bench.register(flow(1, { headers: [VIA] }));
    expect([response.status, response.headers.has('Require')]).toEqual([200, false]);
    expect((await bench.registrar.bindings(TENANT, '100'))[0]?.regId).toBeUndefined();
    expect((await new Bench().register({ headers: [OUTBOUND, VIA] })).status).toBe(200);
  });

  test('two proxies: ob may stand in the last Path value, that of the phone’s own', async () => {
    const path = ['Path: <sip:core.example;lr>, <sip:token@edge.example;lr;ob>'];
    const response = await new Bench().register(flow(1, { headers: [...headers, ...path] }));
    expect(response.headers.get('Require')).toEqual(['outbound']);
  });
});

describe('RFC 5626 §7: calls to a phone with several flows', () => {
  test('one target, its newest flow first, the others in turn; another phone rings beside it', async () => {
    const bench = new Bench();
    await bench.register(flow(1));
    await bench.clock.advance(10);
    await bench.register(flow(2));
    await bench.clock.advance(10);
    await bench.register({ contact: '<sip:100@198.51.100.7:5060>', callId: 'desk' });
    const targets = await bench.registrar.locate(TENANT, '100');
    expect(targets).toHaveLength(2);
    expect(targets[0]?.otherFlows).toBeUndefined();
    expect(targets[1]?.flow?.connectionId).toBe('c2');
    expect(targets[1]?.otherFlows?.map((each) => [formatUri(each.uri), each.flow?.connectionId])).toEqual([
      ['sip:100@10.0.0.9;transport=tcp', 'c1'],
    ]);
  });

  test('by UDP the flow is used even where the contact would lead there', async () => {
    const bench = new Bench();
    const remote = { address: '198.51.100.7', port: 5060 };
    await bench.register({ contact: `<sip:100@198.51.100.7:5060>;+sip.instance="${UUID}";reg-id=1`, remote });
    const [target] = await bench.registrar.locate(TENANT, '100');
    expect(target?.flow).toMatchObject({ protocol: 'udp', remote });
  });

  test('a connection that closes takes its flow with it, and no other', async () => {
    const bench = new Bench();
    await bench.register(flow(1));
    await bench.register(flow(2));
    await bench.register({ contact: '<sip:100@198.51.100.7:5060>', callId: 'desk', connectionId: 'c1' });
    bench.takeEvents();
    await isClosed(bench, 'c1', 40_001);
    expect(bench.takeEvents()).toEqual(['binding.removed flow-failed']);
    const left = await bench.registrar.bindings(TENANT, '100');
    expect(left.map(({ regId, callId }) => [regId, callId])).toEqual([
      [2, 'flow-2'],
      [undefined, 'desk'],
    ]);
  });

  test('a flow that has moved to a new connection outlives the old one', async () => {
    const bench = new Bench();
    await bench.register(flow(1));
    await bench.register(flow(1, { connectionId: 'new', callId: 'again' }));
    await isClosed(bench, 'c1', 40_001);
    expect(await bench.registrar.bindings(TENANT, '100')).toHaveLength(1);
    await isClosed(bench, 'new', 40_001);
    expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
  });

  test('the connection of an edge proxy ends no binding: the Path leads to the phone', async () => {
    const bench = new Bench();
    const headers = [OUTBOUND, VIA, 'Path: <sip:edge.example;lr;ob>'];
    await bench.register(flow(1, { headers }));
    await isClosed(bench, 'c1', 40_001);
    expect(await bench.registrar.bindings(TENANT, '100')).toHaveLength(1);
  });

  test('after a restart a flow behind a NAT is no target until the phone has come back', async () => {
    const clock = new ManualClock();
    const records = new MemoryRecords({ clock });
    await new Bench({ clock, records }).register(flow(1));
    const after = new Bench({ clock, records });
    await after.registrar.start();
    expect(await after.registrar.bindings(TENANT, '100')).toHaveLength(1);
    expect(await after.registrar.locate(TENANT, '100')).toEqual([]);
    await after.register(flow(1, { connectionId: 'back', callId: 'back' }));
    expect(await after.registrar.locate(TENANT, '100')).toHaveLength(1);
  });
});
