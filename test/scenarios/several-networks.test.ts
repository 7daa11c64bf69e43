/** A server with several interfaces: who is told which of its addresses, by the routes that the system would take. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import { sipSightings } from '../../src/testing/sightings.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN } from '../support/office.js';
import { RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';

const LAN = '10.0.0.254';
const WAN = '198.51.100.9';
/** The server's end of a tunnel, behind which the branch office stands. */
const TUNNEL = '10.9.0.2';
const CARRIER = '203.0.113.30';
const BRANCH = '10.8.0.30';

interface House {
  readonly pbx: Pbx;
  readonly alice: VirtualPhone;
  readonly carrier: RawPeer;
}

/** SIP on 0.0.0.0, with the address of the LAN first; a phone in the LAN, and a carrier that is `carrier.example`. */
async function house(world: World, carrierAddress: string, options: Partial<PbxOptions>): Promise<House> {
  const machine = world.machine({
    name: 'server',
    addresses: [LAN, WAN, TUNNEL],
    routes: [
      { to: '10.0.0.0/24', from: LAN },
      { to: '10.8.0.0/16', from: TUNNEL },
      { to: '0.0.0.0/0', from: WAN },
    ],
  });
  world.network.dns.set('carrier.example', [carrierAddress]);
  const carrier = await RawPeer.open(world, {
    name: 'carrier',
    address: carrierAddress,
    server: { address: carrierAddress === BRANCH ? TUNNEL : WAN, port: 5060 },
  });
  const listener = await world.network.find('carrier')?.listenTcp({
    local: { address: carrierAddress, port: 5060 },
    onConnection: (connection) => {
      connection.handle({ onData: () => {}, onClose: () => {} });
      world.use({ close: async () => connection.destroy() });
    },
    onError: () => {},
  });
  if (listener !== undefined) world.use(listener);
  const pbx = world.use(
    createPbx({
      domain: DOMAIN,
      listen: ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'],
      extensions: [{ number: '100', password: 'secret-100' }],
      dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'city' } }] },
      ...machine.ports,
      ...options,
    }),
    machine,
  );
  await world.run(() => pbx.start());
  const alice = world.phone(`sip:100@${DOMAIN}`, {
    password: 'secret-100',
    server: { address: LAN, port: 5060 },
  });
  await world.run(() => alice.register());
  return { pbx, alice, carrier };
}

/** What the carrier is told of us in a call, and the phone of the carrier's audio. */
async function told(world: World, { alice, carrier, pbx }: House) {
  const call = alice.call('0555');
  const invite: WireMessage = await carrier.expect('INVITE');
  carrier.take(invite).respond(200, { body: rawSdp(carrier.address) });
  await world.until(call.talking());
  await carrier.expect('ACK');
  call.hangUp();
  carrier.respond(await carrier.expect('BYE'), 200);
  await world.advance({ seconds: 40 });
  expect(pbx.calls).toEqual([]);
  return {
    sdp: /^c=IN IP4 (\S+)/m.exec(invite.body)?.[1],
    via: /UDP ([^;]+)/.exec(invite.header('Via') ?? '')?.[1],
    contact: /@([^;>]+)/.exec(invite.header('Contact') ?? '')?.[1],
    from: invite.from.address,
    phone: /^c=IN IP4 (\S+)/m.exec(call.media.remote ?? '')?.[1],
  };
}

const TRUNK = { name: 'city', server: 'carrier.example', qualifySeconds: 0 };

describe('a server with a LAN, a public address and a tunnel, that listens on 0.0.0.0', () => {
  scenario(
    'a carrier given by host name is faced by the address of the default route, the phone by that of the LAN',
    { seed: 1, delayMs: 5 },
    async (world) => {
      const here = await house(world, CARRIER, { media: { path: 'relay' }, trunks: [TRUNK] });
      expect(await told(world, here)).toEqual({
        sdp: WAN,
        via: `${WAN}:5060`,
        contact: `${WAN}:5060`,
        from: WAN,
        phone: LAN,
      });
    },
  );

  scenario(
    'one whose name leads into the tunnel is faced by the tunnel, though no network of ours looks like its own',
    { seed: 2, delayMs: 5 },
    async (world) => {
      const here = await house(world, BRANCH, { media: { path: 'relay' }, trunks: [TRUNK] });
      expect(await told(world, here)).toMatchObject({ sdp: TUNNEL, via: `${TUNNEL}:5060`, from: TUNNEL, phone: LAN });
    },
  );

  scenario(
    'a static external address goes to the carrier and not to the branch',
    { seed: 3, delayMs: 5 },
    async (world) => {
      const options = { media: { path: 'relay' }, trunks: [TRUNK], externalAddress: '203.0.113.200' } as const;
      const here = await house(world, BRANCH, options);
      expect(await told(world, here)).toMatchObject({ sdp: TUNNEL, contact: `${TUNNEL}:5060`, phone: LAN });
    },
  );

  for (const transport of ['udp', 'tcp'] as const) {
    scenario(`a line registers from there by ${transport}`, { seed: 4, delayMs: 5 }, async (world) => {
      const account = { username: '1234', password: 'secret' };
      await house(world, CARRIER, {
        dialPlan: { called: [{ prefix: '0', route: { kind: 'line', line: 'city' } }] },
        lines: [{ ...account, name: 'city', server: `sip:carrier.example:5060;transport=${transport}` }],
      });
      await world.advance({ seconds: 2 });
      const [register] = sipSightings(world.trace).filter(
        ({ method, toHost }) => method === 'REGISTER' && toHost === 'carrier',
      );
      expect(/@([^;>]+)/.exec(/^Contact: .*$/m.exec(register?.text ?? '')?.[0] ?? '')?.[1]).toBe(`${WAN}:5060`);
      expect(/^Via: \S+ ([^;]+)/m.exec(register?.text ?? '')?.[1]).toBe(`${WAN}:5060`);
    });
  }

  scenario('the audio of a served call is where its caller can reach it', { seed: 5, delayMs: 5 }, async (world) => {
    const { pbx, carrier } = await house(world, CARRIER, {
      trunks: [{ ...TRUNK, server: CARRIER, inbound: '700' }],
    });
    pbx.onCall('700', async (call) => {
      await call.answer();
      call.hangUp();
    });
    const call = carrier.dial('700');
    const ok = await carrier.expect(200);
    call.learn(ok);
    call.ack();
    expect(ok.body).toContain(`c=IN IP4 ${WAN}\r\n`);
    carrier.respond(await carrier.expect('BYE'), 200);
    await world.advance({ seconds: 40 });
  });
});
