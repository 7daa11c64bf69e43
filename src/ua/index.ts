export type { HopProtocol } from '../resolver/hop-target.js';
export { type ResolvedHop, Resolver, type ResolverLimits, type ResolverOptions } from '../resolver/resolver.js';
export { OutgoingAck } from './ack.js';
export type { Capabilities } from './capabilities.js';
export type { ChallengingPeer, CredentialSource, PasswordSecret, SecretRequest } from './credential-source.js';
export {
  type ChallengeKind,
  type ChallengeOptions,
  DigestChallenger,
  type DigestChallengerOptions,
  type Verdict,
  type VerifyOptions,
} from './digest-challenger.js';
export { type AnsweredChallenges, type ChallengedRequest, DigestClient } from './digest-client.js';
export { IncomingRequest, type RespondOptions } from './incoming.js';
export type { NextHopResolver } from './next-hop.js';
export type { Refusal } from './refusal.js';
export { type RequestSource, type RequestTaker, Uas, type UasOptions } from './request-chain.js';
export type {
  FlowRef,
  Lease,
  LeaseOutcome,
  OtherFlow,
  SendTarget,
  Source,
  Target,
  TargetPolicy,
  TransportProtocol,
} from './target.js';
export {
  type SentAck,
  type StrayKey,
  type StrayListener,
  Uac,
  type UacOptions,
  type UacResult,
} from './uac.js';
export type { UacFailure, UacHandlers, UacRequest } from './uac-request.js';
