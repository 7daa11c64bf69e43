import type { Millis } from '../base/clock.js';
import { ExpiringMap } from '../base/expiring-map.js';
import type { TenantId } from '../base/tenant.js';

/** An address-of-record. */
export interface Owner {
  readonly tenantId: TenantId;
  readonly user: string;
}

interface Known {
  readonly until: Millis;
  /** Whose bindings end with the connection (RFC 5626 §7). */
  readonly owners: readonly Owner[];
}

const MOST_CONNECTIONS = 100_000;

/** The open connections that REGISTERs came by. Those of an earlier run of the program are not among them. */
export class Connections {
  readonly #known = new ExpiringMap<string, Known>({ capacity: MOST_CONNECTIONS });

  /** A registration came by it and lasts until then; `owner` if it ends with the connection. */
  remember(id: string, until: Millis, now: Millis, owner?: Owner): void {
    const before = this.#known.get(id, now);
    const last = Math.max(until, before?.until ?? until);
    const owners = before?.owners ?? [];
    const isNew = owner !== undefined && !owners.some((each) => isSame(each, owner));
    this.#known.set(id, { until: last, owners: isNew ? [...owners, owner] : owners }, last, now);
  }

  isOpen(id: string, now: Millis): boolean {
    return this.#known.get(id, now) !== undefined;
  }

  /** It has closed. Returns those whose bindings may end with it. */
  closed(id: string, now: Millis): readonly Owner[] {
    const owners = this.#known.get(id, now)?.owners ?? [];
    this.#known.delete(id);
    return owners;
  }

  clear(): void {
    this.#known.clear();
  }
}

function isSame(a: Owner, b: Owner): boolean {
  return a.tenantId === b.tenantId && a.user === b.user;
}
