/**
 * Whoever dials 610 is told the time, in counted beeps: hours (1 to 12), tens of minutes, minutes. Key 1 tells it again, key 2 and an
 * extension's number connect, # ends.
 *
 *   npm run example -- talking-clock [FOLDER]     with a folder: by its time-is.wav and 0.wav to 59.wav
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPbx, type Pbx, type PbxOptions } from 'pbxkit';
import { beep, chord, type Sound, silence, tone } from 'pbxkit/media';

const [, program = '', folder] = process.argv;
const SETTINGS = {
  domain: 'talking-clock.example',
  listen: ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'],
  extensions: ['100', '101'].map((number) => ({ number, password: randomBytes(9).toString('base64url') })),
} satisfies PbxOptions;

/** Resolves when it serves. `prompts`: the folder. */
export async function main(
  options: Partial<PbxOptions> = {},
  { prompts, now = () => new Date() }: { readonly prompts?: string | undefined; readonly now?: () => Date } = {},
): Promise<Pbx> {
  const tell = (time: Date): (string | Sound)[] => (prompts === undefined ? beeps(time) : spoken(time, prompts));
  const pbx = createPbx({ ...SETTINGS, ...options });
  pbx.onCall('610', async (call) => {
    await call.answer();
    for (;;) {
      const key = await call.collect({ prompt: tell(now()), maxDigits: 1 });
      if (key === '2') {
        const number = await call.collect({ prompt: tone(beep()), maxDigits: 3 });
        if (number !== '') await call.dial(number);
      } else if (key !== '1') return;
    }
  });
  const stop = pbx.on('credentials.refused', ({ cause }) => {
    if (cause !== 'wrong') return;
    console.log('a phone is refused: wrong password, or a number that is none; the right ones stand above');
    stop(); // once: a phone tries again and again
  });
  await pbx.start();
  return pbx;
}

function beeps(time: Date): Sound[] {
  const minutes = time.getMinutes();
  return [
    beepsOf(400, time.getHours() % 12 || 12),
    silence(600),
    beepsOf(800, Math.floor(minutes / 10)),
    silence(600),
    beepsOf(1200, minutes % 10),
  ];
}

function beepsOf(hz: number, count: number): Sound {
  const steps = [
    { sines: chord([hz]), ms: 200 },
    { sines: [], ms: 200 },
  ];
  return tone({ steps, repeat: count });
}

function spoken(time: Date, prompts: string): string[] {
  return ['time-is', time.getHours(), time.getMinutes()].map((name) => join(prompts, `${name}.wav`));
}

if (import.meta.url === pathToFileURL(program).href) {
  const pbx = await main({}, { prompts: folder });
  for (const { number, password } of SETTINGS.extensions) console.log(`extension ${number}, password ${password}`);
  console.log(`ready: dial 610, domain ${SETTINGS.domain}, server: this machine, port 5060`);
  process.once('SIGINT', () => void pbx.close());
}
