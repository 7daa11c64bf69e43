/** NAT in the kernel: a phone at home behind a router that masquerades, and two in the open, each in a network namespace of its own. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { Baresip } from './support/baresip.js';
import type { Child } from './support/child.js';
import type { Lab } from './support/lab.js';
import { NatInternet, startedIn } from './support/namespaces.js';
import { udpPortsOf } from './support/ports.js';
import { interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { DOMAIN, extensions, REPOSITORY } from './support/server.js';
import { firstSound, measureTone } from './support/tone.js';

const NEEDS = ['baresip', 'ip', 'iptables'] as const;
const SIP_PORT = 5060;
const RTP = { from: 20_000, to: 20_198 };
const HZ = { alice: 440, bob: 1000, carol: 700 } as const;
type Name = keyof typeof HZ;
const NUMBERS = { alice: '100', bob: '101', carol: '102' } as const;

/** The reference server in the open, and phones in their places. */
class Town {
  readonly #lab: Lab;
  readonly #internet: NatInternet;
  readonly #server: Child;

  static async open(lab: Lab, mediaPath: 'direct' | 'auto'): Promise<Town> {
    const internet = await NatInternet.create(lab);
    const place = internet.place('server');
    const file = path.join(lab.folder('server'), 'config.json');
    const config = {
      domain: DOMAIN,
      listen: [`udp://${place.address}:${SIP_PORT}`],
      storage: { kind: 'memory' },
      extensions: extensions(100, 3),
      digest: ['MD5'],
      media: { path: mediaPath, ports: RTP },
    };
    writeFileSync(file, JSON.stringify(config));
    const command = [process.execPath, '--import', 'tsx', 'examples/small-office/main.ts', '--config', file];
    const server = lab.spawn({ name: 'server', cwd: REPOSITORY, ...startedIn(place, command) });
    await server.lines.wait((line) => line.startsWith('ready'), { timeoutMs: 60_000, what: 'the line "ready"' });
    return new Town(lab, internet, server);
  }

  private constructor(lab: Lab, internet: NatInternet, server: Child) {
    this.#lab = lab;
    this.#internet = internet;
    this.#server = server;
  }

  addressOf(name: Name | 'server'): string {
    return this.#internet.place(name).address;
  }

  /** A phone of that name, registered. */
  async phone(name: Name): Promise<Baresip> {
    const phone = await Baresip.start(this.#lab, {
      number: NUMBERS[name],
      server: { host: this.addressOf('server'), port: SIP_PORT },
      toneHz: HZ[name],
      place: this.#internet.place(name),
    });
    await phone.registered(20_000);
    return phone;
  }

  /** Ports of the server's range for media that are bound in its network, where nobody else is. */
  get mediaPorts(): number {
    const { pid } = this.#server;
    if (pid === undefined) throw new Error('the server does not run');
    return udpPortsOf(pid).filter((port) => port >= RTP.from && port <= RTP.to + 1).length;
  }
}

async function call(from: Baresip, to: Baresip, name: Name): Promise<void> {
  await from.dial(NUMBERS[name]);
  await to.event('CALL_INCOMING', { timeoutMs: 20_000 });
  await to.command('accept');
  const established = { timeoutMs: 20_000 };
  await Promise.all([from.event('CALL_ESTABLISHED', established), to.event('CALL_ESTABLISHED', established)]);
}

/** The phone hears somebody's tone, and nothing else: a second of it is measured. */
async function expectHears(phone: Baresip, name: Name): Promise<void> {
  await until(() => phone.heardSeconds() >= 3, `3 s of ${name}'s sound`, 30_000);
  const sound = phone.heard();
  const tone = measureTone(sound, firstSound(sound) + 0.2, 1);
  expect(Math.abs(tone.hz - HZ[name]) / HZ[name], `heard ${tone.hz} Hz, ${HZ[name]} Hz were played`).toBeLessThan(0.02);
  expect(tone.purity).toBeGreaterThan(0.9);
}

/** Lines of descriptions that a phone was sent or has sent, of one kind. */
function traced(phone: Baresip, start: string): readonly string[] {
  return [...new Set(phone.traceSince(0).filter((line) => line.startsWith(start)))];
}

describe('a phone behind a router that masquerades', () => {
  interopTest(
    'direct: it is heard, and hears nothing: its private address is told',
    { needs: NEEDS, timeoutMs: 150_000 },
    async (lab) => {
      const town = await Town.open(lab, 'direct');
      const [alice, bob] = [await town.phone('alice'), await town.phone('bob')];
      await call(alice, bob, 'bob');
      await expectHears(bob, 'alice');
      expect(traced(bob, 'c=IN IP4')).toContain(`c=IN IP4 ${town.addressOf('alice')}`);
      const deafFrom = alice.encodedSeconds();
      await until(() => alice.encodedSeconds() >= deafFrom + 2, '2 s more to pass', 30_000);
      expect(alice.heardSeconds()).toBe(0);
      expect(town.mediaPorts).toBe(0);
      await alice.command('hangup');
      await bob.event('CALL_CLOSED');
    },
  );

  for (const caller of ['alice', 'bob'] as const) {
    interopTest(
      `auto, ${caller} calls: both hear each other through the server`,
      { needs: NEEDS, timeoutMs: 150_000 },
      async (lab) => {
        const town = await Town.open(lab, 'auto');
        const [alice, bob] = [await town.phone('alice'), await town.phone('bob')];
        if (caller === 'alice') await call(alice, bob, 'bob');
        else await call(bob, alice, 'alice');
        await Promise.all([expectHears(alice, 'bob'), expectHears(bob, 'alice')]);
        expect([...traced(bob, 'c=IN IP4')].sort()).toEqual(
          [town.addressOf('server'), town.addressOf('bob')].map((address) => `c=IN IP4 ${address}`).sort(),
        );
        // A pair for each of them.
        expect(town.mediaPorts).toBe(4);
        await alice.command('hangup');
        await bob.event('CALL_CLOSED');
        await until(() => town.mediaPorts === 0, 'the ports to be closed');
      },
    );
  }

  interopTest('auto: two in the open talk without the server', { needs: NEEDS, timeoutMs: 150_000 }, async (lab) => {
    const town = await Town.open(lab, 'auto');
    const [bob, carol] = [await town.phone('bob'), await town.phone('carol')];
    await call(bob, carol, 'carol');
    await Promise.all([expectHears(bob, 'carol'), expectHears(carol, 'bob')]);
    const theirs = [town.addressOf('bob'), town.addressOf('carol')].map((address) => `c=IN IP4 ${address}`);
    expect([...traced(bob, 'c=IN IP4')].sort()).toEqual(theirs);
    expect([...traced(carol, 'c=IN IP4')].sort()).toEqual(theirs);
    expect(town.mediaPorts).toBe(0);
    await bob.command('hangup');
    await carol.event('CALL_CLOSED');
  });
});
