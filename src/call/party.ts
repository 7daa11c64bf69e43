/** One end of a call as people know it. */
export interface Party {
  /** The number: an extension of the PBX, or what the other side said. */
  readonly number: string;
  readonly displayName?: string;
  /** The extension that was authenticated, if one was. */
  readonly extension?: string;
}
