/** Estimate of the round-trip time, in milliseconds (RFC 3261 §17.1.1.1). */
export const T1 = 500;

/** Longest interval between retransmissions of non-INVITE requests and INVITE responses, in milliseconds. */
export const T2 = 4_000;

/** Longest time that a message may stay in the network, in milliseconds. */
export const T4 = 5_000;

/** Timers B, F, H, J, L, M and the wait after a CANCEL, in milliseconds. */
export const TRANSACTION_TIMEOUT = 64 * T1;

/** Timer D over unreliable transports: a fixed minimum, because the server's T1 is not known (RFC 3261 §17.1.1.2). */
export const TIMER_D = 32_000;

/** An INVITE that the user has not answered by now gets a 100 (RFC 3261 §17.2.1). */
export const TRYING_AFTER = 200;

/**
 * A request other than INVITE that the user has not answered by now gets a 100: the moment at which a client's timer E
 * is reset to T2, that is after retransmissions at 0.5, 1.5 and 3.5 s (RFC 4320 §4.1).
 */
export const NON_INVITE_TRYING_AFTER = 3_500;
