/**
 * Whoever dials 600 hears himself, and each key that is pressed is told: does audio pass, both ways?
 *
 *   npm run example -- echo-test
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { createPbx, type Pbx, type PbxOptions } from 'pbxkit';
import { AudioPipe } from 'pbxkit/media';

const [, program = ''] = process.argv;
const SETTINGS = {
  domain: 'echo-test.example',
  listen: ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'],
  extensions: ['100', '101'].map((number) => ({ number, password: randomBytes(9).toString('base64url') })),
} satisfies PbxOptions;

/** Resolves when it serves. `print` is told of keys and of phones that are refused. */
export async function main(
  options: Partial<PbxOptions> = {},
  print: (line: string) => void = console.log,
): Promise<Pbx> {
  const pbx = createPbx({ ...SETTINGS, ...options });
  pbx.onCall('600', async (call) => {
    call.events.on('digit', ({ digit, way }) => print(`${call.caller.number} has pressed ${digit} (${way})`));
    await call.answer();
    const pipe = new AudioPipe();
    call.audio?.listen((pcm) => pipe.write(pcm));
    call.audio?.send(pipe);
    await once(call.signal, 'abort');
  });
  const stop = pbx.on('credentials.refused', ({ cause }) => {
    if (cause !== 'wrong') return;
    print('a phone is refused: wrong password, or a number that is none; the right ones stand above');
    stop(); // once: a phone tries again and again
  });
  await pbx.start();
  return pbx;
}

if (import.meta.url === pathToFileURL(program).href) {
  const pbx = await main();
  for (const { number, password } of SETTINGS.extensions) console.log(`extension ${number}, password ${password}`);
  console.log(`ready: dial 600, domain ${SETTINGS.domain}, server: this machine, port 5060`);
  process.once('SIGINT', () => void pbx.close());
}
