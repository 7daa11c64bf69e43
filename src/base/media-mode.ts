/**
 * How the media of a party goes: `direct`, end to end, whatever the addresses say; `relay`, through the server; `auto`, through the
 * server where the two parties cannot reach each other's addresses. Of two parties `relay` outweighs `auto`, and that `direct`.
 */
export type MediaMode = 'direct' | 'relay' | 'auto';

export const MEDIA_MODES = ['direct', 'relay', 'auto'] as const satisfies readonly MediaMode[];
