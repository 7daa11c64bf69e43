/** What a service is called; the host may have further ones. */
export type ServiceName =
  | 'autoAttendant'
  | 'ivr'
  | 'ringGroup'
  | 'huntGroup'
  | 'conference'
  | 'voicemail'
  | (string & {});

/** Where a number leads, as plain data. */
export type Route =
  /** A local user; without `extension` the one whose number was called. */
  | { readonly kind: 'extension'; readonly extension?: string }
  /** An external line; without `line` any that is free. */
  | { readonly kind: 'line'; readonly line?: string }
  /** The lines and trunks of an outgoing group, in turn. */
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'trunk'; readonly trunk: string }
  | { readonly kind: 'peer'; readonly peer: string }
  /** `name`: which of them, for services of which there are several. */
  | { readonly kind: 'service'; readonly service: ServiceName; readonly name?: string }
  /** A SIP status of 400 to 699, and what to say with it. */
  | { readonly kind: 'reject'; readonly status: number; readonly reason?: string };

/** To a local user: this one, or, without a number, the one whose number was called. */
export function extension(number?: string): Route {
  return number === undefined ? { kind: 'extension' } : { kind: 'extension', extension: number };
}

/** Out on this external line, or, without a name, on any that is free. */
export function line(name?: string): Route {
  return name === undefined ? { kind: 'line' } : { kind: 'line', line: name };
}

/** Out on the lines and trunks of an outgoing group. */
export function group(name: string): Route {
  return { kind: 'group', group: name };
}

/** Out on a SIP trunk. */
export function trunk(name: string): Route {
  return { kind: 'trunk', trunk: name };
}

/** To another server of ours. */
export function peer(name: string): Route {
  return { kind: 'peer', peer: name };
}

/** To a service, and which of them: `service('ivr', 'opening-hours')`. */
export function service(kind: ServiceName, name?: string): Route {
  return name === undefined ? { kind: 'service', service: kind } : { kind: 'service', service: kind, name };
}

/** Refused with a SIP status of 400 to 699, and what to say with it. */
export function reject(status: number, reason?: string): Route {
  return reason === undefined ? { kind: 'reject', status } : { kind: 'reject', status, reason };
}

/** For people: `line 1234`. */
export function describeRoute(route: Route): string {
  switch (route.kind) {
    case 'extension':
      return route.extension === undefined ? 'local user' : `extension ${route.extension}`;
    case 'line':
      return route.line === undefined ? 'any line' : `line ${route.line}`;
    case 'group':
      return `group ${route.group}`;
    case 'trunk':
      return `trunk ${route.trunk}`;
    case 'peer':
      return `peer ${route.peer}`;
    case 'service':
      return route.name === undefined ? route.service : `${route.service} ${route.name}`;
    case 'reject':
      return route.reason === undefined ? `reject ${route.status}` : `reject ${route.status} ${route.reason}`;
  }
}
