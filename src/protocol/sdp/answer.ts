import { UsageError } from '../../base/errors.js';
import { type SdpAttribute, type SdpCodec, sameCodec } from './attributes.js';
import { isAuxiliary } from './audio-formats.js';
import { createMedia, createSdp, type SdpOriginOptions } from './create.js';
import { answerDirection, type SdpDirection } from './direction.js';
import { closeLines, rejectedSection, withDirection } from './edit.js';
import type { Sdp, SdpSection } from './lines.js';
import { isSecure, mediaLineOf, mediaSummary, type SdpStream } from './media.js';

/** A codec that an endpoint can use; its payload type comes from the offer. */
export interface CodecCapability {
  readonly name: string;
  readonly clockRate: number;
  /** Default 1. */
  readonly channels?: number;
  /** What the answer's `a=fmtp` says. Default: for telephone-event what the offer says, otherwise none. */
  readonly fmtp?: string;
}

/** One stream that an endpoint can have at a time. Two audio streams need two of these, with two ports. */
export interface MediaCapability {
  /** Default `audio`. */
  readonly type?: string;
  /** Default `['RTP/AVP']`. */
  readonly protocols?: readonly string[];
  /** Where it listens. */
  readonly port: number;
  readonly codecs: readonly CodecCapability[];
  /** What the endpoint wants now; the answer takes of it what the offer permits. Default sendrecv. */
  readonly direction?: SdpDirection;
  readonly ptimeMs?: number;
  /** If it differs from the session's. */
  readonly address?: string;
  /** True: only the best codec (with telephone-event) is answered, so that it cannot change in mid-call. Default false. */
  readonly oneCodec?: boolean;
  readonly attributes?: readonly SdpAttribute[];
}

export interface AnswerCapabilities {
  readonly origin: SdpOriginOptions;
  /** Of the session's `c=`; default the origin's. */
  readonly address?: string;
  readonly media: readonly MediaCapability[];
}

/**
 * Makes the answer of an endpoint to an offer (RFC 3264 §6): as many streams as offered, in their order; the codecs that both
 * know, in the offer's order and with its payload types; what matches no capability is refused with port 0. Whether anything
 * was accepted, `hasActiveMedia` tells; if not, 488 is the better response.
 */
export function answerTo(offer: Sdp, capabilities: AnswerCapabilities): Sdp {
  const free = [...capabilities.media];
  const media = mediaSummary(offer).map((stream) => answerStream(stream, free));
  const made = createSdp({
    origin: capabilities.origin,
    ...(capabilities.address === undefined ? {} : { address: capabilities.address }),
    media: [],
  });
  return { ...made, session: withTimesOf(offer, made.session), media };
}

/** The answer's `t=` equals the offer's (RFC 3264 §6). */
function withTimesOf(offer: Sdp, session: SdpSection): SdpSection {
  const times = offer.session.lines.filter((line) => line.type === 't').map((line) => ({ ...line, end: '\r\n' }));
  if (times.length === 0) return session;
  return { lines: session.lines.flatMap((line) => (line.type === 't' ? times : [line])) };
}

function answerStream(stream: SdpStream, free: MediaCapability[]): SdpSection {
  if (stream.active) {
    for (const [i, capability] of free.entries()) {
      if (!fits(stream, capability)) continue;
      const codecs = commonCodecs(stream.codecs, capability);
      if (codecs.length === 0) continue;
      free.splice(i, 1);
      return createMedia({
        type: stream.type,
        port: capability.port,
        protocol: stream.protocol,
        codecs,
        direction: answerDirection(stream.direction, capability.direction ?? 'sendrecv'),
        ...(capability.ptimeMs === undefined ? {} : { ptimeMs: capability.ptimeMs }),
        ...(capability.address === undefined ? {} : { address: capability.address }),
        ...(capability.attributes === undefined ? {} : { attributes: capability.attributes }),
      });
    }
  }
  const { lines } = rejectedSection(stream.section);
  return { lines: lines.map((line) => ({ ...line, end: '\r\n' })) };
}

