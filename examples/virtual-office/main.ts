/**
 * A whole office on a virtual network: a PBX and two phones, one behind NAT, with lost packets. No socket is opened, and
 * half a minute of calling takes milliseconds.
 *
 *   npm run example -- virtual-office [SEED]
 */
import { pathToFileURL } from 'node:url';
import { createPbx } from 'pbxkit';
import { createWorld } from 'pbxkit/testing';

/** Plays the story; resolves to who sent what to whom. The same seed gives the same text. */
export async function main({ seed = 42 }: { readonly seed?: number } = {}): Promise<string> {
  const world = createWorld({ seed, loss: 0.05, delayMs: [5, 40] });
  const pbx = world.use(
    createPbx({
      domain: 'office.example',
      listen: ['udp://192.0.2.1:5060'],
      extensions: [
        { number: '100', name: 'Alice', password: 'a' },
        { number: '101', name: 'Bob', password: 'b' },
      ],
      ...world.ports,
    }),
  );
  const alice = world.phone('sip:100@office.example', { password: 'a' });
  const bob = world.phone('sip:101@office.example', { password: 'b', behindNat: true });
  await world.run(() => Promise.all([pbx.start(), alice.register(), bob.register()]));

  const call = alice.call('101');
  await world.until(bob.ringing);
  await world.advance({ seconds: 4 });
  bob.calls[0]?.answer();
  await world.until(call.talking());
  await world.advance({ seconds: 20 });
  call.hangUp();
  await world.advance({ seconds: 5 });
  await world.close();
  return world.ladder();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await main({ seed: Number(process.argv[2] ?? 42) }));
}
