import { expect } from 'vitest';
import { main } from '../../examples/echo-test/main.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import { sine } from '../media/session/studio.js';
import { rtpOf, targetOf } from '../support/rtp-of-call.js';
import { scenario } from '../support/scenario.js';
import { dialled, OFFICE, pressed, samplesOf } from '../support/served-by-example.js';

scenario('echo-test: what the caller says comes back, and keys are told', { seed: 1, delayMs: 5 }, async (world) => {
  const told: string[] = [];
  const pbx = world.use(await world.run(() => main({ ...OFFICE, ...world.ports }, (line) => told.push(line))));
  const call = await dialled(world, '600');
  const rtp = await rtpOf(world, call);
  await rtp.talk(sine(1_000, 1_000), targetOf(call), { law: 'PCMU' });
  await world.advance({ ms: 300 });
  const back = samplesOf(rtp.heard);
  expect(toneDbov(back.subarray(2_400, 6_400), 1_000)).toBeCloseTo(toneDbov(sine(1_000, 500), 1_000), 0);
  await pressed(world, call, '7');
  expect(told).toEqual(['100 has pressed 7 (info)']);
  call.hangUp();
  await world.advance({ seconds: 40 });
  expect([pbx.calls, pbx.stats().media.ports.used]).toEqual([[], 0]);
});
