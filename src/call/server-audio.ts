import type { InviteSession } from '../dialog/invite-session.js';
import type { MediaSession } from '../media/session/media-session.js';
import { parseSdp } from '../protocol/sdp/lines.js';
import { isSecure, mediaSummary, type SdpStream } from '../protocol/sdp/media.js';
import { type CallMedia, mediaAddress } from './call-media.js';
import { unlessFaulty } from './media-fault.js';

/** Who is at the other end of the server's own audio. */
export interface AudioPeer {
  /** The IP address that the signalling comes from. */
  readonly remoteAddress: string;
  /** It has asked for SRTP over TLS, and is offered it in turn (RFC 4568 §7.1.1). */
  readonly srtp: boolean;
}

/** Opens the server's own end of a leg's audio. @throws MediaError (MEDIA_NO_PORT) */
export type OpenAudio = (peer: AudioPeer) => Promise<MediaSession>;

/**
 * The IP address that a talking party's signalling comes from, behind a NAT that of the box: the media is looked for there, too
 * (RFC 7362 §4). What the party has described stands in only when nothing else is known.
 */
export function remoteAddressOf(
  media: CallMedia,
  { legId, session }: { readonly legId: string; readonly session: InviteSession },
): string | undefined {
  const side = media.side(legId);
  return side?.address ?? side?.hop ?? session.dialog.seenAt ?? mediaAddress(session.agreed?.remote ?? '');
}

/** The peer's answer to our offer. False when it cannot be taken: all is then as it was before. */
export function acceptAnswer(session: MediaSession, answer: string): boolean {
  const accepted = unlessFaulty(() => {
    session.accept(answer);
    return true;
  });
  return accepted === true;
}

/** The audio stream in use. */
export function audioIn(sdp: string | undefined): SdpStream | undefined {
  if (sdp === undefined) return undefined;
  return unlessFaulty(() =>
    mediaSummary(parseSdp(sdp)).find(({ active, type }) => active && type.toLowerCase() === 'audio'),
  );
}

/** Whether the audio in use is SRTP (RFC 3711), whatever other streams are. */
export function isSecured(sdp: string | undefined): boolean {
  const audio = audioIn(sdp);
  return audio !== undefined && isSecure(audio.protocol);
}
