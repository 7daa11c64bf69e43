import type { SipRequest } from '../../src/protocol/sip/message.js';

/** The parameters of a request's credentials as they stand on the wire, by name. */
export function parseAuthCredentials(
  request: SipRequest,
  header: 'Authorization' | 'Proxy-Authorization',
): Record<string, string | undefined> {
  const params = request.headers.get(header)?.[0]?.params ?? [];
  return Object.fromEntries(params.map(({ name, value }) => [name, value]));
}
