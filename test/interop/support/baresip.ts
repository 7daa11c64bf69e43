import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { realAuthority } from '../../support/certificates.js';
import type { Child } from './child.js';
import type { Lab } from './lab.js';
import { type Place, startedIn } from './namespaces.js';
import { freeRtpPorts, freeSipPort, tcpListening, tcpReachable } from './ports.js';
import { Recorded, until, type WaitOptions } from './recorded.js';
import { DOMAIN, passwordOf } from './server.js';
import { readWav, type Sound, WAV_HEADER_BYTES, writeTone } from './wav.js';

/** What baresip's control socket says unasked. */
export interface BaresipEvent {
  readonly event: true;
  readonly class: string;
  readonly type: string;
  readonly id?: string;
  readonly peeruri?: string;
  readonly param?: string;
}

interface BaresipAnswer {
  readonly response: true;
  readonly ok: boolean;
  readonly data?: string;
  readonly token?: string;
}

/** One phone. */
export interface BaresipOptions {
  readonly number: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** TLS: the file with the authority that it trusts. */
  readonly ca?: string;
  /** Default: the one that `extensions()` gave. */
  readonly password?: string;
  /** SRTP with keys in the description, and nothing else. */
  readonly srtp?: boolean;
  /** What it plays, in Hz; default 440. */
  readonly toneHz?: number;
  /** What it offers and takes; default both, PCMU first. */
  readonly codec?: 'PCMA' | 'PCMU';
  /** Milliseconds in each of its packets; default 20. */
  readonly ptime?: number;
  /** How long a registration lasts, in seconds; it is refreshed a little earlier. Default 3600: not within a test. */
  readonly registerSeconds?: number;
  /** Default: on the loopback address of this machine. */
  readonly place?: Place;
}

/** How loud every phone plays, RMS in dB below full scale. */
export const PLAYED_LEVEL_DB = -13;

const RTP_PORTS = 20;
const LOOPBACK = '127.0.0.1';

/** Debian's baresip 1.0.0 without a screen: commands and events over its control socket (JSON in netstrings). */
export class Baresip {
  readonly events: Recorded<BaresipEvent>;
  readonly sipPort: number;
  /** The first of its 20 RTP and RTCP ports. */
  readonly rtpPort: number;
  readonly #answers: Recorded<BaresipAnswer>;
  readonly #dir: string;
  readonly #options: BaresipOptions;
  readonly child: Child;
  #socket: Socket | undefined;
  #token = 0;

  /** Starts a phone; it is under control when this resolves, but not registered yet. */
  static async start(lab: Lab, options: BaresipOptions): Promise<Baresip> {
    const [sipPort, controlPort, rtpPort] = [await freeSipPort(), await freeSipPort(), await freeRtpPorts(RTP_PORTS)];
    const dir = lab.folder(`baresip-${options.number}-${sipPort}`);
    lab.folder(path.relative(lab.dir, path.join(dir, 'rec')));
    const wav = path.join(dir, 'tone.wav');
    // the call ends when the file ends: longer than any test
    writeTone(wav, { hz: options.toneHz ?? 440, levelDb: PLAYED_LEVEL_DB, seconds: 120 });
    writeFileSync(
      path.join(dir, 'config'),
      configuration(dir, wav, {
        ...{ sipPort, controlPort, rtpPort, number: options.number },
        address: options.place?.address ?? LOOPBACK,
        control: options.place?.control ?? LOOPBACK,
      }) + (options.ca === undefined ? '' : `sip_certificate ${await ownCertificate(dir)}\nsip_cafile ${options.ca}\n`),
    );
    writeFileSync(path.join(dir, 'accounts'), `${account(options)}\n`);
    writeFileSync(path.join(dir, 'contacts'), '');
    // line by line, or its trace would reach us only in blocks of 4 kB; stdbuf becomes baresip, the pid is the same
    const command = ['stdbuf', '-oL', '-eL', 'baresip', '-4', '-s', '-f', dir, '-t', '150'];
    const child = lab.spawn({ name: `baresip:${options.number}`, ...startedIn(options.place, command) });
    const phone = new Baresip(child, dir, { sipPort, rtpPort }, options);
    lab.own(phone);
    await until(
      () => {
        if (child.gone) throw new Error(`baresip ended\n${child.tail()}`);
        return options.place === undefined
          ? tcpListening(LOOPBACK, controlPort)
          : tcpReachable(options.place.control, controlPort);
      },
      'the control socket of baresip',
      15_000,
    );
    await phone.#connect(controlPort, options.place?.control ?? LOOPBACK);
    return phone;
  }

