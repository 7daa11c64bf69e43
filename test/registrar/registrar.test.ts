import { describe, expect, test } from 'vitest';
import { extensionFrom } from '../../src/directory/extension.js';
import { formatUri } from '../../src/protocol/sip/uri.js';
import type { RegistrarOptions } from '../../src/registrar/registrar.js';
import { StorageError } from '../../src/storage/errors.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { Bench, contactsOf, REALM, TENANT } from './bench.js';

const A = '<sip:100@198.51.100.7:5060>';
const B = '<sip:100@198.51.100.8:5070>';

describe('flows of RFC 3665 §2', () => {
  test('R1 (RFC 3665 §2.1): a new registration is challenged with 401, then granted', async () => {
    const bench = new Bench();
    const challenged = await bench.register({ bare: true });
    expect(challenged.status).toBe(401);
    expect(challenged.headers.has('Contact')).toBe(false);
    const response = await bench.register();
    expect(response.status).toBe(200);
    expect(contactsOf(response)).toEqual([`${A};expires=3600`]);
    expect(response.headers.get('Date')?.getTime()).toBe(bench.clock.wallTime());
    expect(response.toTag).toBeDefined();
    expect(bench.takeEvents()).toEqual(['binding.added']);
  });

  test('R2 (§2.2): a contact is added, both are listed', async () => {
    const bench = new Bench();
    await bench.register({ contact: A });
    const response = await bench.register({ contact: B, callId: 'other' });
    expect(contactsOf(response)).toEqual([`${A};expires=3600`, `${B};expires=3600`]);
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.added']);
  });

  test('R3 (§2.3): a query changes nothing and lists what is left, rounded down', async () => {
    const bench = new Bench();
    await bench.register({ headers: ['Expires: 600'] });
    await bench.clock.advance(1_500);
    const response = await bench.register({ contact: null });
    expect(contactsOf(response)).toEqual([`${A};expires=598`]);
    expect(bench.takeEvents()).toEqual(['binding.added']);
    expect(contactsOf(await bench.register({ user: '101', contact: null }))).toEqual([]);
  });

  test('R4 (§2.4): "*" with Expires 0 removes all', async () => {
    const bench = new Bench();
    await bench.register({ contact: A });
    await bench.register({ contact: B, callId: 'other' });
    const response = await bench.register({ contact: '*', headers: ['Expires: 0'], callId: 'third' });
    expect(response.status).toBe(200);
    expect(contactsOf(response)).toEqual([]);
    expect(await bench.registrar.locate(TENANT, '100')).toEqual([]);
    expect(bench.takeEvents().slice(2)).toEqual(['binding.removed unregistered', 'binding.removed unregistered']);
  });

  test('R5 (§2.5): a wrong password gets a new challenge, and an unknown user the very same', async () => {
    const bench = new Bench();
    const wrong = await bench.register({ password: 'guess' });
    const unknown = await bench.register({ user: '999', password: 'guess' });
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    const shape = (text: string): string => text.replace(/nonce="[^"]*"/, '');
    const challenges = [wrong, unknown].map((response) => response.headers.raw('WWW-Authenticate'));
    expect(challenges[0]?.map(shape)).toEqual(challenges[1]?.map(shape));
    expect(challenges[0]).not.toEqual(challenges[1]);
    const names = [wrong, unknown].map((response) => [...response.headers.entries()].map(([name]) => name));
    expect(names[0]).toEqual(names[1]);
    expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
    expect(bench.takeEvents()).toEqual(['credentials.refused', 'credentials.refused']);
  });

  test('R6 (RFC 3261 §10.3 step 7): an interval too brief gets 423 with Min-Expires', async () => {
    const bench = new Bench();
    const response = await bench.register({ headers: ['Expires: 1'] });
    expect(response.status).toBe(423);
    expect(response.headers.get('Min-Expires')).toBe(60);
    expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
  });

  test('R7 (RFC 7616 §3.3): a stale nonce gets stale=true and the retry succeeds; a used nonce count is refused', async () => {
    const bench = new Bench();
    const challenged = await bench.send(bench.text());
    await bench.clock.advance(301_000);
    const late = await bench.send(bench.text({ headers: [bench.credentials(challenged)] }));
    expect(late.status).toBe(401);
    expect(late.headers.first('WWW-Authenticate')).toMatch(/stale=true/i);
    const credentials = bench.credentials(late);
    expect((await bench.send(bench.text({ headers: [credentials] }))).status).toBe(200);
    expect((await bench.send(bench.text({ headers: [credentials] }))).status).toBe(401);
  });
});

