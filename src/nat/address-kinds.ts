import { AddressSet } from '../base/address-set.js';

/** 127/8 and ::1. */
export const LOOPBACK = new AddressSet(['127.0.0.0/8', '::1']);

/** Nobody to answer to: unspecified, multicast, broadcast and reserved (RFC 1122 §3.2.1.3, RFC 5771, RFC 4291 §2.7). */
export const NOBODY = new AddressSet(['0.0.0.0/8', '224.0.0.0/3', '::/128', 'ff00::/8']);
