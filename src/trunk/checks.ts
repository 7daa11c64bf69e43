import { UsageError } from '../base/errors.js';
import { getParam, hasParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { parseUri, type SipUri, sipUri } from '../protocol/sip/uri.js';

/** @throws UsageError PBX_INVALID_ARGUMENT, always */
export function refuse(what: string, found: unknown, expected: string): never {
  throw new UsageError('PBX_INVALID_ARGUMENT', `${what}: found ${JSON.stringify(found)}, expected ${expected}`);
}

/** The name of a line or trunk. @throws UsageError PBX_INVALID_ARGUMENT */
export function checkName(name: string): string {
  if (typeof name === 'string' && /^[\w.+-]{1,64}$/.test(name)) return name;
  return refuse('name', name, '1–64 letters, digits, "-", "_", "." or "+"');
}

/** A whole number from `least` to `most`, or absent. @throws UsageError PBX_INVALID_ARGUMENT */
export function checkNumber(what: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  refuse(what, value, `a whole number from ${least} to ${most}`);
}

/** Text of one line that is not empty, or absent. @throws UsageError PBX_INVALID_ARGUMENT */
export function checkText(what: string, value: string | undefined): void {
  if (value === undefined || (value !== '' && !hasControl(value))) return;
  refuse(what, value, 'a line of text');
}

/** A realm or several. @throws UsageError PBX_INVALID_ARGUMENT */
export function realmList(what: string, realm: string | readonly string[] | undefined): readonly string[] {
  const realms = realm === undefined ? [] : typeof realm === 'string' ? [realm] : realm;
  for (const each of realms) checkText(what, each);
  return realms;
}

/** The SIP URI of a server that is written as a host, `host:port` or URI. @throws UsageError PBX_INVALID_ARGUMENT */
export function serverUri(text: string, where: string): SipUri {
  const isUri = /^sips?:/i.test(text.slice(0, 5));
  const isBareIpv6 = !isUri && !text.includes('[') && text.split(':', 3).length > 2;
  const uri = readable(() => parseUri(isUri ? text : isBareIpv6 ? `sip:[${text}]` : `sip:${text}`));
  if (uri?.kind !== 'sip' || uri.user !== undefined || uri.headers.length > 0) {
    return refuse(where, text, 'a host name, address or SIP URI such as "sip.carrier.example"');
  }
  const transport = getParam(uri.params, 'transport')?.toLowerCase();
  if (hasParam(uri.params, 'transport') && !['udp', 'tcp', 'tls'].includes(transport ?? '')) {
    refuse(where, text, 'transport=udp, tcp or tls');
  }
  return sipUri({ host: uri.host, port: uri.port, scheme: uri.scheme, params: uri.params });
}

/** Whether two pieces of a configuration are the same. */
export function sameConfig(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}