describe('RFC 3261 §10.3', () => {
  test('step 4: who is not the owner of the address-of-record gets 403, whether it exists or not', async () => {
    const bench = new Bench();
    expect((await bench.register({ user: '101', as: '100' })).status).toBe(403);
    expect((await bench.register({ user: '999', as: '100' })).status).toBe(403);
    expect(bench.takeEvents()).toEqual(['credentials.refused', 'credentials.refused']);
  });

  test('step 4: third-party registration: From may differ from To', async () => {
    const bench = new Bench();
    const text = (headers: string[]): string =>
      bench.text({ headers }).replace(/From: .*/, 'From: <sip:secretary@elsewhere.example>;tag=f');
    const challenged = await bench.send(text([]));
    expect((await bench.send(text([bench.credentials(challenged)]))).status).toBe(200);
  });

  test('step 5: a domain that is not served gets 404, another scheme in To 400', async () => {
    const bench = new Bench();
    expect((await bench.register({ to: '<sip:100@elsewhere.example>' })).status).toBe(404);
    expect((await bench.register({ to: '<tel:+100>' })).status).toBe(400);
    expect((await bench.register({ to: `<sip:${REALM}>` })).status).toBe(400);
  });

  test('step 5: escapes, host case, port and parameters do not make another address-of-record', async () => {
    const bench = new Bench();
    await bench.register();
    const response = await bench.register({ to: '<sip:%3100@OFFICE.example:5060;user=phone>', contact: null });
    expect(contactsOf(response).length).toBe(1);
  });

  test('step 1: a user part in the Request-URI is tolerated', async () => {
    expect((await new Bench().register({ requestUri: `sip:100@${REALM}` })).status).toBe(200);
  });

  test('step 6: "*" with anything but Expires 0, or beside another contact, gets 400 and changes nothing', async () => {
    const bench = new Bench();
    await bench.register();
    for (const ask of [
      { contact: '*' },
      { contact: '*', headers: ['Expires: 10'] },
      { contact: ['*', A], headers: ['Expires: 0'] },
      { contact: `*, ${A}`, headers: ['Expires: 0'] },
    ]) {
      expect((await bench.register(ask)).status, JSON.stringify(ask)).toBe(400);
    }
    expect((await bench.registrar.bindings(TENANT, '100')).length).toBe(1);
  });

  test('step 6: "*" of an older request of the same Call-ID fails and removes nothing', async () => {
    const bench = new Bench();
    await bench.register({ contact: A, callId: 'x' });
    await bench.register({ contact: B, callId: 'y', cseq: 50 });
    const response = await bench.register({ contact: '*', headers: ['Expires: 0'], callId: 'y', cseq: 50 });
    expect(response.status).toBe(500);
    expect((await bench.registrar.bindings(TENANT, '100')).length).toBe(2);
  });

  test('step 7: same Call-ID and no higher CSeq fails, all or nothing', async () => {
    const bench = new Bench();
    expect((await bench.register({ contact: A, cseq: 10 })).status).toBe(200);
    for (const cseq of [10, 9]) {
      const response = await bench.register({ contact: [B, `${A};expires=100`], cseq });
      expect(response.status).toBe(500);
    }
    const [binding, ...others] = await bench.registrar.bindings(TENANT, '100');
    expect(others).toEqual([]);
    expect(binding?.cseq).toBe(10);
    expect((await bench.register({ contact: A, cseq: 3, callId: 'rebooted' })).status).toBe(200);
  });

  test('step 7: the Contact parameter wins over the Expires header, and the default serves who asks for neither', async () => {
    const bench = new Bench({ expiry: { minSeconds: 60, maxSeconds: 1_000, defaultSeconds: 300 } });
    const response = await bench.register({ contact: [`${A};expires=100`, B], headers: ['Expires: 200'] });
    expect(contactsOf(response)).toEqual([`${A};expires=100`, `${B};expires=200`]);
    expect(contactsOf(await bench.register({ contact: A }))[0]).toBe(`${A};expires=300`);
    expect(contactsOf(await bench.register({ contact: A, headers: ['Expires: 86400'] }))[0]).toBe(`${A};expires=1000`);
  });

  test('step 7: 423 only below one hour, whatever the minimum', async () => {
    const bench = new Bench({ expiry: { minSeconds: 7200, maxSeconds: 10_000, defaultSeconds: 7200 } });
    expect((await bench.register({ headers: ['Expires: 3599'] })).status).toBe(423);
    const response = await bench.register({ headers: ['Expires: 3600'] });
    expect(contactsOf(response)).toEqual([`${A};expires=3600`]);
  });

  test('§20.10: a malformed expires counts as an hour, a huge one as the maximum', async () => {
    const bench = new Bench({ expiry: { maxSeconds: 7200, defaultSeconds: 100 } });
    expect(contactsOf(await bench.register({ contact: `${A};expires=soon` }))).toEqual([`${A};expires=3600`]);
    expect(contactsOf(await bench.register({ contact: `${A};expires=99999999999999999999` }))).toEqual([
      `${A};expires=7200`,
    ]);
    expect(contactsOf(await bench.register({ headers: ['Expires: -1'] }))).toEqual([`${A};expires=3600`]);
  });

  test('step 7: one of several is removed by expires=0', async () => {
    const bench = new Bench();
    await bench.register({ contact: [A, B] });
    const response = await bench.register({ contact: `${A};expires=0` });
    expect(contactsOf(response)).toEqual([`${B};expires=3600`]);
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.added', 'binding.removed unregistered']);
    expect((await bench.register({ contact: `${A};expires=0` })).status).toBe(200);
    expect(bench.takeEvents()).toEqual([]);
  });

  test('§19.1.4: the same URI in another spelling refreshes, a different one adds', async () => {
    const bench = new Bench();
    await bench.register({ contact: '<sip:100@Phone.example;transport=tcp>' });
    await bench.register({ contact: '<sip:%3100@phone.EXAMPLE;TRANSPORT=TCP>' });
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.refreshed']);
    await bench.register({ contact: '<sip:100@phone.example>' });
    await bench.register({ contact: '<sip:100@phone.example:5060>' });
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.added']);
  });

  test('§10.2.1: contacts that are no SIP URIs get 400', async () => {
    const bench = new Bench();
    for (const contact of ['<tel:+49301234>', '<mailto:a@b.example>', 'not a uri']) {
      expect((await bench.register({ contact })).status, contact).toBe(400);
    }
  });

  test.each([
    '0.0.0.0',
    '[::]',
    '[0:0::0]',
    '[::ffff:0.0.0.0]',
    '224.0.0.1',
    '239.255.255.250:5060',
    '[ff02::1]',
    '[::ffff:224.0.0.1]',
    '255.255.255.255',
  ])(
    '§10.3 step 6: a contact at %s is nobody’s, or everybody’s: 400, and nothing of the request counts',
    async (host) => {
      const bench = new Bench();
      expect((await bench.register({ contact: [A, `<sip:100@${host};transport=tcp>`] })).status).toBe(400);
      expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
    },
  );

  test.each(['223.255.255.255', '240.0.0.1', '10.0.0.255', '[fe80::1]', '[::1]', '127.0.0.1', '0.0.0.0.example'])(
    '§10.2.1: a contact at %s is taken',
    async (host) => {
      const bench = new Bench();
      expect((await bench.register({ contact: `<sip:100@${host}>` })).status).toBe(200);
    },
  );

  test('more contacts than allowed get 403 that says so; a refresh does not', async () => {
    const bench = new Bench({ maxContacts: 1 });
    await bench.register({ contact: A });
    const response = await bench.register({ contact: B });
    expect(response.status).toBe(403);
    expect(response.reason).toBe('Too Many Contacts (at most 1)');
    expect((await bench.register({ contact: A })).status).toBe(200);
    expect((await bench.register({ contact: [`${A};expires=0`, B] })).status).toBe(200);
    expect((await bench.registrar.bindings(TENANT, '100')).map(({ contact }) => `<${contact}>`)).toEqual([B]);
  });

  test('the extension may set its own limit; whenFull lets the oldest go', async () => {
    const clock = new ManualClock();
    const extensions = [extensionFrom({ number: '100', password: 'pw-100', maxContacts: 1 }, REALM)];
    const bench = new Bench({ clock, extensions, whenFull: 'replace-oldest' });
    await bench.register({ contact: A });
    await clock.advance(1000);
    expect(contactsOf(await bench.register({ contact: B }))).toEqual([`${B};expires=3600`]);
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.added', 'binding.removed replaced']);
  });

  test('RFC 5626 §4.1: a phone that comes back elsewhere displaces its own binding when there is no room', async () => {
    const bench = new Bench({ maxContacts: 1 });
    const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"';
    await bench.register({ contact: `${A};${instance}` });
    const response = await bench.register({ contact: `${B};${instance};reg-id=1`, callId: 'rebooted' });
    expect(contactsOf(response)).toEqual([`${B};${instance};reg-id=1;expires=3600`]);
    const [binding] = await bench.registrar.bindings(TENANT, '100');
    expect(binding).toMatchObject({ instanceId: '<urn:uuid:00000000-0000-1000-8000-000A95A0E128>', regId: 1 });
  });

  test('a disabled extension is like one that does not exist', async () => {
    const bench = new Bench({
      extensions: [extensionFrom({ number: '100', password: 'pw-100', enabled: false }, REALM)],
    });
    expect((await bench.register()).status).toBe(401);
  });

  test('in the order received: requests that come at once do not overtake one another', async () => {
    const bench = new Bench();
    const challenged = await bench.send(bench.text());
    const asks = Array.from({ length: 20 }, (_, i) =>
      bench.text({ cseq: 100 + i, headers: [`Expires: ${100 + i}`, bench.credentials(challenged, {}, i + 1)] }),
    );
    const responses = await Promise.all(asks.map((text) => bench.send(text)));
    expect(responses.map(({ status }) => status)).toEqual(asks.map(() => 200));
    expect((await bench.registrar.bindings(TENANT, '100'))[0]?.cseq).toBe(119);
  });
});

