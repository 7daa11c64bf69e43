/**
 * Two carriers: what begins with 9 goes out by line 1234, what begins with 8 by line 5678, each without that digit. On a virtual
 * network: office and carriers are three PBXs, nothing leaves this process.
 *
 *   npm run example -- two-carriers [SEED]
 */
import { pathToFileURL } from 'node:url';
import { type CallRecord, createPbx, deleteDigits, line } from 'pbxkit';
import { createWorld, type World } from 'pbxkit/testing';

/** Resolves to who called whom, by which line. */
export async function main({ seed = 42 }: { readonly seed?: number } = {}): Promise<string> {
  const world = createWorld({ seed, delayMs: [5, 40] });
  const farA = await carrier(world, 'carrier-a.example', '198.51.100.1', '1234');
  await carrier(world, 'carrier-b.example', '198.51.100.2', '5678');

  const office = world.use(
    createPbx({
      domain: 'office.example',
      listen: ['udp://192.0.2.1:5060'],
      extensions: [{ number: '100', name: 'Alice', password: 'a' }],
      lines: [
        { name: '1234', server: 'carrier-a.example', username: '1234', password: 'secret', inbound: '100' },
        { name: '5678', server: 'carrier-b.example', username: '5678', password: 'secret' },
      ],
      dialPlan: {
        transforms: { 1: deleteDigits({ start: 0, length: 1 }) },
        called: [
          { prefix: '9', route: line('1234'), transform: 1 },
          { prefix: '8', route: line('5678'), transform: 1 },
        ],
      },
      ...world.ports,
    }),
  );
  const told: string[] = [];
  office.on('line.registered', (event) => told.push(`line ${event.line} is registered`));
  office.on('call.ended', ({ record }) => told.push(inWords(record)));
  const alice = world.phone('sip:100@office.example', { password: 'a', onCall: (call) => call.answer() });
  await world.run(() => Promise.all([office.start(), alice.register()]));
  await world.until(() => office.lines.every(({ state }) => state.kind === 'registered'));

  for (const call of [() => alice.call('95551'), () => alice.call('85551'), () => farA.call('1234')]) {
    const talk = call();
    await world.until(talk.talking());
    await world.advance({ seconds: 20 });
    talk.hangUp();
    await world.advance({ seconds: 1 });
  }
  await world.close();
  return told.join('\n');
}

/** A carrier that has sold one account; behind 5551 somebody answers. */
async function carrier(world: World, domain: string, address: string, account: string) {
  world.network.dns.set(domain, [address]);
  const extensions = [account, '5551'].map((number) => ({ number, password: 'secret' }));
  const { ports } = world.host(domain, address);
  const pbx = world.use(createPbx({ domain, listen: [`udp://${address}:5060`], extensions, ...ports }));
  const server = { address, port: 5060 };
  const phone = { name: `5551@${domain}`, server, password: 'secret' };
  const far = world.phone(`sip:5551@${domain}`, { ...phone, onCall: (call) => call.answer() });
  await world.run(() => Promise.all([pbx.start(), far.register()]));
  return far;
}

function inWords({ caller, called, talkMs, legs: [from, to] }: CallRecord): string {
  const way = to?.via === undefined ? `came in by line ${from?.via}` : `went out by line ${to.via} as ${to.number}`;
  return `${caller} called ${called}: it ${way}, they talked ${Math.round(talkMs / 1000)} s`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await main({ seed: Number(process.argv[2] ?? 42) }));
}
