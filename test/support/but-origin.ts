/** A description without what its `o=` line says: each leg has one of its own, all other lines pass as they are. */
export function butOrigin(sdp: string | undefined): string | undefined {
  return sdp?.replace(/^o=.*$/m, 'o=');
}
