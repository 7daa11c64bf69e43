/**
 * A PBX as a process of its own, to be killed: `recording-office.ts HOST PORT FOLDER`. Whoever dials 7xx hears 1000 Hz, and both
 * directions are recorded to 7xx.wav: in one channel when the number is even, in two when it is odd. Says `recorded NUMBER REASON MS`.
 */
import path from 'node:path';
import { tone } from '../../../src/media/audio/tone.js';
import { fileSink } from '../../../src/media/recording/file-sink.js';
import { createPbx } from '../../../src/pbx/pbx.js';
import { chord } from '../../../src/protocol/audio/tones.js';
import { DOMAIN, extensions } from './server.js';

const [, , host = '', port = '', folder = ''] = process.argv;
const pbx = createPbx({ domain: DOMAIN, listen: [`udp://${host}:${port}`], extensions: extensions(100, 4) });
for (const number of ['700', '701', '702', '703']) {
  pbx.onCall(number, async (call) => {
    await call.answer();
    const channels = Number(number) % 2 === 0 ? 'mixed' : 'stereo';
    const recording = call.record(fileSink(path.join(folder, `${number}.wav`)), { channels });
    void recording.then(({ reason, durationMs }) => console.log(`recorded ${number} ${reason} ${durationMs}`));
    await call.play(tone({ steps: [{ sines: chord([1_000]), ms: 1_000 }] }));
  });
}
await pbx.start();
console.log('ready');
