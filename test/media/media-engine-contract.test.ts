import { describe, test } from 'vitest';
import { MediaRelay } from '../../src/media/relay/media-relay.js';
import { mediaEngineContract } from '../../src/testing/media-engine-contract.js';
import { virtualMediaBench } from './virtual-media-bench.js';

describe('the contract of media engines on our own relay, on the virtual network', () => {
  const make = () =>
    virtualMediaBench(
      (ports, { oneWayMs, callMs }) =>
        new MediaRelay({ ...ports, addresses: ['192.0.2.1', '2001:db8::1'], timeouts: { oneWayMs, callMs } }),
    );
  for (const { name, run } of mediaEngineContract(make)) test(name, run);
});
