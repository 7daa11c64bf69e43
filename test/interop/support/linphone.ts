import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Child } from './child.js';
import type { Lab } from './lab.js';
import { freeRtpPorts, freeSipPort } from './ports.js';
import { until } from './recorded.js';
import { DOMAIN, passwordOf } from './server.js';

/** One phone. */
export interface LinphoneOptions {
  readonly number: string;
  readonly server: { readonly host: string; readonly port: number };
  /** The digest algorithm that it answers, e.g. "SHA-256"; without it MD5 alone. */
  readonly algorithm?: string;
  /** By TLS: the file with the only authority that it trusts. */
  readonly ca?: string;
  /** How keys leave: RFC 4733, its default, or SIP INFO. */
  readonly keys?: 'rfc4733' | 'info';
  /** What it offers and takes; default all that it has. Only for linphonec. */
  readonly codec?: 'PCMA' | 'PCMU';
  /** Milliseconds in each of its packets; default 20. */
  readonly ptime?: number;
}

/** A folder of its own with its configuration: what both of its programs start from. */
export interface LinphoneHome {
  readonly dir: string;
  readonly sipPort: number;
  /** The first of four. */
  readonly rtpPort: number;
  readonly rc: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function linphoneHome(lab: Lab, options: LinphoneOptions): Promise<LinphoneHome> {
  const [sipPort, rtpPort] = [await freeSipPort(), await freeRtpPorts(4)];
  const dir = lab.folder(`linphone-${options.number}-${sipPort}`);
  // without this folder its core opens no database and never a SIP port
  mkdirSync(path.join(dir, '.local/share/linphone'), { recursive: true });
  mkdirSync(path.join(dir, '.config/linphone'), { recursive: true });
  const rc = path.join(dir, 'rc');
  writeFileSync(rc, configuration(options, sipPort, rtpPort));
  return { dir, sipPort, rtpPort, rc, env: { HOME: dir, XDG_DATA_HOME: '', XDG_CONFIG_HOME: '' } };
}

/** Debian's linphone-daemon 5.1: commands on standard input, answers and events on standard output. */
export class Linphone {
  readonly child: Child;
  readonly sipPort: number;
  readonly #options: LinphoneOptions;

  static async start(lab: Lab, options: LinphoneOptions): Promise<Linphone> {
    const { dir, sipPort, rc, env } = await linphoneHome(lab, options);
    const args = ['--config', rc, '--log', path.join(dir, 'log'), '--disable-stats-events'];
    const child = lab.spawn({
      name: `linphone:${options.number}`,
      command: 'linphone-daemon',
      args,
      cwd: dir,
      env,
    });
    return new Linphone(child, sipPort, options);
  }

  private constructor(child: Child, sipPort: number, options: LinphoneOptions) {
    this.child = child;
    this.sipPort = sipPort;
    this.#options = options;
  }

  /** Registers; resolves when the daemon says that it is registered. */
  async register(timeoutMs = 20_000): Promise<void> {
    const { number, server } = this.#options;
    const transport = this.#options.ca === undefined ? 'udp' : 'tls';
    const proxy = `<sip:${server.host}:${server.port};transport=${transport}>`;
    this.child.write(`register sip:${number}@${DOMAIN} ${proxy} ${passwordOf(number)} ${number} ${DOMAIN}`);
    // the daemon announces no registration state: it is asked again and again
    await until(async () => (await this.state()) === 'Ok', 'the registration of linphone', timeoutMs);
  }

  /** What it thinks of its registration: `Ok`, `Progress`, `Failed`, … */
  async state(): Promise<string> {
    const from = this.child.lines.mark();
    this.child.write('register-status 1');
    const start = 'State: LinphoneRegistration';
    const line = await this.child.lines.wait((each) => each.startsWith(start), { from, what: 'its state' });
    return line.slice(start.length);
  }

  /** Calls a SIP URI; the daemon numbers its calls from 1. */
  call(uri: string): void {
    this.child.write(`call ${uri}`);
  }

  /** Resolves when the call of that number of its own talks. */
  async talking(call: number): Promise<void> {
    await until(
      async () => (await this.callState(call)).startsWith('StreamsRunning'),
      `call ${call} of linphone to talk`,
    );
  }

  /** Puts a call on hold; resolves when it is. */
  async pause(call: number): Promise<void> {
    this.child.write(`call-pause ${call}`);
    await until(async () => (await this.callState(call)) === 'Paused', `call ${call} of linphone to be on hold`);
  }

  /** Joins the parties of two of its calls: a REFER with Replaces in the first. */
  transfer(call: number, to: number): void {
    this.child.write(`call-transfer ${call} ${to}`);
  }

  /** What it thinks of a call: `StreamsRunning`, `Paused`, … */
  async callState(call: number): Promise<string> {
    const from = this.child.lines.mark();
    this.child.write(`call-status ${call}`);
    const start = 'State: LinphoneCall';
    const line = await this.child.lines.wait((each) => each.startsWith(start), { from, what: 'the state of a call' });
    return line.slice(start.length);
  }

  /** Starts to take the registration back: the daemon says no more of it, so the wire must tell. */
  unregister(): void {
    this.child.write('unregister 1');
  }
}

function configuration(options: LinphoneOptions, sipPort: number, rtpPort: number): string {
  // verify_server_cn=0: its TLS library finds no IP address in a certificate, and the server is called by its address
  return `[sip]
sip_port=${options.ca === undefined ? sipPort : 0}
sip_tcp_port=0
sip_tls_port=${options.ca === undefined ? 0 : sipPort}
${options.ca === undefined ? '' : `root_ca=${options.ca}\nverify_server_certs=1\nverify_server_cn=0\n`}bind_address=127.0.0.1
contact=sip:${options.number}@127.0.0.1
guess_hostname=0
use_ipv6=0
use_info=${options.keys === 'info' ? 1 : 0}
use_rfc2833=${options.keys === 'info' ? 0 : 1}
[rtp]
audio_rtp_port=${rtpPort}
bind_address=127.0.0.1
upload_ptime=${options.ptime ?? 20}
download_ptime=${options.ptime ?? 20}
[sound]
echocancellation=0
[video]
enabled=0
capture=0
display=0
${options.codec === undefined ? '' : onlyCodec(options.codec)}${options.algorithm === undefined ? '' : `[auth_info_0]\nusername=${options.number}\nuserid=${options.number}\npasswd=${passwordOf(options.number)}\nrealm=${DOMAIN}\ndomain=${DOMAIN}\nalgorithm=${options.algorithm}\n`}`;
}

/** Every codec that it would offer by itself, all but one switched off. */
function onlyCodec(codec: 'PCMA' | 'PCMU'): string {
  const all = [
    ['opus', 48_000, 2],
    ['speex', 16_000, 1],
    ['speex', 8_000, 1],
    ['PCMU', 8_000, 1],
    ['PCMA', 8_000, 1],
    ['G729', 8_000, 1],
  ] as const;
  const section = ([mime, rate, channels]: (typeof all)[number], i: number): string =>
    `[audio_codec_${i}]\nmime=${mime}\nrate=${rate}\nchannels=${channels}\nenabled=${mime === codec ? 1 : 0}\n`;
  return all.map(section).join('');
}
