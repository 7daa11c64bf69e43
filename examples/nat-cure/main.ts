/**
 * Two phones at home, each behind a NAT box of its own, call each other: first with media that goes `direct`, so that nobody hears
 * anything, then with `auto`: the server sees it coming and relays. What is heard is counted in RTP packets. On a virtual network:
 * nothing leaves this process.
 *
 *   npm run example -- nat-cure [SEED]
 */
import { pathToFileURL } from 'node:url';
import { type CallRecord, createPbx } from 'pbxkit';
import { mediaSummary, parseSdp } from 'pbxkit/sdp';
import { createWorld, type PhoneCall, type World } from 'pbxkit/testing';

const SPEAK_MS = 4000;
const PACKET_MS = 20;

/** Resolves to what each of the two phones heard on both paths, and what was decided why. */
export async function main({ seed = 42 }: { readonly seed?: number } = {}): Promise<string> {
  const lines: string[] = [];
  for (const path of ['direct', 'auto'] as const) {
    const { heard, record, ports } = await callAcrossNats(seed, path);
    const sent = SPEAK_MS / PACKET_MS;
    lines.push(`media: { path: '${path}' }`);
    lines.push(`  Alice hears ${heard[0]} of Bob's ${sent} packets, Bob hears ${heard[1]} of Alice's ${sent}`);
    const [decided] = record.media ?? [];
    lines.push(
      decided === undefined
        ? '  nobody has asked whether they reach each other: each was told the private address of the other'
        : `  decided: ${decided.path}, because ${decided.reason}`,
    );
    lines.push(`  ports of the server in use: ${ports.during} in the call, ${ports.after} afterwards`);
  }
  return lines.join('\n');
}

async function callAcrossNats(seed: number, path: 'direct' | 'auto') {
  const world = createWorld({ seed, delayMs: [5, 40] });
  const pbx = world.use(
    createPbx({
      domain: 'office.example',
      listen: ['udp://192.0.2.1:5060'],
      extensions: [
        { number: '100', name: 'Alice', password: 'a' },
        { number: '101', name: 'Bob', password: 'b' },
      ],
      media: { path },
      ...world.ports,
    }),
  );
  const records: CallRecord[] = [];
  pbx.on('call.ended', ({ record }) => records.push(record));
  const alice = world.phone('sip:100@office.example', { password: 'a', behindNat: 'symmetric', name: 'Alice' });
  const bob = world.phone('sip:101@office.example', {
    password: 'b',
    behindNat: 'port-restricted',
    name: 'Bob',
    onCall: (call) => call.answer(),
  });
  await world.run(() => Promise.all([pbx.start(), alice.register(), bob.register()]));

  const call = alice.call('101');
  await world.until(call.talking());
  await world.advance({ seconds: 1 });
  const answered = bob.calls[0];
  if (answered === undefined) throw new Error('Bob was not called');
  const voices = [await Voice.open(world, call), await Voice.open(world, answered)] as const;
  for (let at = 0; at < SPEAK_MS; at += PACKET_MS) {
    for (const voice of voices) voice.say();
    await world.advance({ ms: PACKET_MS });
  }
  await world.advance({ seconds: 1 });
  const during = pbx.stats().media.ports.used;
  call.hangUp();
  await world.advance({ seconds: 1 });
  const after = pbx.stats().media.ports.used;
  await world.close();
  const [record] = records;
  if (record === undefined) throw new Error('the call is not on record');
  return { heard: voices.map(({ heard }) => heard), record, ports: { during, after } };
}

/** A phone's voice and ear: RTP packets (RFC 3550) to where the other side wants them, from the port that the phone has named. */
class Voice {
  heard = 0;
  readonly #call: PhoneCall;
  #send: (packet: Uint8Array) => void = () => {};
  #sequence = 0;

  static async open(world: World, call: PhoneCall): Promise<Voice> {
    const voice = new Voice(call);
    const local = audioOf(call.media.local);
    const host = world.network.hosts.find(({ addresses }) => addresses.includes(local.address));
    if (host === undefined) throw new Error(`no machine has ${local.address}`);
    const onMessage = (): void => {
      voice.heard++;
    };
    const socket = world.use(await host.openUdp({ local, onMessage, onError: () => {} }));
    voice.#send = (packet) => socket.send(packet, audioOf(call.media.remote));
    return voice;
  }

  private constructor(call: PhoneCall) {
    this.#call = call;
  }

  /** 20 ms of silence in G.711. */
  say(): void {
    if (this.#call.state.kind !== 'talking') return;
    const packet = new Uint8Array(12 + 160).fill(0xff);
    const header = new DataView(packet.buffer);
    header.setUint16(0, 0x8000);
    header.setUint16(2, this.#sequence);
    header.setUint32(4, this.#sequence * 160);
    header.setUint32(8, 0x1234);
    this.#sequence++;
    this.#send(packet);
  }
}

/** The first stream of a description. */
function audioOf(sdp = ''): { readonly address: string; readonly port: number } {
  const [audio] = mediaSummary(parseSdp(sdp));
  if (audio?.address === undefined) throw new Error('no audio was described');
  return { address: audio.address, port: audio.port };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await main({ seed: Number(process.argv[2] ?? 42) }));
}
