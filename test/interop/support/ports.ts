import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** Ports given out by this process; each is given once. */
const given = new Set<number>();

/**
 * SIP ports come from four digits (sipsak reads no more) and from below the range from which the kernel takes its own.
 * The start depends on the process, so that two test runs on one machine seldom meet.
 */
const SIP_PORTS = { from: 6_100, to: 9_900 };
const RTP_PORTS = { from: 10_000, to: 31_000 };

/** A port free for UDP and TCP on 127.0.0.1, and its successor too (baresip takes it for TLS). Even. */
export function freeSipPort(): Promise<number> {
  return freePort(SIP_PORTS, 2);
}

/** The first of `count` neighbouring free ports; even. */
export function freeRtpPorts(count: number): Promise<number> {
  return freePort(RTP_PORTS, count);
}

async function freePort(range: { readonly from: number; readonly to: number }, count: number): Promise<number> {
  const span = range.to - range.from;
  const start = (process.pid * 38) % span;
  for (let step = 0; step < span; step += 2) {
    const port = (range.from + ((start + step) % span)) & ~1;
    if (await takeAll(port, count)) return port;
  }
  throw new Error(`no free port between ${range.from} and ${range.to}`);
}

async function takeAll(port: number, count: number): Promise<boolean> {
  for (let i = 0; i < count; i++) if (given.has(port + i)) return false;
  // claimed before the first await, or two tests at once would find the same port free
  for (let i = 0; i < count; i++) given.add(port + i);
  for (let i = 0; i < Math.min(count, 2); i++) {
    if (!(await udpFree(port + i)) || !(await tcpFree(port + i))) return false;
  }
  return true;
}

function udpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}

function tcpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Whether some program has bound this UDP port of an IPv4 address: the kernel's table of sockets. */
export function udpBound(address: string, port: number): boolean {
  return kernelTableHas('/proc/net/udp', address, port);
}

/** Whether some program listens on this TCP port of an IPv4 address. */
export function tcpListening(address: string, port: number): boolean {
  return kernelTableHas('/proc/net/tcp', address, port);
}

/** Whether somebody accepts connections there, on another machine too. */
export function tcpReachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.end(() => resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

/** The UDP ports that are bound in the network of a process. */
export function udpPortsOf(pid: number): readonly number[] {
  const [, ...lines] = readFileSync(`/proc/${pid}/net/udp`, 'latin1').trim().split('\n');
  return lines.map((line) => Number.parseInt(line.trim().split(/\s+/)[1]?.split(':')[1] ?? '', 16));
}

function kernelTableHas(table: string, address: string, port: number): boolean {
  const octets = address.split('.').map(Number);
  const hexAddress = octets
    .reverse()
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join('');
  const wanted = `${hexAddress}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  const listening = table.endsWith('tcp') ? '0A' : '07';
  for (const line of readFileSync(table, 'latin1').split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === wanted && columns[3] === listening) return true;
  }
  return false;
}
