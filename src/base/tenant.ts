/** Which virtual server something belongs to: an opaque identifier, not a domain (several domains may map to it). */
export type TenantId = string;

/** The tenant of a PBX that has only one. */
export const DEFAULT_TENANT: TenantId = 'default';
