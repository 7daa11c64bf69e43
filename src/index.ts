export { type AddressAdvisor, type AddressQuestion, localAddressAdvisor } from './base/address-advisor.js';
export { type Clock, type EpochMillis, type Millis, systemClock } from './base/clock.js';
export { ConfigError, type ConfigProblem } from './base/config-error.js';
export {
  AbortedError,
  CertificateError,
  type ErrorCode,
  type ErrorKind,
  PbxkitError,
  UsageError,
} from './base/errors.js';
export { type Events, TypedEmitter } from './base/events.js';
export type { SocketAddress } from './base/ip.js';
export { type Logger, type LogMethod, silentLogger } from './base/logger.js';
export { type Random, SystemRandom } from './base/random.js';
export { type Cancel, type Scheduler, SystemScheduler, type SystemSchedulerOptions } from './base/scheduler.js';
export { DEFAULT_TENANT, type TenantId } from './base/tenant.js';
export type { CallRecord, LegOutcome, LegRecord, ReleasedBy, TransferRecord } from './call/call-record.js';
export { type CallEvents, CallService, type CallServiceOptions } from './call/call-service.js';
export type { LiveCall } from './call/context.js';
export { type CallHandler, HandledCall, type HandledCallParts } from './call/handled-call.js';
export type { CallJournal, CallSnapshot, LegSnapshot } from './call/journal.js';
export type { Destination, RouteContext, Router } from './call/route.js';
export type { TransferAttempt } from './call/transfer-host.js';
export type { DialogContext, DialogUsage } from './dialog/context.js';
export {
  Dialog,
  type DialogId,
  type DialogRequestOptions,
  type DialogSnapshot,
  type DialogState,
  type DialogTarget,
} from './dialog/dialog.js';
export { DialogLayer, type DialogLayerOptions } from './dialog/dialog-layer.js';
export { type EarlyHandlers, EarlySession } from './dialog/early-session.js';
export {
  type Abandoned,
  type AcceptOptions,
  IncomingInvite,
  type ProgressOptions,
  type RejectOptions,
} from './dialog/incoming-invite.js';
export { IncomingModify } from './dialog/incoming-modify.js';
export {
  InviteSession,
  type RequestResult,
  type SessionEnd,
  type SessionHandlers,
  type SessionSnapshot,
} from './dialog/invite-session.js';
export type { ModifyOptions } from './dialog/modifications.js';
export type { Agreed } from './dialog/negotiation.js';
export { type EventState, Notifier, type NotifierOptions, type SubscriptionSeconds } from './dialog/notifier.js';
export type { TerminationReason } from './dialog/notify-sender.js';
export {
  type Answer,
  type InviteFailure,
  OutgoingInvite,
  type OutgoingInviteHandlers,
  type OutgoingInviteOptions,
  type Progress,
} from './dialog/outgoing-invite.js';
export { type ModifyResult, OutgoingModify } from './dialog/outgoing-modify.js';
export type { DialogPolicies, SessionTimerPolicy } from './dialog/policies.js';
export { type ReferStatus, ReferSubscription } from './dialog/refer-subscription.js';
export {
  Subscriber,
  type SubscriberHandlers,
  type SubscriberOptions,
  type SubscriptionEnd,
} from './dialog/subscriber.js';
export type { KnownNames, PlanProblem } from './dialplan/check.js';
export type { DecidedRoute, PlanCall, RouteDecision } from './dialplan/decision.js';
export { type CallNumbers, DialPlan } from './dialplan/dial-plan.js';
export { DialPlanError } from './dialplan/dial-plan-error.js';
export type { Explanation, PlanStep } from './dialplan/explanation.js';
export { FEATURE_CODES, type FeatureCode } from './dialplan/feature-code.js';
export {
  extension,
  group,
  line,
  peer,
  type Route,
  reject,
  type ServiceName,
  service,
  trunk,
} from './dialplan/route.js';
export type {
  BlackListRule,
  CalledRule,
  CallerRule,
  DialPlanRules,
  RefineRule,
  TransformRef,
} from './dialplan/rules.js';
export type { TimeCondition, Weekday } from './dialplan/time-condition.js';
export {
  appendDigits,
  applyTransform,
  deleteDigits,
  describeTransform,
  insertDigits,
  keepDigits,
  replaceDigits,
  sequence,
  type Transform,
} from './dialplan/transform.js';
export type { Directory } from './directory/directory.js';
export { type Extension, type ExtensionOptions, extensionFrom } from './directory/extension.js';
export { MemoryDirectory } from './directory/memory-directory.js';
export { StoredDirectory } from './directory/stored-directory.js';
export { checkMail, type Mail, type MailAttachment } from './mailer/mail.js';
export { MailError, type MailErrorDetails, type Mailer } from './mailer/mailer.js';
export { MemoryMailer, type MemoryMailerOptions } from './mailer/memory-mailer.js';
export { Outbox } from './mailer/outbox.js';
export type { OutboxEvents } from './mailer/outbox-events.js';
export {
  DEFAULT_OUTBOX_LIMITS,
  type OutboxLimits,
  type OutboxOptions,
  type OutboxRetry,
} from './mailer/outbox-options.js';
export { AudioPipe } from './media/audio/audio-pipe.js';
export type { AudioSource, Sound } from './media/audio/audio-source.js';
export { Broadcast } from './media/audio/broadcast.js';
export { sequence as soundSequence } from './media/audio/sequence.js';
export { silence } from './media/audio/silence.js';
export { g711, pcm, wav, wavFile } from './media/audio/sounds.js';
export { dtmf, tone } from './media/audio/tone.js';
export type { MediaEngine, MediaExchange } from './media/media-engine.js';
export { MediaError } from './media/media-error.js';
export type { MediaEvents, OneWayCause } from './media/media-events.js';
export type { MediaStats, StreamStats } from './media/media-stats.js';
export { Mixer, type MixerParty, type MixerSeat } from './media/mixer/mixer.js';
export { fileSink } from './media/recording/file-sink.js';
export { blobSink, MemorySink } from './media/recording/memory-sink.js';
export type { RecordOptions, RecordResult } from './media/recording/recorder.js';
export type { RecordingSink } from './media/recording/recording-sink.js';
export { MediaRelay, type MediaRelayOptions, type MediaRelayStats } from './media/relay/media-relay.js';
export type { CollectOptions, CollectResult } from './media/session/digit-collector.js';
export type { DigitWay } from './media/session/digit-gate.js';
export type { SendDigitsOptions } from './media/session/key-sender.js';
export { MediaSession } from './media/session/media-session.js';
export type { PlayOptions } from './media/session/player.js';
export type { Playing, PlayResult } from './media/session/playing.js';
export type { MappingBehaviour } from './nat/behaviour.js';
export type { NatEvents } from './nat/events.js';
export type { ExternalAddressOptions, StunServerSettings } from './nat/options.js';
export { StunServer, type StunServerOptions, type StunServerStats } from './nat/stun-server.js';
export type { DnsQueryOptions, HostAddress, NameService, NaptrRecord, SrvRecord } from './net/dns.js';
export { DnsError, ListenError, type ListenProtocol } from './net/errors.js';
export type {
  Network,
  TcpConnection,
  TcpConnectOptions,
  TcpHandlers,
  TcpListener,
  TcpListenOptions,
  UdpOptions,
  UdpSocket,
} from './net/network.js';
export type { NodeDnsOptions } from './net/node-dns.js';
export { NodeNetwork } from './net/node-network.js';
export { PbxConfigError } from './pbx/config-error.js';
export type { PbxEvents } from './pbx/events.js';
export type {
  CallOptions,
  MediaSettings,
  PbxChanges,
  PbxLimits,
  PbxOptions,
  RegistrationOptions,
  SessionTimerSettings,
} from './pbx/options.js';
export { createPbx, Pbx } from './pbx/pbx.js';
export type { PbxMediaStats } from './pbx/pbx-media.js';
export type { OnCall } from './pbx/served-numbers.js';
export type { PbxStats } from './pbx/stats.js';
export type {
  EventPackage,
  EventSource,
  SubscribeRequest,
  Subscription,
  SubscriptionRefusal,
} from './presence/event-package.js';
export { SubscriptionService, type SubscriptionServiceOptions } from './presence/subscription-service.js';
export { G711 } from './protocol/audio/g711.js';
export {
  isToneCountry,
  TONE_COUNTRIES,
  type ToneCountry,
  type TonePlan,
  tonePlan,
} from './protocol/audio/tone-plans.js';
export { beep, chord, type ToneSpec } from './protocol/audio/tones.js';
export { DIGEST_ALGORITHMS, type DigestAlgorithm } from './protocol/digest/algorithm.js';
export { type DigestSecret, makeSecret } from './protocol/digest/compute.js';
export { SdpParseError } from './protocol/sdp/parse-error.js';
export type {
  AuthValue,
  ContactValue,
  CSeq,
  DeltaWithParams,
  EventValue,
  HeaderName,
  HeaderValues,
  InfoUri,
  MediaType,
  RAck,
  Reason,
  ReferSub,
  Replaces,
  RetryAfter,
  SubscriptionState,
  TargetDialog,
  Timestamp,
  TokenWithParams,
  Via,
  Warning,
} from './protocol/sip/header/registry.js';
export { SipHeaders } from './protocol/sip/headers.js';
export {
  type BodySpan,
  createRequest,
  createResponse,
  type HeaderInit,
  type SipMessage,
  SipRequest,
  SipResponse,
} from './protocol/sip/message.js';
export type { NameAddr } from './protocol/sip/name-addr.js';
export type { Param, Params } from './protocol/sip/params.js';
export { type ParseLimits, parseMessage } from './protocol/sip/parse.js';
export { type PartialMessage, SipParseError, type SipParseErrorOptions } from './protocol/sip/parse-error.js';
export { printMessage } from './protocol/sip/print.js';
export { formatUri, type OtherUri, parseUri, type SipUri, sipUri, type TelUri, type Uri } from './protocol/sip/uri.js';
export type { Binding, BindingChange, Flow, RemovalReason } from './registrar/binding.js';
export type { BindingPolicy, ExpiryPolicy } from './registrar/bindings.js';
export { type ExtensionFinder, Registrar, type RegistrarEvents, type RegistrarOptions } from './registrar/registrar.js';
export type { DnsLimits } from './resolver/dns-cache.js';
export type { HopProtocol } from './resolver/hop-target.js';
export { type ResolvedHop, Resolver, type ResolverLimits, type ResolverOptions } from './resolver/resolver.js';
export {
  CallerAuthentication,
  type CallerAuthenticationOptions,
  type RefusedCaller,
} from './security/caller-authentication.js';
export {
  type AuthorityOptions,
  type CertificateAuthority,
  createCertificateAuthority,
  type IssueOptions,
  type KeyType,
} from './security/certificate-authority.js';
export {
  type CertificateInfo,
  type CertificatePair,
  describeCertificate,
  loadCertificate,
} from './security/certificates.js';
export type { BlobContent, BlobInfo, BlobStore } from './storage/blob-store.js';
export { BlobNotFoundError, StorageError, VersionConflictError } from './storage/errors.js';
export type { Json } from './storage/json.js';
export { type MemoryStorageOptions, memoryStorage } from './storage/memory-storage.js';
export type {
  DeleteOptions,
  Durability,
  PutOptions,
  RecordChange,
  RecordOperation,
  RecordStore,
  ScanOptions,
  StoredRecord,
} from './storage/record-store.js';
export type { Storage } from './storage/storage.js';
export type { ClientEffect, ServerEffect } from './transaction/effects.js';
export { InviteClientMachine, type InviteClientState } from './transaction/invite-client.js';
export { InviteServerMachine, type InviteServerState } from './transaction/invite-server.js';
export {
  type ClientHandlers,
  type ClientTransaction,
  type SentAck,
  type SentResponse,
  type ServerTransaction,
  type TransactionHandlers,
  TransactionLayer,
  type TransactionLayerOptions,
  type TransactionLimits,
  type TransactionTransport,
} from './transaction/layer.js';
export { NonInviteClientMachine, type NonInviteClientState } from './transaction/non-invite-client.js';
export { NonInviteServerMachine, type NonInviteServerState } from './transaction/non-invite-server.js';
export {
  NON_INVITE_TRYING_AFTER,
  T1,
  T2,
  T4,
  TIMER_D,
  TRANSACTION_TIMEOUT,
  TRYING_AFTER,
} from './transaction/timers.js';
export {
  type ContactAddress,
  type FlowRef,
  type Hop,
  type Listening,
  type ListenPoint,
  type MalformedMessage,
  type OutgoingHandlers,
  type OutgoingRequest,
  type Source,
  TransportError,
  type TransportHandlers,
  TransportLayer,
  type TransportLayerOptions,
  type TransportLimits,
  type TransportProtocol,
  type TransportStats,
} from './transport/layer.js';
export { DEFAULT_TRANSPORT_LIMITS } from './transport/limits.js';
export type { TransportCounters } from './transport/stats.js';
export type { TrunkCallOptions } from './trunk/call-options.js';
export type { CarrierOptions } from './trunk/carrier-options.js';
export type { TrunkEvents } from './trunk/events.js';
export type { LineFault, LineFaultKind } from './trunk/fault.js';
export type { InboundPeer } from './trunk/inbound.js';
export type { LineOptions } from './trunk/line-options.js';
export type { LineState } from './trunk/line-parts.js';
export type { LinesAndTrunks } from './trunk/lines-and-trunks.js';
export type { TrunkManagerOptions } from './trunk/manager-options.js';
export {
  type AttemptFailure,
  failsOver,
  type Selected,
  type Selection,
  type SelectionStrategy,
  type SkipReason,
} from './trunk/selection.js';
export type { TrunkState } from './trunk/sip-trunk.js';
export { TrunkConfigError } from './trunk/trunk-config-error.js';
export {
  type LineStatus,
  type SelectOptions,
  TrunkManager,
  type TrunkStatus,
} from './trunk/trunk-manager.js';
export type { TrunkOptions } from './trunk/trunk-options.js';
export { OutgoingAck } from './ua/ack.js';
export type { Capabilities } from './ua/capabilities.js';
export type { ChallengingPeer, CredentialSource, PasswordSecret, SecretRequest } from './ua/credential-source.js';
export {
  type ChallengeKind,
  type ChallengeOptions,
  DigestChallenger,
  type DigestChallengerOptions,
  type Verdict,
  type VerifyOptions,
} from './ua/digest-challenger.js';
export { type AnsweredChallenges, type ChallengedRequest, DigestClient } from './ua/digest-client.js';
export { IncomingRequest, type RespondOptions } from './ua/incoming.js';
export type { NextHopResolver } from './ua/next-hop.js';
export type { Refusal } from './ua/refusal.js';
export { type RequestSource, type RequestTaker, Uas, type UasOptions } from './ua/request-chain.js';
export type { Lease, LeaseOutcome, OtherFlow, SendTarget, Target, TargetPolicy } from './ua/target.js';
export {
  type StrayKey,
  type StrayListener,
  Uac,
  type UacOptions,
  type UacResult,
} from './ua/uac.js';
export type { UacFailure, UacHandlers, UacRequest } from './ua/uac-request.js';
