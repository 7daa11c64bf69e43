import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { responseTo } from '../../src/protocol/sip/respond.js';
import { createWorld } from '../../src/testing/world.js';
import { element, rawTcp, rawUdp, wire } from './support.js';

const PBX = { address: '192.0.2.1', port: 5060 };
const corpora = process.env['PBXKIT_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));

/** A PBX on a fresh world that answers everything, with a bare UDP peer. */
async function target() {
  const world = createWorld({ seed: 5 });
  const peer = world.host('peer', '192.0.2.20');
  const pbx = await element(world, world.pbx, {
    answer: (incoming, source) => {
      if (incoming.method !== 'ACK') pbx.layer.sendResponse(responseTo(incoming, 200, { toTag: 't' }), source);
    },
  });
  const udp = await rawUdp(peer, { address: '192.0.2.20', port: 5060 });
  const tcp = () => rawTcp(peer.host.connectTcp({ remote: PBX, timeoutMs: 5000 }));
  /** A good request is still answered, and nothing was logged as a fault of ours. */
  const alive = async (): Promise<void> => {
    await world.advance({ ms: 100 });
    udp.heard.length = 0;
    udp.send(wire('SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKalive'), PBX);
    const client = tcp();
    client.send(wire('SIP/2.0/TCP 192.0.2.20:5060;branch=z9hG4bKalive'));
    await world.advance({ ms: 100 });
    expect(udp.heard.map(({ text }) => text.slice(0, 11))).toEqual(['SIP/2.0 200']);
    expect(client.state.text.slice(0, 11)).toBe('SIP/2.0 200');
    client.connection.destroy();
    expect(world.log.format('error')).toBe('');
  };
  return { world, udp, tcp, alive };
}

/** Random bytes, and good requests with some bytes overwritten, cut or doubled. */
const junk = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .record({
      at: fc.nat(400),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
      cut: fc.nat(400),
      method: fc.constantFrom('OPTIONS', 'ACK', 'INVITE', 'CANCEL'),
      drop: fc.constantFrom('Via', 'From', 'CSeq', 'Content-Length', 'Call-ID'),
      intact: fc.boolean(),
    })
    .map(({ at, bytes, cut, method, drop, intact }) => {
      const text = wire('SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKfuzz;rport', intact ? { method } : { method, drop });
      const data = Buffer.from(text, 'latin1');
      data.set(bytes.subarray(0, Math.max(0, data.length - at)), Math.min(at, data.length));
      return new Uint8Array(cut < 200 ? data : data.subarray(0, cut));
    }),
);

describe('whatever arrives, nothing is thrown and the next good request is answered', () => {
  it('over UDP', async () => {
    const { world, udp, alive } = await target();
    await fc.assert(
      fc.asyncProperty(fc.array(junk, { maxLength: 10 }), async (datagrams) => {
        for (const data of datagrams) udp.send(data, PBX);
        await world.advance({ ms: 20 });
      }),
      { numRuns: 150 },
    );
    await alive();
  });

  it('over TCP, cut into any pieces', async () => {
    const { world, tcp, alive } = await target();
    await fc.assert(
      fc.asyncProperty(fc.array(junk, { maxLength: 6 }), async (pieces) => {
        const client = tcp();
        for (const piece of pieces) {
          client.send(piece);
          await world.advance({ ms: 2 });
        }
        client.connection.destroy();
        await world.advance({ ms: 20 });
      }),
      { numRuns: 100 },
    );
    await alive();
  });

  const torture = ['rfc4475', 'rfc5118'].map((name) => `${corpora}/${name}`).filter((folder) => existsSync(folder));
  it.skipIf(torture.length === 0)(
    'RFC 4475, RFC 5118: every torture message, by both ways (skipped without corpora)',
    async () => {
      const { world, udp, tcp, alive } = await target();
      let count = 0;
      for (const folder of torture) {
        for (const file of readdirSync(folder)) {
          if (!file.endsWith('.dat')) continue;
          const data = readFileSync(`${folder}/${file}`);
          udp.send(data, PBX);
          const client = tcp();
          client.send(data);
          await world.advance({ ms: 20 });
          client.connection.destroy();
          count++;
        }
      }
      expect(count).toBeGreaterThanOrEqual(49);
      await alive();
    },
  );
});
