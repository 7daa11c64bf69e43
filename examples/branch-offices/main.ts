/**
 * Two branch offices and a trunk server between them: extensions 2xx of branch A and 3xx of branch B call each other. Each
 * server knows the others by their address, over TCP. On a virtual network: nothing leaves this process.
 *
 *   npm run example -- branch-offices [SEED]
 */
import { pathToFileURL } from 'node:url';
import { type CallRecord, createPbx, type Pbx, type PbxOptions, peer } from 'pbxkit';
import { createWorld, type World } from 'pbxkit/testing';

const HEAD = '192.0.2.10';
const BRANCH_A = '192.0.2.20';
const BRANCH_B = '192.0.2.30';

/** Resolves to what each server has on record. */
export async function main({ seed = 42 }: { readonly seed?: number } = {}): Promise<string> {
  const world = createWorld({ seed, delayMs: [5, 40] });
  const told: string[] = [];
  const open = (
    name: string,
    address: string,
    options: Pick<PbxOptions, 'extensions' | 'trunks' | 'dialPlan'>,
  ): Pbx => {
    const listen = [`udp://${address}:5060`, `tcp://${address}:5060`];
    const pbx = world.use(
      createPbx({ domain: `${name}.example`, listen, ...options, ...world.host(name, address).ports }),
    );
    pbx.on('call.ended', ({ record }) => told.push(`${name}: ${inWords(record)}`));
    return pbx;
  };

  const head = open('head', HEAD, {
    trunks: [
      { name: 'branch-a', server: `sip:${BRANCH_A};transport=tcp`, transit: true },
      { name: 'branch-b', server: `sip:${BRANCH_B};transport=tcp`, transit: true },
    ],
    dialPlan: {
      called: [
        { prefix: '2', route: peer('branch-a') },
        { prefix: '3', route: peer('branch-b') },
      ],
    },
  });
  const trunks = [{ name: 'head', server: `sip:${HEAD};transport=tcp` }];
  const branchA = open('branch-a', BRANCH_A, {
    extensions: [{ number: '201', name: 'Alice', password: 'a' }],
    trunks,
    dialPlan: { called: [{ prefix: '3', route: peer('head') }] },
  });
  const branchB = open('branch-b', BRANCH_B, {
    extensions: [{ number: '301', name: 'Bob', password: 'b' }],
    trunks,
    dialPlan: { called: [{ prefix: '2', route: peer('head') }] },
  });
  await world.run(() => Promise.all([head, branchA, branchB].map((pbx) => pbx.start())));
  const alice = await phone(world, 'sip:201@branch-a.example', BRANCH_A, 'a');
  const bob = await phone(world, 'sip:301@branch-b.example', BRANCH_B, 'b');

  for (const begin of [() => alice.call('301'), () => bob.call('201')]) {
    const call = begin();
    await world.until(call.talking());
    await world.advance({ seconds: 20 });
    call.hangUp();
    await world.advance({ seconds: 1 });
  }
  await world.close();
  return told.join('\n');
}

async function phone(world: World, aor: string, address: string, password: string) {
  const server = { address, port: 5060 };
  const made = world.phone(aor, { password, server, onCall: (call) => call.answer() });
  await world.run(() => made.register());
  return made;
}

function inWords({ caller, called, talkMs, legs: [from, to] }: CallRecord): string {
  const way = [from, to].map((leg) => leg?.via ?? 'a phone').join(' to ');
  return `${caller} called ${called}, from ${way}, they talked ${Math.round(talkMs / 1000)} s`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await main({ seed: Number(process.argv[2] ?? 42) }));
}
