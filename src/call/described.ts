import { attributesOf, sameCodec } from '../protocol/sdp/attributes.js';
import { padMedia, withDirection } from '../protocol/sdp/edit.js';
import { parseSdp, type Sdp, sdpText } from '../protocol/sdp/lines.js';
import { hasActiveMedia, mediaSummary, type SdpStream } from '../protocol/sdp/media.js';
import { SdpParseError } from '../protocol/sdp/parse-error.js';

/**
 * What a party said to one peer, as an offer to another: every stream in both directions, because who was on hold before
 * is not with the new peer. `before` is what the new peer was told until now: streams are never fewer (RFC 3264 §8).
 * What cannot be read stays as it is.
 */
export function asNewOffer(said: string, before: string | undefined): string {
  return edited(said, (sdp) => {
    let offer = sdp;
    for (const stream of mediaSummary(sdp)) {
      if (stream.active) offer = withDirection(offer, 'sendrecv', stream.index);
    }
    return before === undefined ? offer : padMedia(offer, parseSdp(before));
  });
}

/** `offer` with as many streams as the peer was told until now (RFC 3264 §8); what cannot be read stays as it is. */
export function withAllStreams(offer: string, before: string | undefined): string {
  return before === undefined ? offer : edited(offer, (sdp) => padMedia(sdp, parseSdp(before)));
}

/** `answer` with no more streams than `offer` has (RFC 3264 §6): those that were added for who gave it stay with that one. */
export function asAnswerTo(offer: string, answer: string): string {
  return edited(answer, (sdp) => ({ ...sdp, media: sdp.media.slice(0, parseSdp(offer).media.length) }));
}

/** Whether a description has a stream in use; true when it cannot be read. */
export function offersMedia(sdp: string): boolean {
  try {
    return hasActiveMedia(parseSdp(sdp));
  } catch (error) {
    if (error instanceof SdpParseError) return true;
    throw error;
  }
}

/** What of a stream the other side must know; formats apart. */
const TELLING = new Set([
  'candidate',
  'crypto',
  'fingerprint',
  'ice-lite',
  'ice-pwd',
  'ice-ufrag',
  'rtcp',
  'rtcp-mux',
  'setup',
]);

/**
 * Whether a peer who was told `told` need not be told `now`: where to send, which way and under what keys is the same, and
 * every format was named before. False when one of them cannot be read.
 */
export function nothingNew(told: string, now: string): boolean {
  if (told === now) return true;
  try {
    const [before, after] = [parseSdp(told), parseSdp(now)];
    const known = mediaSummary(before);
    return mediaSummary(after).every((stream, index) => {
      const old = known[index];
      if (old === undefined) return !stream.active;
      return sameStream(old, stream) && tellingOf(before, index) === tellingOf(after, index);
    });
  } catch (error) {
    if (error instanceof SdpParseError) return false;
    throw error;
  }
}

function sameStream(old: SdpStream, now: SdpStream): boolean {
  if (!old.active && !now.active) return true;
  return (
    old.port === now.port &&
    old.protocol === now.protocol &&
    old.address === now.address &&
    old.direction === now.direction &&
    now.formats.every((format) => old.formats.includes(format)) &&
    now.codecs.every((codec) =>
      old.codecs.some((each) => each.payloadType === codec.payloadType && sameCodec(each, codec)),
    )
  );
}

function tellingOf(sdp: Sdp, index: number): string {
  const section = sdp.media[index];
  const attributes = [...attributesOf(sdp.session), ...(section === undefined ? [] : attributesOf(section))];
  return attributes
    .filter(({ name }) => TELLING.has(name))
    .map(({ name, value = '' }) => `${name}:${value}`)
    .sort()
    .join('\n');
}

function edited(text: string, edit: (sdp: Sdp) => Sdp): string {
  try {
    return sdpText(edit(parseSdp(text)));
  } catch (error) {
    if (error instanceof SdpParseError) return text;
    throw error;
  }
}
