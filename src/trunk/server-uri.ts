import * as v from 'valibot';
import { getParam, hasParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { parseUri, type SipUri, sipUri } from '../protocol/sip/uri.js';

const SERVER = 'a host name, address or SIP URI such as "sip.carrier.example"';

/** A server that is written as a host, `host:port` or URI; read as its SIP URI. */
export const serverSchema = v.pipe(
  v.string(SERVER),
  v.rawTransform<string, SipUri>(({ dataset, addIssue, NEVER }) => {
    const uri = readServer(dataset.value);
    if (typeof uri !== 'string') return uri;
    addIssue({ message: uri });
    return NEVER;
  }),
);

/** A text: what was expected instead. */
function readServer(text: string): SipUri | string {
  const isUri = /^sips?:/i.test(text.slice(0, 5));
  const isBareIpv6 = !isUri && !text.includes('[') && text.split(':', 3).length > 2;
  const uri = readable(() => parseUri(isUri ? text : isBareIpv6 ? `sip:[${text}]` : `sip:${text}`));
  if (uri?.kind !== 'sip' || uri.user !== undefined || uri.headers.length > 0) return SERVER;
  const transport = getParam(uri.params, 'transport')?.toLowerCase();
  if (hasParam(uri.params, 'transport') && !['udp', 'tcp', 'tls'].includes(transport ?? ''))
    return 'transport=udp, tcp or tls';
  return sipUri({ host: uri.host, port: uri.port, scheme: uri.scheme, params: uri.params });
}
