export { beep, chord, type Sine, type ToneSpec, type ToneStep } from '../protocol/audio/tones.js';
export { AudioPipe } from './audio/audio-pipe.js';
export type { AudioSource, EncodedSource, G711Codec, Sound } from './audio/audio-source.js';
export { Broadcast, type BroadcastOptions } from './audio/broadcast.js';
export { sequence } from './audio/sequence.js';
export { silence } from './audio/silence.js';
export { type AudioStream, g711, pcm, wav, wavFile } from './audio/sounds.js';
export { dtmf, tone } from './audio/tone.js';
export type { MediaEngine, MediaExchange } from './media-engine.js';
export { MediaError } from './media-error.js';
export type { MediaEvents, OneWayCause } from './media-events.js';
export type { MediaStats, StreamStats } from './media-stats.js';
export type { MediaTimeouts } from './media-trouble.js';
export { Mixer, type MixerParty, type MixerSeat } from './mixer/mixer.js';
export {
  DEFAULT_RTP_PORTS,
  type PortPair,
  PortPool,
  type PortPoolOptions,
  type PortPoolStats,
  type PortRange,
} from './port-pool.js';
export { fileSink } from './recording/file-sink.js';
export { blobSink, MemorySink } from './recording/memory-sink.js';
export { Recorder, type RecordOptions, type RecordResult } from './recording/recorder.js';
export type { RecordingSink } from './recording/recording-sink.js';
export { MediaRelay, type MediaRelayOptions, type MediaRelayStats } from './relay/media-relay.js';
export type { RelayCounters } from './relay/relay-counters.js';
export type { LearningRule } from './relay/source-latch.js';
export { RtpPorts, type RtpPortsOptions } from './rtp-ports.js';
export type { InstanceOption } from './rtpengine/instance-url.js';
export { MediaEngineError } from './rtpengine/media-engine-error.js';
export type { RtpEngineOptions } from './rtpengine/options.js';
export { RtpEngine } from './rtpengine/rtpengine.js';
export type { AgreedAudio } from './session/agreed-audio.js';
export type { CollectOptions, CollectResult } from './session/digit-collector.js';
export type { DigitWay } from './session/digit-gate.js';
export type { SendDigitsOptions } from './session/key-sender.js';
export { MediaClock, type MediaClockOptions } from './session/media-clock.js';
export { MediaSession } from './session/media-session.js';
export type {
  AudioListener,
  AudioTap,
  MediaSessionEvents,
  MediaSessionOptions,
  MediaSessionStats,
} from './session/media-session-options.js';
export { Player, type PlayOptions } from './session/player.js';
export { type PlayControls, Playing, type PlayResult } from './session/playing.js';
