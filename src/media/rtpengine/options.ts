import { ConfigError, type ConfigProblem } from '../../base/config-error.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Scheduler } from '../../base/scheduler.js';
import { show } from '../../base/show.js';
import type { Network } from '../../net/network.js';
import { DEFAULT_MEDIA_TIMEOUTS, type MediaTimeouts } from '../media-trouble.js';
import type { InstanceOption } from './instance-url.js';

/** What `new RtpEngine` takes. */
export interface RtpEngineOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** Where rtpengine takes commands (`--listen-ng`), as `udp://ADDRESS:PORT`. */
  readonly instances: readonly InstanceOption[];
  /** How long an instance may take to answer a command before the next one is asked, in milliseconds. Default 1500. */
  readonly timeoutMs?: number;
  /** How often each instance is asked whether it is there. Default 5. */
  readonly pingSeconds?: number;
  /** After so many commands and pings in a row without an answer an instance is down. Default 2. */
  readonly failuresUntilDown?: number;
  /** How often the counters of an established pair of legs are read. Default 5. */
  readonly pollSeconds?: number;
  /**
   * A party that is not heard while packets come from elsewhere than it said: true takes the sender for the party (RFC 7362 §4).
   * That helps a phone with STUN behind a symmetric NAT; but rtpengine then takes anybody for three seconds, strangers too.
   * Default false. Of parties that are seen to be behind NAT the source is learned in any case.
   */
  readonly learnElsewhere?: boolean;
  /** After how long without packets something is told. */
  readonly timeouts?: Partial<MediaTimeouts>;
}

/** The figures of the options, with the defaults filled in. */
export interface RtpEngineFigures {
  readonly timeoutMs: number;
  readonly pingSeconds: number;
  readonly failuresUntilDown: number;
  readonly pollSeconds: number;
  readonly timeouts: MediaTimeouts;
}

const DEFAULTS: RtpEngineFigures = {
  timeoutMs: 1500,
  pingSeconds: 5,
  failuresUntilDown: 2,
  pollSeconds: 5,
  timeouts: DEFAULT_MEDIA_TIMEOUTS,
};

/** @throws ConfigError (PBX_INVALID_ARGUMENT) for figures that are not above 0 */
export function readFigures(options: RtpEngineOptions): RtpEngineFigures {
  const problems: ConfigProblem[] = [];
  const above0 = (path: string, value: number): number => {
    if (!(Number.isFinite(value) && value > 0))
      problems.push({ path, found: show(path, value), expected: 'a number above 0' });
    return value;
  };
  const { oneWayMs, callMs, holdMs } = { ...DEFAULTS.timeouts, ...options.timeouts };
  const figures = {
    timeoutMs: above0('timeoutMs', options.timeoutMs ?? DEFAULTS.timeoutMs),
    pingSeconds: above0('pingSeconds', options.pingSeconds ?? DEFAULTS.pingSeconds),
    failuresUntilDown: above0('failuresUntilDown', options.failuresUntilDown ?? DEFAULTS.failuresUntilDown),
    pollSeconds: above0('pollSeconds', options.pollSeconds ?? DEFAULTS.pollSeconds),
    timeouts: {
      oneWayMs: above0('timeouts.oneWayMs', oneWayMs),
      callMs: above0('timeouts.callMs', callMs),
      holdMs: above0('timeouts.holdMs', holdMs),
    },
  };
  if (problems.length > 0) throw new ConfigError('PBX_INVALID_ARGUMENT', 'the media engine', problems);
  return figures;
}