describe('RFC 3327 §5.3 Path', () => {
  const PATH = '<sip:edge2.example;lr>,<sip:edge1.example;lr>';

  test('with Supported: path it is stored in order and echoed', async () => {
    const bench = new Bench();
    const response = await bench.register({ headers: [`Path: ${PATH}`, 'Supported: path'] });
    expect(response.status).toBe(200);
    expect(response.headers.get('Path')?.map(({ uri }) => formatUri(uri))).toEqual([
      'sip:edge2.example;lr',
      'sip:edge1.example;lr',
    ]);
    expect(response.headers.get('Supported')).toContain('path');
    const [target] = await bench.registrar.locate(TENANT, '100');
    expect(target?.route?.map(({ uri }) => formatUri(uri))).toEqual(['sip:edge2.example;lr', 'sip:edge1.example;lr']);
    expect(target?.flow).toBeUndefined();
  });

  test('without it the answer is 420, unless the host accepts it', async () => {
    const bench = new Bench();
    const response = await bench.register({ headers: [`Path: ${PATH}`] });
    expect(response.status).toBe(420);
    expect(response.headers.get('Unsupported')).toEqual(['path']);
    expect((await new Bench({ pathWithoutSupport: 'accept' }).register({ headers: [`Path: ${PATH}`] })).status).toBe(
      200,
    );
  });

  test('a 200 without a Path in the request has none', async () => {
    expect((await new Bench().register()).headers.has('Path')).toBe(false);
  });
});

