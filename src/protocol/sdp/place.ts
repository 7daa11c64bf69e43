import { closeLines, rejectedSection } from './edit.js';
import type { Sdp, SdpSection } from './lines.js';
import { mediaSummary, type SdpStream } from './media.js';

/** An offer with its streams in other places. */
export interface PlacedStreams {
  readonly sdp: Sdp;
  /** Where each stream of the offer stands in `sdp`. */
  readonly places: readonly number[];
}

/**
 * The offer of one party to somebody who was told `before` in the same dialog, by whomever (RFC 3264 §8): a stream in use takes the place
 * of one of its medium, best one that was in use; where there is none, its own (a change of medium, §8.3.3), else the last. Places that nobody
 * takes are refused.
 */
export function placeStreams(offer: Sdp, before: Sdp): PlacedStreams {
  const [streams, told] = [mediaSummary(offer), mediaSummary(before)];
  const places = streams.map((_stream, i) => i);
  const stays = (place: SdpStream): boolean => {
    const stream = streams[place.index];
    if (stream === undefined || !sameMedium(stream, place)) return false;
    return stream.active || !place.active || !streams.some((other) => inUse(other, place));
  };
  if (told.every(stays)) return { sdp: offer, places };
  const free = new Set(told);
  const placed = new Map<SdpStream, number>();
  for (const fits of [inUse, sameMedium, samePlace])
    for (const stream of streams) {
      if (placed.has(stream)) continue;
      const choice = [...free].filter((each) => fits(stream, each));
      const place = choice.find(({ index }) => index === stream.index) ?? choice[0];
      if (place === undefined) continue;
      placed.set(stream, place.index);
      free.delete(place);
    }
  const media: SdpSection[] = before.media.map((section) => withEnds(rejectedSection(section)));
  for (const stream of streams) {
    const place = placed.get(stream) ?? media.length;
    places[stream.index] = place;
    media[place] = stream.section;
  }
  return { sdp: closeLines({ ...offer, media: media.map(withEnds) }), places };
}

/** Whether the streams of two descriptions stand in the same places. */
export function sameLayout(a: Sdp, b: Sdp): boolean {
  const [one, other] = [mediaSummary(a), mediaSummary(b)];
  return (
    one.length === other.length && one.every((stream, i) => other[i] !== undefined && sameMedium(stream, other[i]))
  );
}

/** The answer to a placed offer, as one to the offer itself. */
export function unplaceStreams(answer: Sdp, offer: Sdp, { places }: PlacedStreams): Sdp {
  const media = offer.media.map((section, i) => {
    const place = places[i];
    return withEnds((place === undefined ? undefined : answer.media[place]) ?? rejectedSection(section));
  });
  return { ...answer, media };
}

function inUse(stream: SdpStream, place: SdpStream): boolean {
  return stream.active && place.active && sameMedium(stream, place);
}

function samePlace(stream: SdpStream, place: SdpStream): boolean {
  return stream.index === place.index;
}

function sameMedium(a: SdpStream, b: SdpStream): boolean {
  return a.type.toLowerCase() === b.type.toLowerCase();
}

/** A last line without an end gets company. */
function withEnds({ lines }: SdpSection): SdpSection {
  return { lines: lines.map((line) => (line.end === '' ? { ...line, end: '\r\n' } : line)) };
}
