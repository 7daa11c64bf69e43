import { attributesOf, sameCodec } from '../protocol/sdp/attributes.js';
import { withDirection } from '../protocol/sdp/edit.js';
import { parseSdp, type Sdp, sdpText } from '../protocol/sdp/lines.js';
import { hasActiveMedia, mediaSummary, type SdpStream } from '../protocol/sdp/media.js';
import { SdpParseError } from '../protocol/sdp/parse-error.js';
import { placeStreams, sameLayout, unplaceStreams } from '../protocol/sdp/place.js';
import { unlessFaulty } from './media-fault.js';

/**
 * What a party said to one peer, as an offer to another: every stream in both directions, because who was on hold before
 * is not with the new peer. `before` is what the new peer was told until now: streams stay in place (RFC 3264 §8).
 * What cannot be read stays as it is.
 */
export function asNewOffer(said: string, before: string | undefined): string {
  return edited(said, (sdp) => {
    let offer = sdp;
    for (const stream of mediaSummary(sdp)) {
      if (stream.active) offer = withDirection(offer, 'sendrecv', stream.index);
    }
    return before === undefined ? offer : placeStreams(offer, parseSdp(before)).sdp;
  });
}

/** An offer as it is told to a peer, and what the peer's answer is to whoever made the offer. */
export interface Placed {
  readonly offer: string;
  answer(told: string): string;
}

/**
 * `offer` for a peer that was told `before` in its dialog until now, by whomever: as many streams, each in the place of its medium
 * (RFC 3264 §8). The answer to it has the streams of the offer, in their order (§6). What cannot be read stays as it is.
 */
export function inPlace(offer: string, before: string | undefined): Placed {
  const placed = before === undefined ? undefined : unlessFaulty(() => place(parseSdp(offer), parseSdp(before)));
  return placed ?? { offer, answer: (told) => told };
}

/** As `inPlace`, between two that talk: where the streams of both stand alike, what one offers is offered to the other as it is. */
export function inPlaceOf(offer: string, from: string | undefined, to: string | undefined): Placed {
  const alike = from === undefined || to === undefined || unlessFaulty(() => sameLayout(parseSdp(from), parseSdp(to)));
  return inPlace(offer, alike === true ? undefined : to);
}

function place(own: Sdp, told: Sdp): Placed | undefined {
  const placed = placeStreams(own, told);
  if (placed.sdp === own) return undefined;
  return {
    offer: sdpText(placed.sdp),
    answer: (answer) => edited(answer, (sdp) => unplaceStreams(sdp, own, placed)),
  };
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
  return unlessFaulty(() => sdpText(edit(parseSdp(text)))) ?? text;
}
