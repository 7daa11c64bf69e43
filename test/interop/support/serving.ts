import { expect } from 'vitest';
import type { PbxOptions } from '../../../src/pbx/options.js';
import type { Pbx } from '../../../src/pbx/pbx.js';
import { Baresip, type BaresipOptions, PLAYED_LEVEL_DB } from './baresip.js';
import type { Lab } from './lab.js';
import { freeSipPort } from './ports.js';
import { until } from './recorded.js';
import { DOMAIN, extensions } from './server.js';
import { measureTone } from './tone.js';
import type { Sound } from './wav.js';

/** Of servers here, by the last number of their address: where no phone takes its own from, so that a port tells whose packet it is. */
export const SERVERS_FROM = 31_040;
export const portsOf = (host: string) => {
  const from = SERVERS_FROM + 50 * (Number(host.split('.').at(-1)) - 20);
  return { from, to: from + 48 };
};
export const PATIENCE = { timeoutMs: 20_000 };

interface Serving {
  readonly pbx: Pbx;
  readonly server: { readonly host: string; readonly port: number };
}

/** Starts a PBX on an address of its own: nothing else receives packets there. */
export async function serve(
  lab: Lab,
  host: string,
  start: (options: PbxOptions) => Pbx | Promise<Pbx>,
): Promise<Serving> {
  const port = await freeSipPort();
  const listen = [`udp://${host}:${port}`];
  const pbx = await start({ domain: DOMAIN, listen, extensions: extensions(100, 2), media: { ports: portsOf(host) } });
  lab.own({ stop: () => pbx.close() });
  return { pbx, server: { host, port } };
}

/** A baresip that is registered. */
export async function phone(lab: Lab, number: string, options: Omit<BaresipOptions, 'number'>): Promise<Baresip> {
  const started = await Baresip.start(lab, { number, ...options });
  await started.registered(PATIENCE.timeoutMs);
  return started;
}

export function heardMore(listener: { readonly heardSeconds: () => number }, seconds: number): Promise<boolean> {
  const before = listener.heardSeconds();
  return until(() => listener.heardSeconds() >= before + seconds, `${seconds} s more of sound`, PATIENCE.timeoutMs);
}

/** That a piece is a tone of so many Hz, as loud as it was played. */
export function expectTone(sound: Sound, from: number, seconds: number, hz: number): void {
  const heard = measureTone(sound, from, seconds);
  expect(Math.abs(heard.hz - hz) / hz, `heard ${heard.hz} Hz, played ${hz} Hz`).toBeLessThan(0.02);
  expect(Math.abs(heard.levelDb - PLAYED_LEVEL_DB), `heard ${heard.levelDb} dB`).toBeLessThan(1.5);
  expect(heard.purity).toBeGreaterThan(0.9);
}
