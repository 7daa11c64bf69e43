import { createSocket } from 'node:dgram';
import path from 'node:path';
import type { Child } from './child.js';
import type { Lab } from './lab.js';
import { freeSipPort } from './ports.js';
import { Recorded } from './recorded.js';

/** One UDP datagram as it passed on the loopback interface. */
export interface Datagram {
  readonly from: number;
  readonly to: number;
  readonly payload: Buffer;
}

/** What Wireshark's dissectors think of a capture. */
export interface Judgement {
  /** SIP messages found: their methods and status codes, in order. */
  readonly messages: readonly string[];
  /** Packets called malformed, and SIP packets with an expert remark of the level "error". */
  readonly complaints: readonly string[];
}

/** tshark on the loopback interface: packets live, and the file for its dissectors. */
export class Capture {
  readonly datagrams: Recorded<Datagram>;
  readonly #file: string;
  readonly #child: Child;
  readonly #markPort: number;
  #marks = 0;

  /** Starts a capture of what passes a filter (pcap language); resolves when packets are really being seen. */
  static async start(lab: Lab, filter: string): Promise<Capture> {
    const markPort = await freeSipPort();
    const file = path.join(lab.folder(`capture-${markPort}`), 'capture.pcapng');
    const args = [
      '-i',
      'lo',
      '-f',
      `(${filter}) or udp port ${markPort}`,
      '-w',
      file,
      '-P',
      '-l',
      '-n',
      '-T',
      'fields',
    ];
    for (const field of ['udp.srcport', 'udp.dstport', 'udp.payload']) args.push('-e', field);
    const datagrams = new Recorded<Datagram>('capture');
    const takeStdout = (line: string): void => {
      const [from, to, payload] = line.split('\t');
      if (payload === undefined || payload === '') return;
      datagrams.push({ from: Number(from), to: Number(to), payload: Buffer.from(payload, 'hex') });
    };
    const child = lab.spawn({ name: 'tshark', command: 'tshark', args, takeStdout });
    void child.ended.then(() => datagrams.end(new Error(`tshark has ended\n${child.tail()}`)));
    const capture = new Capture(child, datagrams, file, markPort);
    await capture.#mark();
    return capture;
  }

  private constructor(child: Child, datagrams: Recorded<Datagram>, file: string, markPort: number) {
    this.#child = child;
    this.datagrams = datagrams;
    this.#file = file;
    this.#markPort = markPort;
  }

  /** Sends datagrams to a port of ours until one is seen: everything sent before the first of them has been seen too. */
  async #mark(): Promise<void> {
    const text = `mark ${++this.#marks}`;
    const socket = createSocket('udp4');
    const seen = this.datagrams.wait(({ payload }) => payload.toString('latin1') === text, {
      timeoutMs: 20_000,
      what: 'the first captured packet',
    });
    // again and again: how long tshark needs to open the interface is not told by it
    const again = setInterval(() => socket.send(text, this.#markPort, '127.0.0.1'), 50);
    try {
      await seen;
    } finally {
      clearInterval(again);
      socket.close();
    }
  }

  /** The datagrams seen so far. */
  async seen(): Promise<readonly Datagram[]> {
    await this.#mark();
    return this.datagrams.items;
  }

  /** Ends the capture and asks the dissectors; `ports` speak SIP. */
  async judge(lab: Lab, ports: readonly number[]): Promise<Judgement> {
    await this.#mark();
    await this.#child.stop('SIGINT');
    const sip = await this.#dissect(lab, ports, 'sip', ['sip.Method', 'sip.Status-Code']);
    const complaints = await this.#dissect(
      lab,
      ports,
      // 0x800000: PI_ERROR in Wireshark's expert severities
      '_ws.malformed || (sip && _ws.expert.severity >= 0x800000)',
      ['frame.number', '_ws.expert.message', '_ws.col.Info'],
    );
    return { messages: sip.map((line) => line.trim()), complaints };
  }

  /** The octets of each TCP conversation with a port, one buffer for each direction. */
  async tcpStreams(lab: Lab, port: number): Promise<Buffer[]> {
    const fields = ['tcp.stream', 'tcp.srcport', 'tcp.payload'];
    const lines = await this.#dissect(
      lab,
      [],
      `tcp.port == ${port} && tcp.len > 0 && !tcp.analysis.retransmission`,
      fields,
    );
    const streams = new Map<string, Buffer[]>();
    for (const line of lines) {
      const [stream, from, payload] = line.split('\t');
      const key = `${stream}/${from}`;
      streams.set(key, [...(streams.get(key) ?? []), Buffer.from(payload ?? '', 'hex')]);
    }
    return [...streams.values()].map((parts) => Buffer.concat(parts));
  }

  async #dissect(lab: Lab, ports: readonly number[], filter: string, fields: readonly string[]): Promise<string[]> {
    const args = ['-r', this.#file, '-n', '-Y', filter, '-T', 'fields'];
    for (const port of ports) args.push('-d', `udp.port==${port},sip`, '-d', `tcp.port==${port},sip`);
    for (const field of fields) args.push('-e', field);
    const child = lab.spawn({ name: 'tshark -r', command: 'tshark', args });
    const { code } = await child.ended;
    if (code !== 0) throw new Error(`tshark -r: exit code ${code}\n${child.tail()}`);
    return child.stdout;
  }
}