describe('locate', () => {
  test('by q, then the one refreshed last', async () => {
    const bench = new Bench();
    await bench.register({ contact: '<sip:100@a.example>;q=0.5' });
    await bench.clock.advance(10);
    await bench.register({ contact: '<sip:100@b.example>;q=0.9' });
    await bench.clock.advance(10);
    await bench.register({ contact: '<sip:100@c.example>;q=0.5' });
    await bench.clock.advance(10);
    await bench.register({ contact: '<sip:100@d.example>' });
    const targets = await bench.registrar.locate(TENANT, '100');
    expect(targets.map(({ uri }) => formatUri(uri))).toEqual(
      ['d', 'b', 'c', 'a'].map((name) => `sip:100@${name}.example`),
    );
    expect(targets.every(({ policy }) => policy.peer === 'phone')).toBe(true);
  });

  test('UDP: the flow is named only where the contact is not where the REGISTER came from (RFC 3581 §4)', async () => {
    const bench = new Bench();
    await bench.register({ contact: A });
    expect((await bench.registrar.locate(TENANT, '100'))[0]?.flow).toBeUndefined();
    await bench.register({
      user: '101',
      contact: '<sip:101@10.0.0.5>',
      remote: { address: '203.0.113.9', port: 40_123 },
    });
    const [target] = await bench.registrar.locate(TENANT, '101');
    expect(target?.flow?.remote).toEqual({ address: '203.0.113.9', port: 40_123 });
    expect(target && formatUri(target.uri)).toBe('sip:101@10.0.0.5');
  });

  test('a connection is named while it is open; once closed the contact itself is tried', async () => {
    const bench = new Bench();
    await bench.register({ contact: '<sip:100@198.51.100.7:5060;transport=tcp>', connectionId: 'c1' });
    const [target] = await bench.registrar.locate(TENANT, '100');
    expect(target?.flow?.connectionId).toBe('c1');
    bench.registrar.flowClosed(target?.flow ?? ({} as never));
    const [later] = await bench.registrar.locate(TENANT, '100');
    expect(later && formatUri(later.uri)).toBe('sip:100@198.51.100.7:5060;transport=tcp');
    expect(later?.flow).toBeUndefined();
  });

  test('§10.2: a contact for another machine, by its address, is called there: neither flow nor connection of the registrant', async () => {
    const bench = new Bench();
    for (const more of [{}, { connectionId: 'c1' }]) {
      await bench.register({ contact: '<sip:100@198.51.100.8:5060>', ...more });
      const [target] = await bench.registrar.locate(TENANT, '100');
      expect([target?.flow, target && formatUri(target.uri)]).toEqual([undefined, 'sip:100@198.51.100.8:5060']);
    }
  });

  test('RFC 5626 §5.3: a contact that is a name is reached by the open connection, and by nothing else behind a NAT', async () => {
    const bench = new Bench();
    const contact = '<sip:100@desktop.lan;transport=tcp>';
    await bench.register({ contact, connectionId: 'c1' });
    expect((await bench.registrar.locate(TENANT, '100'))[0]).toMatchObject({
      flow: { connectionId: 'c1' },
      flowOnly: false,
    });
    await bench.register({ contact, connectionId: 'c2', remote: { address: '203.0.113.9', port: 40_123 } });
    expect((await bench.registrar.locate(TENANT, '100'))[0]).toMatchObject({
      flow: { connectionId: 'c2' },
      flowOnly: true,
    });
  });

  test('RFC 3261 §19.1.1: headers and method of a contact do not reach the Request-URI', async () => {
    const bench = new Bench();
    const contact = '<sip:100@phone.example;method=INVITE;x=1?Route=%3Csip:evil.example%3E>';
    expect(contactsOf(await bench.register({ contact }))).toEqual([`${contact};expires=3600`]);
    const [target] = await bench.registrar.locate(TENANT, '100');
    expect(target && formatUri(target.uri)).toBe('sip:100@phone.example;x=1');
  });

  test('whatever is asked for, it never rejects', async () => {
    const bench = new Bench();
    for (const user of ['', '\0', 'x'.repeat(5000), '\ud800', 'nobody']) {
      expect(await bench.registrar.locate(TENANT, user)).toEqual([]);
    }
  });
});

