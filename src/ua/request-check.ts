import type { SipRequest } from '../protocol/sip/message.js';
import { isMethod } from '../protocol/sip/method.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Capabilities } from './capabilities.js';
import type { Refusal } from './refusal.js';

/** Method: RFC 3261 §8.2.1. 501 for one that nobody here knows, 405 for one that is not served. */
export function checkMethod(request: SipRequest, capabilities: Capabilities): Refusal | undefined {
  if (capabilities.allow.includes(request.method)) return undefined;
  return { status: isMethod(request.method) ? 405 : 501, headers: { Allow: capabilities.allow } };
}

/**
 * Scheme of the Request-URI: RFC 3261 §8.2.2.1. A tel URI is served like the user part that it would be, except by a
 * registrar, which needs a domain (§10.3).
 * @throws SipParseError for a Request-URI that is none
 */
export function checkScheme(request: SipRequest, schemes: readonly string[]): Refusal | undefined {
  const scheme = schemeOf(request.uri);
  const served = schemes.includes(scheme) && !(scheme === 'tel' && request.method === 'REGISTER');
  return served ? undefined : { status: 416 };
}

function schemeOf(uri: Uri): string {
  return uri.kind === 'tel' ? 'tel' : uri.scheme;
}

/** Require, and Proxy-Require because this server stands where a proxy would: RFC 3261 §8.2.2.3. */
export function checkRequire(request: SipRequest, capabilities: Capabilities): Refusal | undefined {
  const required = [...(request.headers.get('Require') ?? []), ...(request.headers.get('Proxy-Require') ?? [])];
  if (required.length === 0) return undefined;
  const supported = new Set(capabilities.supported.map((tag) => tag.toLowerCase()));
  const unsupported = required.filter((tag) => !supported.has(tag.toLowerCase()));
  return unsupported.length === 0 ? undefined : { status: 420, headers: { Unsupported: [...new Set(unsupported)] } };
}