  private constructor(
    child: Child,
    dir: string,
    ports: Pick<PhonePorts, 'sipPort' | 'rtpPort'>,
    options: BaresipOptions,
  ) {
    this.child = child;
    this.#dir = dir;
    this.sipPort = ports.sipPort;
    this.rtpPort = ports.rtpPort;
    this.#options = options;
    this.events = new Recorded(`baresip ${options.number}`);
    this.#answers = new Recorded(`baresip ${options.number}`);
  }

  #connect(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, resolve);
      this.#socket = socket;
      let pending = Buffer.alloc(0);
      socket.on('error', reject);
      socket.on('close', () => {
        this.events.end(new Error('the control socket is closed'));
        this.#answers.end(new Error('the control socket is closed'));
      });
      socket.on('data', (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        for (let next = netstring(pending); next !== undefined; next = netstring(pending)) {
          pending = pending.subarray(next.end);
          const message: unknown = JSON.parse(next.text);
          if (isAnswer(message)) this.#answers.push(message);
          else if (isEvent(message)) this.events.push(message);
        }
      });
    });
  }

  /** Runs a command of baresip's menu and resolves to its text. */
  async command(command: string, params?: string): Promise<string> {
    const token = String(++this.#token);
    const json = JSON.stringify({ command, ...(params === undefined ? {} : { params }), token });
    const answer = this.#answers.wait((item) => item.token === token, { what: `the answer to ${command}` });
    this.#socket?.write(`${Buffer.byteLength(json)}:${json},`);
    return (await answer).data ?? '';
  }

  event(type: string, options: WaitOptions = {}): Promise<BaresipEvent> {
    return this.events.wait((item) => item.type === type, { what: type, ...options });
  }

  /**
   * Resolves when the server has accepted a registration, to the line that says so. The event REGISTER_OK may fire before the
   * control socket is up, so the printed line is waited for: `100@office.test: {0/UDP/v4} 200 OK (server) [1 binding]`.
   */
  registered(timeoutMs = 10_000): Promise<string> {
    const start = `${this.#options.number}@${DOMAIN}: {`;
    const accepted = (line: string): boolean => line.includes(start) && /\} 200 OK .*\[\d+ bindings?\]/.test(line);
    return this.child.lines.wait(accepted, { timeoutMs, what: 'the registration' });
  }

  /** Resolves when baresip has given up registering, to the line that says so: `reg: sip:100@office.test: 401 Unauthorized (server)`. */
  refused(timeoutMs = 10_000): Promise<string> {
    const start = `reg: sip:${this.#options.number}@${DOMAIN}: `;
    const given = (line: string): boolean => line.includes(start) && /: [3-6]\d\d /.test(line);
    return this.child.lines.wait(given, { timeoutMs, what: 'the refusal of the registration' });
  }

  dial(number: string): Promise<string> {
    return this.command('dial', `sip:${number}@${DOMAIN}`);
  }

  /** SIP lines that this phone has traced since a position of `child.lines`. */
  traceSince(position: number): readonly string[] {
    return this.child.lines.items.slice(position);
  }

  /** What it has heard in its latest call so far. After a hold baresip 1.0.0 records no more of what it hears. */
  heard(): Sound {
    return readWav(this.#recording('dec'));
  }

  /** Whether a datagram is one of its own to or from that RTP port range. */
  ownsRtp(port: number): boolean {
    return port >= this.rtpPort && port < this.rtpPort + RTP_PORTS;
  }

  /** Seconds of sound that it has received in its latest call so far, in steps of half a second. */
  heardSeconds(): number {
    return this.#seconds('dec');
  }

  /** Seconds of sound that it has encoded in its latest call so far, also while on hold: a clock that ticks half seconds. */
  encodedSeconds(): number {
    return this.#seconds('enc');
  }

  #seconds(side: 'dec' | 'enc'): number {
    const file = this.#recordings(side).at(-1);
    return file === undefined ? 0 : Math.max(0, statSync(file).size - WAV_HEADER_BYTES) / 16_000;
  }

  #recording(side: 'dec' | 'enc'): string {
    const file = this.#recordings(side).at(-1);
    if (file === undefined) throw new Error(`baresip ${this.#options.number} has recorded nothing`);
    return file;
  }

  /** One a call, named by date and time. */
  #recordings(side: 'dec' | 'enc'): string[] {
    const folder = path.join(this.#dir, 'rec');
    return readdirSync(folder)
      .filter((file) => file.endsWith(`-${side}.wav`))
      .sort()
      .map((file) => path.join(folder, file));
  }

  async stop(): Promise<void> {
    this.#socket?.destroy();
    await this.child.stop();
  }
}

