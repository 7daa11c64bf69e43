import type { SocketAddress } from '../base/ip.js';
import { createRequest, type SipRequest } from '../protocol/sip/message.js';
import { type NameAddr, withTag } from '../protocol/sip/name-addr.js';
import { NO_PARAMS } from '../protocol/sip/params.js';
import { type SipUri, sipUri } from '../protocol/sip/uri.js';
import type { TransportProtocol } from '../ua/target.js';
import type { Account } from './line-options.js';

/** Where the registrar sees us: what a NAT in between has made of our address. */
export interface Observed extends SocketAddress {
  readonly protocol: TransportProtocol;
}

export interface RegisterParts {
  readonly account: Account;
  readonly callId: string;
  readonly sequence: number;
  readonly fromTag: string;
  readonly expiresSeconds: number;
  /** The user part of our Contact. */
  readonly token: string;
  /** Undefined: our own address, which the UAC fills in for the hop. */
  readonly observed: Observed | undefined;
  /** Contacts of ours that lead nowhere any more. */
  readonly stale: readonly NameAddr[];
}

/** A REGISTER for one line: RFC 3261 §10.2. Contact is left out where the address of the hop's own side is to stand in it. */
export function registerRequest(parts: RegisterParts): SipRequest {
  const { account, observed, stale, token } = parts;
  const { displayName } = account;
  const aor: NameAddr = {
    uri: sipUri({ user: account.username, host: account.domain }),
    params: NO_PARAMS,
    ...(displayName === undefined ? {} : { displayName }),
  };
  const contact = observed === undefined ? [] : [{ uri: observedContact(token, observed), params: NO_PARAMS }];
  const removed = stale.map(({ uri }): NameAddr => ({ uri, params: [{ name: 'expires', value: '0' }] }));
  return createRequest({
    method: 'REGISTER',
    uri: sipUri({ host: account.domain }),
    headers: {
      From: withTag(aor, parts.fromTag),
      To: aor,
      'Call-ID': parts.callId,
      CSeq: { sequence: parts.sequence, method: 'REGISTER' },
      ...(contact.length === 0 ? {} : { Contact: [...contact, ...removed] }),
      Expires: parts.expiresSeconds,
      Supported: ['path'],
    },
  });
}

/** The Contact by which the registrar reaches us through the NAT. */
export function observedContact(token: string, { protocol, address, port }: Observed): SipUri {
  const params = protocol === 'udp' ? NO_PARAMS : [{ name: 'transport', value: protocol }];
  return sipUri({ user: token, host: address, port, params });
}
