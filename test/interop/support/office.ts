import type { CallRecord } from '../../../src/call/call-record.js';
import type { PbxOptions } from '../../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../../src/pbx/pbx.js';
import type { LineOptions } from '../../../src/trunk/line-options.js';
import { Kamailio } from './kamailio.js';
import type { Lab } from './lab.js';
import { registration } from './parties.js';
import { freeSipPort } from './ports.js';
import { Recorded, until } from './recorded.js';
import { scenario } from './scenario.js';
import { DOMAIN, type ExtensionConfig, passwordOf } from './server.js';
import { runSipp, type SippMessage } from './sipp.js';

/** A PBX in this process, on real sockets of 127.0.0.1, with what it has told. */
export interface Office {
  readonly pbx: Pbx;
  readonly host: string;
  readonly port: number;
  /** Of calls that have ended, in that order. */
  readonly records: Recorded<CallRecord>;
  /** `line.registered 1234`, and so on. */
  readonly told: Recorded<string>;
}

/** Starts it; the lab closes it. */
export async function startOffice(lab: Lab, options: Partial<PbxOptions>, port?: number): Promise<Office> {
  const host = '127.0.0.1';
  const own = port ?? (await freeSipPort());
  const listen = [`udp://${host}:${own}`, `tcp://${host}:${own}`];
  const pbx = createPbx({ domain: DOMAIN, listen, ...options });
  lab.own({ stop: () => pbx.close() });
  const records = new Recorded<CallRecord>('records');
  const told = new Recorded<string>('events of lines');
  pbx.on('call.ended', ({ record }) => records.push(record));
  for (const name of ['line.registered', 'line.failed', 'line.suspended', 'line.unregistered'] as const) {
    pbx.on(name, ({ line }) => told.push(`${name} ${line}`));
  }
  await pbx.start();
  return { pbx, host, port: own, records, told };
}

/** All its lines have a registration. */
export function linesUp({ pbx }: Office): Promise<unknown> {
  return until(() => pbx.lines.every(({ state }) => state.kind === 'registered'), 'the registration of all lines');
}

/** The record of the call to that number, when the call has ended. */
export function recordOf({ records }: Office, called: string): Promise<CallRecord> {
  return records.wait((record) => record.called === called, { what: `the record of a call to ${called}` });
}

/** A domain and the accounts that Kamailio sells there, by digest. It is known by its address: each needs one of its own. */
export class KamailioCarrier {
  readonly domain: string;
  readonly kamailio: Kamailio;

  static async start(lab: Lab, host: string, domain: string, numbers: readonly string[]): Promise<KamailioCarrier> {
    const accounts: ExtensionConfig[] = numbers.map((number) => ({ number, password: passwordOf(number) }));
    const kamailio = await Kamailio.create(lab, { host, domain, extensions: accounts });
    await kamailio.start();
    return new KamailioCarrier(domain, kamailio);
  }

  private constructor(domain: string, kamailio: Kamailio) {
    this.domain = domain;
    this.kamailio = kamailio;
  }

  /** What an office writes down about an account here. */
  line(username: string, transport: 'udp' | 'tcp', options: Partial<LineOptions> = {}): LineOptions {
    const { host, port } = this.kamailio;
    const server = `sip:${host}:${port};transport=${transport}`;
    return { name: username, server, domain: this.domain, username, password: passwordOf(username), ...options };
  }

  /** A subscriber registers, to be called at that address; the phone itself may run already, or later. */
  async subscribes(lab: Lab, number: string, at: { readonly host: string; readonly port: number }): Promise<void> {
    const { domain, kamailio } = this;
    const contact = `<sip:${number}@${at.host}:${at.port}>`;
    const steps = scenario(registration(number, { domain, contact }));
    await runSipp(lab, { name: `subscriber ${number}`, scenario: steps, server: kamailio, port: await freeSipPort() });
  }
}

/** Of a message's headers those that carry credentials. */
export function credentialsIn({ text }: Pick<SippMessage, 'text'>): readonly string[] {
  return text.split(/\r?\n/).filter((line) => /^(proxy-)?authorization\s*:/i.test(line));
}
