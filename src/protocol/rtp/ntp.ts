import type { EpochMillis, Millis } from '../../base/clock.js';

/** A point in time as a sender report has it: 64 bits since 1900-01-01T00:00Z (RFC 3550 §4). */
export interface NtpTime {
  /** Modulo 2³²: begins anew on 2036-02-07. */
  readonly seconds: number;
  /** In 2⁻³² s. */
  readonly fraction: number;
}

/** From 1900 to 1970, in seconds. */
const EPOCH_OFFSET = 2_208_988_800;
const ERA_SECONDS = 0x100000000;
/** The compact form counts in 1/65536 s. */
const UNITS_PER_MS = 65.536;

export function ntpTime(at: EpochMillis): NtpTime {
  const whole = Math.floor(at / 1000);
  return { seconds: (whole + EPOCH_OFFSET) % ERA_SECONDS, fraction: Math.floor(((at - whole * 1000) / 1000) * ERA_SECONDS) };
}

/** Back again; times of before 1968 are taken for those after 2036 (RFC 4330 §3). */
export function epochMillis({ seconds, fraction }: NtpTime): EpochMillis {
  const era = seconds >= 0x80000000 ? 0 : ERA_SECONDS;
  return (seconds + era - EPOCH_OFFSET) * 1000 + (fraction / ERA_SECONDS) * 1000;
}

/** The middle 32 bits: what a report block says of the last sender report (LSR). */
export function compactNtp({ seconds, fraction }: NtpTime): number {
  return ((seconds << 16) | (fraction >>> 16)) >>> 0;
}

/** How long ago a sender report came, as a report block says it (DLSR), in 1/65536 s. */
export function delaySinceLast(ms: Millis): number {
  return Math.min(0xffffffff, Math.max(0, Math.round(ms * UNITS_PER_MS)));
}

/**
 * The round trip that a report about us shows (RFC 3550 §6.4.1), in milliseconds; undefined where the peer has had no sender report of
 * ours. `at` is when the report came, by the clock from which our sender reports took their NTP time.
 */
export function roundTripMs(
  block: { readonly lastSenderReport: number; readonly delaySinceLast: number },
  at: EpochMillis,
): Millis | undefined {
  if (block.lastSenderReport === 0) return undefined;
  const units = (compactNtp(ntpTime(at)) - block.lastSenderReport - block.delaySinceLast) | 0;
  // The peer rounds its delay: a path without any may look shorter than nothing.
  return Math.max(0, units / UNITS_PER_MS);
}