describe('expiry', () => {
  test('a binding ends on the millisecond and is never given out afterwards', async () => {
    const bench = new Bench();
    await bench.register({ headers: ['Expires: 60'] });
    await bench.clock.advance(59_999);
    expect((await bench.registrar.locate(TENANT, '100')).length).toBe(1);
    await bench.clock.advance(1);
    expect(await bench.registrar.locate(TENANT, '100')).toEqual([]);
    expect(bench.takeEvents()).toEqual(['binding.added', 'binding.removed expired']);
    await bench.registrar.close();
    expect(bench.clock.pending).toBe(0);
  });

  test('one timer serves all bindings, and a refresh prolongs', async () => {
    const extensions = Array.from({ length: 50 }, (_, i) =>
      extensionFrom({ number: String(200 + i), password: `pw-${200 + i}` }, REALM),
    );
    const bench = new Bench({ extensions });
    for (const { number } of extensions) await bench.register({ user: number, headers: [`Expires: ${number}`] });
    expect(bench.clock.pending).toBe(1);
    await bench.clock.advance(199_000);
    await bench.register({ user: '200', headers: ['Expires: 100'] });
    bench.takeEvents();
    await bench.clock.advance(2_000);
    expect(bench.takeEvents()).toEqual(['binding.removed expired']);
    expect((await bench.registrar.bindings(TENANT, '200')).length).toBe(1);
    expect(await bench.registrar.bindings(TENANT, '201')).toEqual([]);
  });

  test('a jump of the wall clock while it runs neither ends nor prolongs a registration', async () => {
    const bench = new Bench();
    await bench.register({ headers: ['Expires: 600'] });
    bench.clock.jumpWallTime(86_400_000);
    await bench.clock.advance(1_000);
    expect(contactsOf(await bench.register({ contact: null }))).toEqual([`${A};expires=599`]);
    await bench.register({ contact: B });
    bench.clock.jumpWallTime(-2 * 86_400_000);
    expect(contactsOf(await bench.register({ contact: null }))[0]).toBe(`${A};expires=599`);
    await bench.clock.advance(599_000);
    expect((await bench.registrar.bindings(TENANT, '100')).map(({ contact }) => contact)).toEqual([
      'sip:100@198.51.100.8:5070',
    ]);
  });

  test('after a restart: bindings by wall time, ended ones removed and told, connections forgotten, UDP flows kept', async () => {
    const clock = new ManualClock();
    const records = new MemoryRecords({ clock });
    const before = new Bench({ clock, records });
    await before.register({ contact: '<sip:100@10.0.0.5>', headers: ['Expires: 100'] });
    await before.register({
      contact: '<sip:100@10.0.0.6>',
      headers: ['Expires: 1000'],
      remote: { address: '203.0.113.9', port: 40_123 },
    });
    await before.register({
      contact: '<sip:100@10.0.0.7;transport=tcp>',
      headers: ['Expires: 900'],
      connectionId: 'c1',
    });
    await before.registrar.close();
    await clock.advance(200_000);
    const after = new Bench({ clock, records });
    await after.registrar.start();
    await clock.advance(0);
    expect(after.takeEvents()).toEqual(['binding.removed expired']);
    const targets = await after.registrar.locate(TENANT, '100');
    expect(targets.map(({ uri, flow }) => [formatUri(uri), flow?.remote.port])).toEqual([
      ['sip:100@10.0.0.6', 40_123],
      ['sip:100@10.0.0.7;transport=tcp', undefined],
    ]);
    await clock.advance(800_000);
    expect(await after.registrar.locate(TENANT, '100')).toEqual([]);
    expect(after.takeEvents().length).toBe(2);
  });
});

