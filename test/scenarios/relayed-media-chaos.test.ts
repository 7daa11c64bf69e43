/** Relayed calls that end in any way over a wire that loses packets: whatever happens, no port of the server is left. */
import { describe, expect } from 'vitest';
import { parseUri } from '../../src/protocol/sip/uri.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { Voices } from '../support/voices.js';

const AUTO = { media: { path: 'auto' } } as const;
/** Where the phones stand, one after the other. */
const PLACES = [
  {},
  { behindNat: 'full-cone' },
  { behindNat: 'address-restricted' },
  { behindNat: 'port-restricted' },
  { behindNat: 'symmetric' },
] as const;

describe('whatever happens', () => {
  const CALLS = 200;
  const LOSSY = { loss: 0.05, duplicate: 0.02, delayMs: [2, 30] } as const;
  officeScenario(
    `${CALLS} calls with random ends under loss leave no port`,
    { seed: 77, ...LOSSY, pbx: AUTO },
    async (office, world) => {
      const random = world.random.fork('ends');
      const numbers = ['100', '101', '102', '103', '104'];
      const phones: VirtualPhone[] = [];
      for (const [i, number] of numbers.entries()) phones.push(await office.phone(number, PLACES[i]));
      const any = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
      let relayed = 0;
      let talked = 0;
      let started = 0;
      office.pbx.on('call.started', () => started++);
      office.pbx.on('call.ended', ({ record }) => {
        if (record.media?.some(({ path }) => path === 'relay') === true) relayed++;
      });
      for (let n = 0; n < CALLS; n++) {
        const from = any(phones);
        const to = any(phones.filter((phone) => phone !== from));
        // So that their boxes let the server's requests in.
        await world.run(() => Promise.all([from.register(), to.register()]));
        const known = to.calls.length;
        const call = from.call(to.number);
        const end = any(['cancel', 'refuse', 'hang up', 'hang up', 'move', 'transfer', 'at once'] as const);
        await world.advance({ ms: random.integer(400) });
        if (end === 'cancel') call.cancel();
        const answered = to.calls[known];
        if (answered?.state.kind === 'ringing') {
          if (end === 'refuse') answered.reject(486);
          else answered.answer();
        }
        if (end !== 'at once') await world.advance({ ms: random.integer(1500) });
        if (call.state.kind === 'talking') talked++;
        if (call.state.kind === 'talking' && answered?.state.kind === 'talking') {
          if (end === 'move') {
            const id = office.pbx.calls[0]?.id ?? '';
            void office.pbx.moveMedia(id, any(['direct', 'relay']));
          }
          const third = phones.find((phone) => phone !== from && phone !== to);
          const uri = parseUri(`sip:${third?.number}@${DOMAIN}`);
          if (end === 'transfer' && uri.kind === 'sip') answered.transfer({ to: uri });
          if (random.chance(0.3)) await (await Voices.of(world, call, answered)).speak(200);
          await world.advance({ ms: random.integer(800) });
        }
        for (const phone of phones) for (const each of phone.calls) if (each.state.kind !== 'ended') each.hangUp();
      }
      await world.advance({ seconds: 120 });
      for (const phone of phones) for (const each of phone.calls) if (each.state.kind !== 'ended') each.hangUp();
      await world.advance({ seconds: 120 });
      await office.quiet();
      expect(office.pbx.stats().media.ports).toMatchObject({ used: 0, resting: 0 });
      expect(office.pbx.stats().media.relay).toMatchObject({ calls: 0, streams: 0 });
      expect(office.records).toHaveLength(started);
      // The draw was worth the name.
      expect(relayed).toBeGreaterThan(CALLS / 2);
      expect(talked).toBeGreaterThan(CALLS / 4);
      expect(world.log.lines('error')).toEqual([]);
    },
  );
});