function fits(stream: SdpStream, capability: MediaCapability): boolean {
  const protocols = capability.protocols ?? ['RTP/AVP'];
  return (
    stream.type.toLowerCase() === (capability.type ?? 'audio').toLowerCase() &&
    protocols.some((protocol) => protocol.toUpperCase() === stream.protocol.toUpperCase())
  );
}

function commonCodecs(offered: readonly SdpCodec[], capability: MediaCapability): SdpCodec[] {
  const common: SdpCodec[] = [];
  for (const codec of offered) {
    const ours = capability.codecs.find((candidate) => sameCodec(candidate, codec));
    if (ours === undefined) continue;
    const { payloadType, name, clockRate, channels } = codec;
    const fmtp = ours.fmtp ?? (codec.name.toLowerCase() === 'telephone-event' ? codec.fmtp : undefined);
    common.push({ payloadType, name, clockRate, channels, ...(fmtp === undefined ? {} : { fmtp }) });
  }
  const main = common.filter((codec) => !isAuxiliary(codec));
  if (main.length === 0) return offered.every(isAuxiliary) ? common : [];
  if (capability.oneCodec !== true) return common;
  const best = main[0] as SdpCodec;
  return common.filter((codec) => codec === best || (isAuxiliary(codec) && codec.clockRate === best.clockRate));
}

/**
 * Answers a later offer with what the same party said before, its directions narrowed to what the offer permits and streams
 * refused that the offer refuses: hold, resume and session refresh of an endpoint whose media stay as they are. Streams that
 * the offer adds are refused.
 * @throws UsageError (PBX_INVALID_ARGUMENT) if the offer has fewer streams than `local`
 */
export function answerAgain(offer: Sdp, local: Sdp, wanted: SdpDirection = 'sendrecv'): Sdp {
  if (offer.media.length < local.media.length) {
    throw new UsageError(
      'PBX_INVALID_ARGUMENT',
      'answerAgain: the offer has fewer m= lines than the local description',
    );
  }
  let answer: Sdp = local;
  for (const stream of mediaSummary(offer)) {
    const own = answer.media[stream.index];
    answer =
      own !== undefined && stream.active && sameType(own, stream)
        ? withDirection(answer, answerDirection(stream.direction, wanted), stream.index)
        : refuse(answer, stream);
  }
  return answer;
}

/** Puts a refusal of the offered stream into its slot. */
function refuse(answer: Sdp, offered: SdpStream): Sdp {
  const end = answer.session.lines[0]?.end === '\n' ? '\n' : '\r\n';
  const refused = { lines: rejectedSection(offered.section).lines.map((line) => ({ ...line, end })) };
  const media = [...answer.media];
  media[offered.index] = refused;
  return closeLines({ ...answer, media });
}

function sameType(own: SdpSection, stream: SdpStream): boolean {
  return mediaLineOf(own).type.toLowerCase() === stream.type.toLowerCase();
}

/**
 * Makes an answer that another party gave to another offer legal for this one: directions narrowed to what §6.1 permits,
 * streams refused that this offer refuses or that are secure in one of the two only, streams added (refused) or left out so
 * that the counts match. What a B2BUA needs
 * before it hands one leg's answer to the other leg.
 */
export function fitAnswer(offer: Sdp, answer: Sdp): Sdp {
  let fitted: Sdp = { ...answer, media: answer.media.slice(0, offer.media.length) };
  for (const stream of mediaSummary(offer)) {
    const own = fitted.media[stream.index];
    if (own !== undefined && stream.active && sameType(own, stream)) {
      const given = mediaSummary(fitted)[stream.index] as SdpStream;
      if (!given.active) continue;
      if (isSecure(given.protocol) !== isSecure(stream.protocol)) {
        fitted = refuse(fitted, stream);
        continue;
      }
      const direction = answerDirection(stream.direction, given.direction);
      if (direction !== given.direction) fitted = withDirection(fitted, direction, stream.index);
    } else if (own === undefined || mediaLineOf(own).port !== 0 || !sameType(own, stream)) {
      fitted = refuse(fitted, stream);
    }
  }
  return fitted;
}
