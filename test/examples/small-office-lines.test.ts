/** The reference server with lines and trunks: what it tells a person, and what it takes when the file is read again. */
import { describe, expect, vi } from 'vitest';
import { type ConfigFile, optionsOf } from '../../examples/small-office/config.js';
import { main } from '../../examples/small-office/main.js';
import { reload } from '../../examples/small-office/reload.js';
import type { Pbx } from '../../src/pbx/pbx.js';
import type { World } from '../../src/testing/world.js';
import { Carrier } from '../support/carrier.js';
import { scenario } from '../support/scenario.js';

const LINE = { name: '1234', server: '198.51.100.1', domain: 'carrier-a.test', username: '1234' };
const FILE: ConfigFile = {
  domain: 'office.test',
  listen: ['udp://192.0.2.1:5060'],
  extensions: [{ number: '100', password: 'a' }],
  lines: [{ ...LINE, password: 'secret-1234', inbound: '100' }],
};

/** Serves the file and collects what is said. */
function served(
  name: string,
  file: ConfigFile,
  body: (parts: { readonly pbx: Pbx; readonly said: string[] }, world: World) => Promise<void>,
): void {
  scenario(name, { seed: 1, delayMs: 5 }, async (world) => {
    const said: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    try {
      const options = { ...(await optionsOf(file)), ...world.ports };
      const pbx = world.use(await world.run(() => main(options)));
      await body({ pbx, said }, world);
      await world.run(() => pbx.close());
    } finally {
      log.mockRestore();
    }
  });
}

const carrier = (world: World): Promise<Carrier> =>
  Carrier.open(world, { name: 'carrier-a', address: '198.51.100.1', accounts: ['1234'] }, ['5551']);
const about = (said: readonly string[], what: RegExp): string[] => said.filter((line) => what.test(line));

describe('what is told of lines and trunks', () => {
  served(
    'start waits for no carrier; a failure is told once, and that the line is back',
    FILE,
    async (parts, world) => {
      const { said } = parts;
      expect(said.at(-1)).toMatch(/^ready: office\.test/);
      await world.advance({ minutes: 10 });
      expect(about(said, /^line/)).toEqual(['line 1234 cannot register (no answer); it goes on trying']);
      const a = await carrier(world);
      await world.until(() => about(said, /is registered/).length > 0, { minutes: 40 });
      const alice = world.phone('sip:100@office.test', { password: 'a' });
      await world.run(() => alice.register());
      const far = await a.subscriber('5551');
      const next = alice.incoming();
      const call = far.call('1234');
      (await world.run(() => next)).answer();
      await world.until(call.talking());
      await world.advance({ seconds: 3 });
      call.hangUp();
      await world.advance({ seconds: 40 });
      expect(about(said, /ended/)).toEqual(['5551 calls 1234: ended, talked 3 s, by 1234']);
      await world.run(() => a.pbx.close());
      await world.advance({ minutes: 90 });
      expect(about(said, /^line/).slice(1)).toEqual([
        'line 1234 is registered: calls go out and come in',
        'line 1234 cannot register (no answer); it goes on trying',
        'line 1234 is not registered any more (its time ran out)',
        'line 1234 cannot register (no answer); it goes on trying',
      ]);
    },
  );

  served(
    'a trunk that answers OPTIONS, and that does not any more',
    { ...FILE, lines: [], trunks: [{ name: 'gw', server: '198.51.100.1', qualifySeconds: 10 }] },
    async ({ said }, world) => {
      const a = await carrier(world);
      await world.advance({ minutes: 1 });
      await world.run(() => a.pbx.close());
      await world.advance({ minutes: 5 });
      expect(about(said, /^trunk/)).toEqual([
        'trunk gw answers',
        'trunk gw does not serve (no answer): calls go by others until it does',
      ]);
    },
  );
});

describe('the file is read again', () => {
  const TYPO: ConfigFile = {
    ...FILE,
    lines: [{ ...LINE, password: 'typo' }],
    outbound: { suspendAfter: { refusals: 1 } },
  };

  /** Until the carrier has refused the line. */
  async function suspended(said: readonly string[], world: World): Promise<Carrier> {
    const a = await carrier(world);
    await world.until(() => about(said, /suspended/).length > 0, { minutes: 40 });
    expect(about(said, /suspended/)).toEqual([
      expect.stringMatching(/^line 1234 is suspended: the carrier said no \(401 .*Correct .* kill -HUP \d+$/),
    ]);
    return a;
  }

  served('a corrected password: the suspended line registers', TYPO, async ({ pbx, said }, world) => {
    await suspended(said, world);
    const { later } = await world.run(() => reload(pbx, TYPO, { ...TYPO, lines: FILE['lines'] }));
    expect(later).toEqual([]);
    await world.until(() => pbx.lines[0]?.state.kind === 'registered');
  });

  served('the carrier has mended it: the same file lets the line try again', TYPO, async ({ pbx, said }, world) => {
    const a = await suspended(said, world);
    a.pbx.reconfigure({ extensions: [{ number: '1234', password: 'typo' }] });
    await world.run(() => reload(pbx, TYPO, TYPO));
    await world.until(() => pbx.lines[0]?.state.kind === 'registered');
  });

  served(
    'lines, trunks, dial plan and extensions are taken; the rest waits and is named',
    FILE,
    async (parts, world) => {
      const { pbx } = parts;
      const file: ConfigFile = {
        ...FILE,
        listen: ['udp://192.0.2.1:5070'],
        storage: { kind: 'memory' },
        extensions: [{ number: '101', password: 'b' }],
        lines: [],
        trunks: [{ name: 'gw', server: '198.51.100.1' }],
        dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] },
      };
      const { running, later } = await world.run(() => reload(pbx, FILE, file));
      expect(later).toEqual(['listen', 'storage']);
      await world.until(() => pbx.lines.length === 0);
      expect(pbx.trunks.map(({ name }) => name)).toEqual(['gw']);
      const bob = world.phone('sip:101@office.test', { password: 'b' });
      expect((await world.run(() => bob.register())).status).toBe(200);
      // What the file names no more is gone, with the rules that named it; what waits is named again.
      const { trunks: _trunks, dialPlan: _plan, ...without } = file;
      expect((await world.run(() => reload(pbx, running, without))).later).toEqual(['listen', 'storage']);
      await world.until(() => pbx.trunks.length === 0);
    },
  );

  served('a fault anywhere in the file: nothing changes', FILE, async ({ pbx }, world) => {
    const wrong = { ...FILE, lines: [], listen: ['udp:/192.0.2.1'] };
    await expect(world.run(() => reload(pbx, FILE, wrong))).rejects.toMatchObject({ code: 'PBX_CONFIG_INVALID' });
    expect(pbx.lines.map(({ name }) => name)).toEqual(['1234']);
  });
});
