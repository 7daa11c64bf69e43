/** What the network did to a G.711 call, as the receiver sees it. */
export interface NetworkImpairment {
  /** 0 to 1. */
  readonly lossRatio: number;
  /** The mean length of a group of lost packets against that of random loss (ITU-T G.107 §7.2): 1 is random, more is bursty. Default 1. */
  readonly burstRatio?: number;
  /** RFC 3550 §6.4.1. */
  readonly jitterMs?: number;
  /** One way, without the receiver's buffer; default 0. */
  readonly delayMs?: number;
}

/** R without any impairment by the network: all parameters of ITU-T G.107 at their defaults. */
const R_BEST = 93.2;
/** ITU-T G.113 appendix I: packet-loss robustness of G.711 with the concealment of its appendix I; without concealment it is 4.3. */
const LOSS_ROBUSTNESS = 25.1;
/** From so much delay on a conversation suffers (Cole and Rosenbluth). */
const NOTICED_DELAY_MS = 177.3;
/** How deep an adaptive buffer makes itself, in mean deviations. */
const BUFFERED_JITTERS = 2;

/**
 * The transmission rating R of a G.711 call by the E-model, 0 to 93.2: R = 93.2 − Id − Ie,eff. Id by the approximation of R. G. Cole and
 * J. H. Rosenbluth, “Voice over IP performance monitoring” (ACM CCR 31/2, 2001), of ITU-T G.107 §7.3; Ie,eff by G.107 §7.2 with Ie = 0 and
 * Bpl of G.113 appendix I. Jitter counts as the delay of a buffer that is twice as deep.
 */
export function transmissionRating(impairment: NetworkImpairment): number {
  const { lossRatio, burstRatio = 1, jitterMs = 0, delayMs = 0 } = impairment;
  const delay = delayMs + BUFFERED_JITTERS * jitterMs;
  const delayImpairment = 0.024 * delay + 0.11 * Math.max(0, delay - NOTICED_DELAY_MS);
  const lossPercent = 100 * Math.min(1, Math.max(0, lossRatio));
  const lossImpairment = (95 * lossPercent) / (lossPercent / Math.max(1, burstRatio) + LOSS_ROBUSTNESS);
  return Math.min(R_BEST, Math.max(0, R_BEST - delayImpairment - lossImpairment));
}

/** The mean opinion score, 1 to 4.5, that people are expected to give to a call of rating R (ITU-T G.107 annex B). */
export function meanOpinionScore(rating: number): number {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}
