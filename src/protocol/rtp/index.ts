export { type DatagramKind, datagramKind, isRtcp } from './demultiplex.js';
export { EventReceiver, type KeyEvent } from './event-receiver.js';
export { type EventPacket, EventSender, type EventSenderOptions, type PressOptions } from './event-sender.js';
export { compactNtp, delaySinceLast, epochMillis, type NtpTime, ntpTime, roundTripMs } from './ntp.js';
export {
  isRtp,
  isRtpHeader,
  marker,
  payloadEnd,
  payloadOffset,
  payloadType,
  RTP_HEADER_BYTES,
  type RtpHeader,
  rtpHeader,
  sequenceOf,
  setMarker,
  setPayloadType,
  setSequence,
  setSsrc,
  setTimestamp,
  ssrcOf,
  timestampOf,
  writeRtp,
} from './packet.js';
export { type ReceiverSnapshot, ReceiverStatistics } from './receiver-statistics.js';
export { type RewriterOptions, StreamRewriter } from './rewriter.js';
export { type OtherRtcp, type RtcpPacket, readRtcp, writeRtcp } from './rtcp.js';
export type { Goodbye } from './rtcp-bye.js';
export { averageRtcpSize, type RtcpSituation, rtcpInterval } from './rtcp-interval.js';
export type { ReceiverReport, ReceptionQuality, ReportBlock, SenderReport } from './rtcp-report.js';
export { CNAME, type SdesChunk, type SdesItem, type SourceDescription } from './rtcp-sdes.js';
export {
  extendSequence,
  MIN_SEQUENTIAL,
  type SequenceVerdict,
  SequenceTracker,
  sequenceDelta,
  timestampDelta,
} from './sequence.js';
export {
  codeOf,
  digitOf,
  readTelephoneEvent,
  type TelephoneEvent,
  writeTelephoneEvent,
} from './telephone-event.js';
export { meanOpinionScore, type NetworkImpairment, transmissionRating } from './voice-quality.js';
