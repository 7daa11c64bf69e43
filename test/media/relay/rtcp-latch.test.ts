import { describe, expect, test } from 'vitest';
import { RtcpLatch } from '../../../src/media/relay/rtcp-latch.js';
import { SourceLatch } from '../../../src/media/relay/source-latch.js';
import { rtpPacket } from './support.js';

const DESCRIBED = { address: '10.0.0.5', port: 4001 };
const NAT = { address: '203.0.113.5', port: 61_000 };

function setUp() {
  const rtp = new SourceLatch({ packets: 4, silentMs: 1000, fromAnywhere: false });
  rtp.describe({ address: '10.0.0.5', port: 4000 }, NAT.address);
  const rtcp = new RtcpLatch(rtp);
  rtcp.describe(DESCRIBED);
  const learnRtp = (from = NAT): void => {
    for (const sequence of [1, 2, 3, 4]) rtp.receive(rtpPacket({ sequence }), from, 0);
  };
  return { rtp, rtcp, learnRtp };
}

describe('where a peer’s RTCP is', () => {
  test('where its description says, until something is learned', () => {
    const { rtcp } = setUp();
    expect(rtcp.target).toEqual(DESCRIBED);
    expect(rtcp.receive(DESCRIBED, 0)).toBe(true);
    expect(rtcp.target).toEqual(DESCRIBED);
  });

  test('follows the learned host of RTP: the next port until its own packet comes', () => {
    const { rtcp, learnRtp } = setUp();
    learnRtp();
    expect(rtcp.target).toEqual({ address: NAT.address, port: 61_001 });
    const from = { address: NAT.address, port: 52_123 };
    expect(rtcp.receive(from, 0)).toBe(true);
    expect(rtcp.target).toEqual(from);
  });

  test('strangers are refused, before and after', () => {
    const { rtcp, learnRtp } = setUp();
    const stranger = { address: '198.51.100.66', port: 4001 };
    expect(rtcp.receive(stranger, 0)).toBe(false);
    learnRtp();
    expect(rtcp.receive(stranger, 0)).toBe(false);
    expect(rtcp.target).toEqual({ address: NAT.address, port: 61_001 });
  });

  test('another port of the host takes over only after the known one was silent', () => {
    const { rtcp, learnRtp } = setUp();
    learnRtp();
    rtcp.receive({ address: NAT.address, port: 1111 }, 0);
    expect(rtcp.receive({ address: NAT.address, port: 2222 }, 11_999)).toBe(false);
    expect(rtcp.receive({ address: NAT.address, port: 2222 }, 12_000)).toBe(true);
    expect(rtcp.target).toEqual({ address: NAT.address, port: 2222 });
  });

  test('moves with RTP at once', () => {
    const { rtp, rtcp } = setUp();
    rtcp.receive({ address: NAT.address, port: 1111 }, 0);
    rtp.describe({ address: '10.0.0.7', port: 4000 }, undefined);
    for (const sequence of [1, 2, 3, 4]) rtp.receive(rtpPacket({ sequence }), { address: '10.0.0.7', port: 4000 }, 0);
    expect(rtcp.receive({ address: NAT.address, port: 1111 }, 20)).toBe(false);
    expect(rtcp.receive({ address: '10.0.0.7', port: 4001 }, 40)).toBe(true);
    expect(rtcp.target).toEqual({ address: '10.0.0.7', port: 4001 });
  });
});
