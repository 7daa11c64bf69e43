import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Lab, Stoppable } from './lab.js';

const run = promisify(execFile);

/** A program in a place sees nothing but the network of that place. */
export interface Place {
  /** The namespace, for `ip netns exec`. */
  readonly namespace: string;
  /** Its own IPv4 address there. */
  readonly address: string;
  /** Where this process reaches it, past everything else: for control sockets. */
  readonly control: string;
}

/** Who stands in the open, by the last part of the address. */
const OUTSIDE = { server: 10, bob: 20, carol: 30 } as const;
type PlaceName = 'alice' | keyof typeof OUTSIDE;

const OPEN = '198.51.100';
const HOME = '192.168.77';

/**
 * A small internet in network namespaces of its own: 198.51.100.0/24 in the open, and a home (192.168.77.0/24) behind a router that
 * masquerades. `server`, `bob` and `carol` stand in the open, `alice` at home. Packets from the open to an address of the home go nowhere.
 * Names hold the process id, and all of it goes with the lab. Needs root.
 */
export class NatInternet implements Stoppable {
  readonly #prefix = `pbxkit-${process.pid}-${++made}`;
  readonly #namespaces: string[] = [];
  #links = 0;
  readonly #places = new Map<PlaceName, Place>();

  /** @throws Error that says what is missing where namespaces cannot be made */
  static async create(lab: Lab): Promise<NatInternet> {
    const internet = lab.own(new NatInternet());
    await internet.#build();
    return internet;
  }

  private constructor() {
    process.once('exit', this.#onExit);
  }

  place(name: PlaceName): Place {
    const place = this.#places.get(name);
    if (place === undefined) throw new Error(`there is no place ${name}`);
    return place;
  }

  /** With a namespace its devices go, and their other ends. */
  async stop(): Promise<void> {
    process.off('exit', this.#onExit);
    for (const name of this.#namespaces.splice(0)) await run('ip', ['netns', 'delete', name]);
  }

  readonly #onExit = (): void => {
    for (const name of this.#namespaces) execFileSync('ip', ['netns', 'delete', name]);
  };

  async #build(): Promise<void> {
    const hub = await this.#namespace('hub');
    await ip('-n', hub, 'link', 'add', 'open', 'type', 'bridge');
    await ip('-n', hub, 'addr', 'add', `${OPEN}.1/24`, 'dev', 'open');
    await ip('-n', hub, 'link', 'set', 'open', 'up');

    const router = await this.#namespace('router');
    await this.#join(router, hub, 2);
    const home = await this.#namespace('alice');
    await ip('link', 'add', 'home', 'netns', router, 'type', 'veth', 'peer', 'name', 'out', 'netns', home);
    await addressed(router, 'home', `${HOME}.1/24`);
    await addressed(home, 'out', `${HOME}.2/24`);
    await ip('-n', home, 'route', 'add', 'default', 'via', `${HOME}.1`);
    await inside(router, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
    await inside(router, 'iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'out', '-j', 'MASQUERADE');
    this.#places.set('alice', { namespace: home, address: `${HOME}.2`, control: await this.#control(home) });

    for (const [name, last] of Object.entries(OUTSIDE) as [keyof typeof OUTSIDE, number][]) {
      const namespace = await this.#namespace(name);
      await this.#join(namespace, hub, last);
      this.#places.set(name, { namespace, address: `${OPEN}.${last}`, control: await this.#control(namespace) });
    }
  }

  async #namespace(part: string): Promise<string> {
    const name = `${this.#prefix}-${part}`;
    try {
      await ip('netns', 'add', name);
    } catch (error) {
      throw new Error('this machine lets us make no network namespaces: the test needs root and CAP_SYS_ADMIN', {
        cause: error,
      });
    }
    this.#namespaces.push(name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  /** A cable into the open. What is sent to other networks goes to the hub, which passes nothing on. */
  async #join(namespace: string, hub: string, last: number): Promise<void> {
    await ip('link', 'add', `to${last}`, 'netns', hub, 'type', 'veth', 'peer', 'name', 'out', 'netns', namespace);
    await ip('-n', hub, 'link', 'set', `to${last}`, 'master', 'open', 'up');
    await addressed(namespace, 'out', `${OPEN}.${last}/24`);
    await ip('-n', namespace, 'route', 'add', 'default', 'via', `${OPEN}.1`);
  }

  /** A cable to this process; nothing is routed over it (RFC 2544 addresses). */
  async #control(namespace: string): Promise<string> {
    const link = ++this.#links;
    const device = `pk${process.pid}x${made}x${link}`.slice(0, 15);
    const subnet = (made * 8 + link) * 4;
    const address = (last: number): string => `198.18.${process.pid % 250}.${subnet + last}`;
    await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'control', 'netns', namespace);
    await ip('addr', 'add', `${address(1)}/30`, 'dev', device);
    await ip('link', 'set', device, 'up');
    await addressed(namespace, 'control', `${address(2)}/30`);
    return address(2);
  }
}

let made = 0;

/** What to spawn so that a command runs in a place; its pid is the same. Default: where this process is. */
export function startedIn(
  place: Place | undefined,
  command: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const all = place === undefined ? command : ['ip', 'netns', 'exec', place.namespace, ...command];
  return { command: all[0] ?? '', args: all.slice(1) };
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args);
}

async function inside(namespace: string, ...command: readonly string[]): Promise<void> {
  await run('ip', ['netns', 'exec', namespace, ...command]);
}

async function addressed(namespace: string, device: string, address: string): Promise<void> {
  await ip('-n', namespace, 'addr', 'add', address, 'dev', device);
  await ip('-n', namespace, 'link', 'set', device, 'up');
}
