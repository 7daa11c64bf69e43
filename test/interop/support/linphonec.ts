import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { PLAYED_LEVEL_DB } from './baresip.js';
import type { Child } from './child.js';
import type { Lab } from './lab.js';
import { type LinphoneHome, type LinphoneOptions, linphoneHome } from './linphone.js';
import { DOMAIN, passwordOf } from './server.js';
import { readHeadless, type Sound, WAV_HEADER_BYTES, writeTone } from './wav.js';

/** States of its calls, as its core calls them. */
export type LinphoneCallState = 'StreamsRunning' | 'Paused' | 'PausedByRemote' | 'Released';

/** Debian's linphonec 5.1: linphone's console, whose sound is files. What the daemon cannot: it plays and records. */
export class LinphoneConsole {
  readonly child: Child;
  readonly #home: LinphoneHome;
  readonly #options: LinphoneOptions;
  readonly #recording: string;

  /** It is registered when this resolves. It plays a tone and records all that it hears. */
  static async start(lab: Lab, options: LinphoneOptions & { readonly toneHz: number }): Promise<LinphoneConsole> {
    const home = await linphoneHome(lab, options);
    const tone = path.join(home.dir, 'tone.wav');
    writeTone(tone, { hz: options.toneHz, levelDb: PLAYED_LEVEL_DB, seconds: 120 });
    const child = lab.spawn({
      name: `linphonec:${options.number}`,
      // line by line, or it would reach us only in blocks of 4 kB; stdbuf becomes linphonec, the pid is the same
      command: 'stdbuf',
      // its own words tell no states: its log does, and without a file that is its standard output
      args: ['-oL', 'linphonec', '-c', home.rc, '-d', '6'],
      cwd: home.dir,
      env: home.env,
    });
    const phone = new LinphoneConsole(child, home, options);
    const { number, server } = options;
    child.write('soundcard use files');
    child.write(`play ${tone}`);
    child.write(`record ${phone.#recording}`);
    child.write(`register sip:${number}@${DOMAIN} sip:${server.host}:${server.port} ${passwordOf(number)}`);
    await phone.says('to [LinphoneRegistrationOk]');
    return phone;
  }

  private constructor(child: Child, home: LinphoneHome, options: LinphoneOptions) {
    this.child = child;
    this.#home = home;
    this.#options = options;
    this.#recording = path.join(home.dir, 'heard.wav');
  }

  /** Its log has a line with that text, at or behind a position. */
  says(text: string, from = 0): Promise<string> {
    return this.child.lines.wait((line) => line.includes(text), { what: text, from, timeoutMs: 20_000 });
  }

  /** Does something to its call, and resolves when that is in the state. */
  async does(command: string, state: LinphoneCallState): Promise<void> {
    const from = this.child.lines.mark();
    this.child.write(command);
    await this.comesTo(state, from);
  }

  async comesTo(state: LinphoneCallState, from: number): Promise<void> {
    await this.says(`to LinphoneCall${state}`, from);
  }

  /** Calls; resolves when it talks. */
  call(number: string): Promise<void> {
    const { host, port } = this.#options.server;
    return this.does(`call sip:${number}@${host}:${port}`, 'StreamsRunning');
  }

  /** A key, as its options say. */
  press(key: string): void {
    this.child.write(key);
  }

  ownsRtp(port: number): boolean {
    return port >= this.#home.rtpPort && port < this.#home.rtpPort + 4;
  }

  /** What it has heard so far, also before and after a hold. */
  heard(): Sound {
    return readHeadless(this.#recording);
  }

  /** Seconds of sound in its recording; it goes on after a hold. */
  heardSeconds(): number {
    if (!existsSync(this.#recording)) return 0;
    return Math.max(0, statSync(this.#recording).size - WAV_HEADER_BYTES) / 16_000;
  }
}
