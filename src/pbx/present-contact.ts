import type { NatService } from '../nat/nat-service.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { getParam } from '../protocol/sip/params.js';

/** A Contact of ours as it must be told now: with our present address outside, where it names one that we had before. */
export function presentContact(contact: NameAddr, nat: Pick<NatService, 'presentOf'>): NameAddr {
  const { uri } = contact;
  if (uri.kind !== 'sip') return contact;
  const transport = getParam(uri.params, 'transport')?.toLowerCase();
  const protocol = transport === 'tcp' || transport === 'tls' ? transport : 'udp';
  const port = uri.port ?? (protocol === 'tls' ? 5061 : 5060);
  const present = nat.presentOf({ address: uri.host, port }, protocol);
  if (present === undefined) return contact;
  return { ...contact, uri: { ...uri, host: present.address, port: present.port } };
}
