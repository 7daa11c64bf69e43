/**
 * Music for whoever dials 500: one tune for all who listen, read and encoded once however many they are.
 *
 *   npm run example -- music-line [FILE.wav]     without a file: a tune made of tones
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { createPbx, type Pbx, type PbxOptions } from 'pbxkit';
import { readWav } from 'pbxkit/audio';
import { chord, pcm, type Sound, tone } from 'pbxkit/media';

const [, program = '', file] = process.argv;
const SETTINGS = {
  domain: 'music-line.example',
  listen: ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'],
  extensions: ['100', '101'].map((number) => ({ number, password: randomBytes(9).toString('base64url') })),
} satisfies PbxOptions;

/** Beethoven, An die Freude. */
const TUNE = 'E E F G G F E D C C D E E D D';
const HZ: Readonly<Record<string, number>> = { C: 261.6, D: 293.7, E: 329.6, F: 349.2, G: 392 };

/** Resolves when it serves. */
export async function main(options: Partial<PbxOptions> = {}, music: Sound = tune()): Promise<Pbx> {
  const pbx = createPbx({ ...SETTINGS, ...options });
  const broadcast = pbx.broadcast(music);
  pbx.onCall('500', async (call) => {
    await call.answer();
    await call.play(broadcast);
  });
  const stop = pbx.on('credentials.refused', ({ cause }) => {
    if (cause !== 'wrong') return;
    console.log('a phone is refused: wrong password, or a number that is none; the right ones stand above');
    stop(); // once: a phone tries again and again
  });
  await pbx.start();
  return pbx;
}

/** 400 ms a note. It has no end: a tone without `repeat` begins again. */
function tune(): Sound {
  const steps = TUNE.split(' ').flatMap((note) => [
    { sines: chord([HZ[note] ?? 0]), ms: 360 },
    { sines: [], ms: 40 },
  ]);
  return tone({ steps });
}

/** Read before anybody calls, so that a file that is none is told at once. @throws WavError */
async function musicOf(file: string): Promise<Sound> {
  const { rate, samples } = readWav(await readFile(file));
  return pcm(samples, { rate });
}

if (import.meta.url === pathToFileURL(program).href) {
  const pbx = await main({}, file === undefined ? tune() : await musicOf(file));
  for (const { number, password } of SETTINGS.extensions) console.log(`extension ${number}, password ${password}`);
  console.log(`ready: dial 500, domain ${SETTINGS.domain}, server: this machine, port 5060`);
  process.once('SIGINT', () => void pbx.close());
}
