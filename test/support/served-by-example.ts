import type { PbxOptions } from '../../src/pbx/options.js';
import { G711 } from '../../src/protocol/audio/g711.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { World } from '../../src/testing/world.js';
import { type Heard, joined } from '../media/session/studio.js';

/** What the examples of served calls are started with in a virtual world. */
export const OFFICE = {
  domain: 'office.example',
  listen: ['udp://192.0.2.1:5060'],
  extensions: ['100', '101'].map((number) => ({ number, password: `secret-${number}` })),
} satisfies PbxOptions;

/** A phone of that office, registered. */
export async function phoneOf(world: World, number: string) {
  const phone = world.phone(`sip:${number}@${OFFICE.domain}`, { password: `secret-${number}` });
  await world.run(() => phone.register());
  return phone;
}

/** A phone registers and dials; resolves when it talks. */
export async function dialled(world: World, number: string, from = '100'): Promise<PhoneCall> {
  const phone = await phoneOf(world, from);
  const call = phone.call(number);
  await world.until(call.talking());
  return call;
}

/** Presses keys, by INFO, 300 ms apart. */
export async function pressed(world: World, call: PhoneCall, keys: string): Promise<void> {
  for (const key of keys) {
    const body = new TextEncoder().encode(`Signal=${key}\r\nDuration=160\r\n`);
    const request = call.session?.request('INFO', { body, contentType: 'application/dtmf-relay' });
    await world.run(() => request);
    await world.advance({ ms: 300 });
  }
}

/** What packets hold, by whichever law they came. */
export function samplesOf(heard: readonly Heard[]): Int16Array {
  const blocks = heard.map(({ payloadType, payload }) => {
    if (payloadType === 0) return G711.decodeUlaw(payload);
    return payloadType === 8 ? G711.decodeAlaw(payload) : new Int16Array(0);
  });
  return joined(blocks);
}
