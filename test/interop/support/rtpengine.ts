import type { Child, Ended } from './child.js';
import type { Lab } from './lab.js';
import { freeRtpPorts, freeSipPort, udpBound } from './ports.js';
import { findProgram } from './programs.js';
import { until } from './recorded.js';

/** So many ports are there for media: two pairs a stream. */
const MEDIA_PORTS = 120;

/** Debian's rtpengine on the loopback addresses, without the kernel module. */
export class RtpEngineProgram {
  /** Where it takes commands. */
  readonly url: string;
  readonly #child: Child;
  readonly #firstPort: number;

  private constructor(url: string, child: Child, firstPort: number) {
    this.url = url;
    this.#child = child;
    this.#firstPort = firstPort;
  }

  static async start(lab: Lab, options: { readonly ipv6?: boolean } = {}): Promise<RtpEngineProgram> {
    const port = await freeSipPort();
    const first = await freeRtpPorts(MEDIA_PORTS);
    const child = lab.spawn({
      name: `rtpengine:${port}`,
      command: findProgram('rtpengine') ?? 'rtpengine',
      args: [
        '--config-file=none',
        '--table=-1',
        '--foreground',
        '--log-stderr',
        '--log-level=5',
        '--num-threads=2',
        '--delete-delay=0',
        '--interface=127.0.0.1',
        ...(options.ipv6 === true ? ['--interface=::1'] : []),
        `--listen-ng=127.0.0.1:${port}`,
        `--port-min=${first}`,
        `--port-max=${first + MEDIA_PORTS - 1}`,
      ],
    });
    await until(
      () => {
        if (child.gone) throw new Error(`rtpengine did not start\n${child.tail()}`);
        return udpBound('127.0.0.1', port);
      },
      `rtpengine on port ${port}`,
      15_000,
    );
    return new RtpEngineProgram(`udp://127.0.0.1:${port}`, child, first);
  }

  /** Whether a port for media is one of its own. */
  holdsPort(port: number): boolean {
    return port >= this.#firstPort && port < this.#firstPort + MEDIA_PORTS;
  }

  /** No farewell: SIGKILL. */
  kill(): Promise<Ended> {
    return this.#child.stop('SIGKILL');
  }
}