describe('the store', () => {
  test('two nodes on one store do not lose each other’s bindings, and each sees both', async () => {
    const clock = new ManualClock();
    const records = new MemoryRecords({ clock });
    const [one, two] = [new Bench({ clock, records }), new Bench({ clock, records })];
    const responses = await Promise.all([
      one.register({ contact: A, callId: 'a' }),
      two.register({ contact: B, callId: 'b' }),
      one.register({ contact: '<sip:100@c.example>', callId: 'c' }),
      two.register({ contact: '<sip:100@d.example>', callId: 'd' }),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await one.registrar.locate(TENANT, '100')).length).toBe(4);
    expect((await two.registrar.locate(TENANT, '100')).length).toBe(4);
    await clock.advance(3_600_000);
    const ended = [...one.takeEvents(), ...two.takeEvents()].filter((name) => name === 'binding.removed expired');
    expect(ended.length).toBe(4);
  });

  test('a store that fails: 500 with Retry-After, no half state, and calls still find what was known', async () => {
    const clock = new ManualClock();
    const records = new BreakableRecords({ clock });
    const bench = new Bench({ clock, records });
    await bench.register({ contact: A });
    records.broken = true;
    const response = await bench.register({ contact: [B, `${A};expires=0`] });
    expect(response.status).toBe(500);
    expect(response.headers.get('Retry-After')?.seconds).toBe(10);
    expect((await bench.registrar.locate(TENANT, '100')).length).toBe(1);
    records.broken = false;
    expect((await bench.registrar.bindings(TENANT, '100')).map(({ contact }) => `<${contact}>`)).toEqual([A]);
    expect(bench.takeEvents()).toEqual(['binding.added']);
  });

  test('a store that fails while bindings end: they are not given out, and told once it works again', async () => {
    const clock = new ManualClock();
    const records = new BreakableRecords({ clock });
    const bench = new Bench({ clock, records });
    await bench.register({ headers: ['Expires: 60'] });
    records.broken = true;
    await clock.advance(65_000);
    expect(await bench.registrar.locate(TENANT, '100')).toEqual([]);
    expect(bench.takeEvents()).toEqual(['binding.added']);
    records.broken = false;
    await clock.advance(10_000);
    expect(bench.takeEvents()).toEqual(['binding.removed expired']);
  });

  test('a record that something else wrote harms nobody', async () => {
    const clock = new ManualClock();
    const records = new MemoryRecords({ clock });
    for (const [i, value] of [1, null, [], { bindings: 1 }, { bindings: [1, {}, { contact: 'x' }] }].entries()) {
      await records.put(`${TENANT}/bindings`, i === 0 ? '100' : `x${i}`, value);
    }
    const bench = new Bench({ clock, records });
    await bench.registrar.start();
    expect(await bench.registrar.bindings(TENANT, '100')).toEqual([]);
    expect((await bench.register()).status).toBe(200);
  });

  test('the host removes bindings', async () => {
    const bench = new Bench();
    await bench.register({ contact: [A, B] });
    bench.takeEvents();
    expect(await bench.registrar.remove(TENANT, '100', 'sip:100@198.51.100.8:5070')).toBe(1);
    expect(await bench.registrar.remove(TENANT, '100')).toBe(1);
    expect(await bench.registrar.remove(TENANT, '100')).toBe(0);
    expect(bench.takeEvents()).toEqual(['binding.removed administrative', 'binding.removed administrative']);
  });

  test('closed: 503, and no timer is left', async () => {
    const bench = new Bench();
    await bench.register();
    await bench.registrar.close();
    expect(bench.clock.pending).toBe(0);
    expect((await bench.register()).status).toBe(503);
  });
});

test('options out of range are refused with what was found and what is expected', () => {
  const make = (options: Partial<Pick<RegistrarOptions, 'expiry' | 'maxContacts'>>) => () => new Bench(options);
  expect(make({ expiry: { minSeconds: 100, maxSeconds: 50 } })).toThrow('expiry.minSeconds: found 100');
  expect(make({ expiry: { maxSeconds: 0 } })).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  expect(make({ maxContacts: 0 })).toThrow('maxContacts: found 0, expected a whole number from 1');
});

/** A store whose disk can be pulled out. */
class BreakableRecords extends MemoryRecords {
  broken = false;

  override async get(...args: Parameters<MemoryRecords['get']>): ReturnType<MemoryRecords['get']> {
    if (this.broken) throw new StorageError('deliberate');
    return super.get(...args);
  }

  override async put(...args: Parameters<MemoryRecords['put']>): ReturnType<MemoryRecords['put']> {
    if (this.broken) throw new StorageError('deliberate');
    return super.put(...args);
  }
}
