import { describe, expect } from 'vitest';
import { Baresip } from './support/baresip.js';
import { interopTest } from './support/programs.js';
import { extensions, OfficeServer } from './support/server.js';

const NEEDS = ['baresip'] as const;

describe('registrations survive a restart of the server (lmdb)', () => {
  for (const how of ['SIGTERM', 'kill -9'] as const) {
    interopTest(
      `after ${how} the other phone is still reached, without registering again`,
      { needs: NEEDS, concurrent: true },
      async (own) => {
        const server = await OfficeServer.create(own, { extensions: extensions(100, 2), onDisk: true });
        await server.start();
        const bob = await Baresip.start(own, { number: '101', server, toneHz: 700 });
        await bob.registered();
        const ended = await (how === 'SIGTERM' ? server.stop() : server.kill());
        expect(ended).toEqual(how === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' });
        const silence = bob.child.lines.mark();

        await server.start();
        // a new phone, and a phone that the server has forgotten nothing about
        const alice = await Baresip.start(own, { number: '100', server });
        await alice.registered();
        await alice.dial('101');
        await bob.event('CALL_INCOMING');
        await bob.command('accept');
        await alice.event('CALL_ESTABLISHED');
        await alice.command('hangup');
        await bob.event('CALL_CLOSED');
        expect(bob.traceSince(silence).filter((line) => line.startsWith('REGISTER '))).toEqual([]);
      },
    );
  }
});
