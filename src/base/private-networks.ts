/**
 * Addresses that mean nothing in the Internet: who is seen under one stands on our side of a NAT. RFC 1918, shared address
 * space (RFC 6598), unique local (RFC 4193).
 */
export const PRIVATE_NETWORKS: readonly string[] = Object.freeze([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
]);

/** Loopback and link-local (RFC 3927, RFC 4291 §2.5): never anywhere but on this machine and its links. */
export const LINK_NETWORKS: readonly string[] = Object.freeze([
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::1/128',
  'fe80::/10',
]);
