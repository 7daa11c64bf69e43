/** A wrong password at a carrier: some attempts, then suspended, event and mail; still there after a restart (product facts, part 2). */
import { expect, test } from 'vitest';
import { MemoryMailer } from '../../src/mailer/memory-mailer.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import { DOMAIN } from '../support/office.js';
import { runScenario } from '../support/scenario.js';
import { registersOf, scriptedRegistrar } from '../support/trunks.js';

const CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';
const LINE: LineOptions = {
  name: '1234',
  server: '198.51.100.1',
  username: '1234',
  password: 'wrong',
  owner: '100',
};

/** An office whose storage outlives it, and each life of it. */
function office(world: World, lines: readonly LineOptions[] = [LINE]) {
  const { records, blobs } = memoryStorage({ clock: world.clock });
  const mailers: MemoryMailer[] = [];
  const told: string[] = [];
  const live = async (): Promise<Pbx> => {
    const mailer = new MemoryMailer();
    mailers.push(mailer);
    const pbx = world.use(
      createPbx({
        domain: DOMAIN,
        listen: ['udp://192.0.2.1:5060'],
        extensions: [{ number: '100', password: 'x', email: 'alice@office.test' }],
        lines,
        outbound: { suspendAfter: { refusals: 3 } },
        storage: { records, blobs, close: async () => {} },
        mailer,
        notices: { administrator: 'admin@office.test' },
        ...world.ports,
      }),
      world.pbx,
    );
    pbx.on('line.suspended', ({ line, reason }) => told.push(`${line} ${reason.kind}`));
    pbx.on('mail.sent', ({ to }) => told.push(`mail to ${to}`));
    await world.run(() => pbx.start());
    return pbx;
  };
  return { live, told, mails: () => mailers.flatMap(({ sent }) => sent) };
}

const refuses = (world: World) => scriptedRegistrar(world, () => ({ status: 401, headers: [CHALLENGE] }));

test('at most the configured attempts, then an event and a mail to the owner; a restart changes nothing', () =>
  runScenario({ seed: 1, delayMs: 5 }, async (world) => {
    const carrier = await refuses(world);
    const { live, told, mails } = office(world);
    const first = await live();
    await world.advance({ minutes: 60 });
    const sent = registersOf(carrier).length;
    // Each attempt is one without and one with credentials.
    expect(sent).toBe(6);
    expect(told).toEqual(['1234 wrong-password', 'mail to alice@office.test']);
    expect(mails()).toMatchObject([{ to: ['alice@office.test'], subject: 'Line 1234 is suspended' }]);
    expect(mails()[0]?.text).toMatch(/401/);
    expect(mails()[0]?.text).not.toContain('wrong');
    expect(first.lines).toMatchObject([{ name: '1234', state: { kind: 'suspended' } }]);

    world.pbx.restart();
    const second = await live();
    await world.advance({ minutes: 60 });
    expect(registersOf(carrier)).toHaveLength(sent);
    expect(second.lines).toMatchObject([{ state: { kind: 'suspended' } }]);
    expect(mails()).toHaveLength(1);
  }));

test('resumed, it registers, and the owner hears that it is back', () =>
  runScenario({ seed: 2, delayMs: 5 }, async (world) => {
    let right = false;
    const carrier = await scriptedRegistrar(world, (request) =>
      right && request.header('Authorization') !== undefined ? { status: 200 } : { status: 401, headers: [CHALLENGE] },
    );
    const { live, mails } = office(world);
    const pbx = await live();
    await world.advance({ minutes: 60 });
    right = true;
    expect(await world.run(() => pbx.resumeLine('1234'))).toBe(true);
    expect(await world.run(() => pbx.resumeLine('1234'))).toBe(false);
    await world.advance({ seconds: 5 });
    expect(pbx.lines).toMatchObject([{ state: { kind: 'registered' } }]);
    expect(mails().map(({ subject }) => subject)).toEqual(['Line 1234 is suspended', 'Line 1234 is back']);
    expect(registersOf(carrier).at(-1)?.header('Authorization')).toContain('username="1234"');
  }));

test('a line of nobody: the administrator is told', () =>
  runScenario({ seed: 3, delayMs: 5 }, async (world) => {
    await refuses(world);
    const { owner, ...shared } = LINE;
    const { live, mails } = office(world, [shared]);
    await live();
    await world.advance({ minutes: 60 });
    expect(mails().map(({ to }) => to)).toEqual([['admin@office.test']]);
  }));
