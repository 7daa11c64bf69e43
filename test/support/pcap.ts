/** A UDP datagram of a capture. */
export interface CapturedDatagram {
  /** Since the first packet of the capture. */
  readonly atMs: number;
  readonly data: Uint8Array;
}

const GLOBAL_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 1;
const ETHERNET_HEADER = 14;
const IPV4 = 0x0800;
const UDP = 17;

/** The UDP datagrams of a capture in the classic pcap format: Ethernet and IPv4 without fragments, either byte order, microseconds. */
export function readPcap(file: Buffer): CapturedDatagram[] {
  const little = file.readUInt32LE(0) === 0xa1b2c3d4;
  if (!little && file.readUInt32BE(0) !== 0xa1b2c3d4) throw new Error('no pcap file');
  const word = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  if (word(20) !== ETHERNET) throw new Error(`link type ${word(20)}, expected Ethernet`);
  const datagrams: CapturedDatagram[] = [];
  let firstAt: number | undefined;
  for (let at = GLOBAL_HEADER; at + RECORD_HEADER <= file.length; ) {
    const atMs = word(at) * 1000 + word(at + 4) / 1000;
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + word(at + 8));
    at += RECORD_HEADER + frame.length;
    firstAt ??= atMs;
    if (frame.readUInt16BE(12) !== IPV4) continue;
    const ip = frame.subarray(ETHERNET_HEADER);
    const udp = ip.subarray(4 * (ip.readUInt8(0) & 0x0f));
    if (ip.readUInt8(9) === UDP) datagrams.push({ atMs: atMs - firstAt, data: udp.subarray(8, udp.readUInt16BE(4)) });
  }
  return datagrams;
}