function netstring(bytes: Buffer): { readonly text: string; readonly end: number } | undefined {
  const colon = bytes.indexOf(0x3a);
  if (colon < 0) return undefined;
  const length = Number(bytes.toString('latin1', 0, colon));
  const end = colon + 1 + length + 1;
  return bytes.length < end ? undefined : { text: bytes.toString('utf8', colon + 1, end - 1), end };
}

function isEvent(value: unknown): value is BaresipEvent {
  return typeof value === 'object' && value !== null && 'event' in value && 'type' in value;
}

function isAnswer(value: unknown): value is BaresipAnswer {
  return typeof value === 'object' && value !== null && 'response' in value;
}

function account(options: BaresipOptions): string {
  const transport = options.transport ?? 'udp';
  const { host, port } = options.server;
  return (
    `<sip:${options.number}@${DOMAIN};transport=${transport}>;outbound="sip:${host}:${port};transport=${transport}"` +
    `;auth_user=${options.number};auth_pass=${options.password ?? passwordOf(options.number)}` +
    `;regint=${options.registerSeconds ?? 3_600};audio_codecs=${options.codec?.toLowerCase() ?? 'pcmu,pcma'}` +
    (options.ptime === undefined ? '' : `;ptime=${options.ptime}`) +
    (options.srtp === true ? ';mediaenc=srtp-mand' : '')
  );
}

interface PhonePorts {
  readonly sipPort: number;
  readonly controlPort: number;
  readonly rtpPort: number;
  readonly number: string;
  readonly address: string;
  /** Where its control socket listens. */
  readonly control: string;
}

/** For its own TLS port, which it opens whether anybody comes there or not. */
async function ownCertificate(dir: string): Promise<string> {
  const { cert, key } = await (await realAuthority('A phone')).issue({ names: ['127.0.0.1'] });
  const file = path.join(dir, 'phone.pem');
  writeFileSync(file, key + cert);
  return file;
}

function configuration(dir: string, wav: string, phone: PhonePorts): string {
  const { sipPort, controlPort, rtpPort, number, address, control } = phone;
  return `poll_method epoll
sip_listen ${address}:${sipPort}
net_interface ${address}
call_local_timeout 120
call_max_calls 4
audio_player aubridge,${number}
audio_alert aubridge,alert${number}
audio_source aufile,${wav}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports ${rtpPort}-${rtpPort + RTP_PORTS - 1}
module_path /usr/lib/baresip/modules
module g711.so
module sndfile.so
module aufile.so
module aubridge.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen ${control}:${controlPort}
snd_path ${path.join(dir, 'rec')}
statmode_default off
`;
}
