import { errorText, PbxkitError } from '../base/errors.js';
import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import { Mailbox } from '../base/mailbox.js';
import type { Cancel } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { NO_PARAMS } from '../protocol/sip/params.js';
import type { SipUri } from '../protocol/sip/uri.js';
import type { DigestClient } from '../ua/digest-client.js';
import type { FlowRef, HostPort, SendTarget } from '../ua/target.js';
import type { UacResult } from '../ua/uac.js';
import type { LineFault } from './fault.js';
import { LineCredentials } from './line-credentials.js';
import { credentialsHash, isSameCredentials, type LineMemory, type Suspension } from './line-memory.js';
import type { Account } from './line-options.js';
import type { LineParts, LineState } from './line-parts.js';
import { PeerAddresses } from './peer-addresses.js';
import { readRegisterAnswer } from './register-answer.js';
import { type Observed, registerRequest } from './register-request.js';
import { type RegisterAnswer, Registration, type RegistrationEffect } from './registration.js';
import { sameConfig } from './same-config.js';

/** One external line: keeps its account registered at the carrier, as long as the carrier wants it. */
export class ExternalLine {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly account: Account;
  readonly credentials: LineCredentials;
  readonly #parts: LineParts;
  readonly #addresses: PeerAddresses;
  readonly #registration: Registration;
  readonly #logger: Logger;
  /** Writes in order. */
  readonly #writes = new Mailbox();
  readonly #onClosed: (() => void)[] = [];
  /** Ends what is under way when the line is closed. */
  readonly #abort = new AbortController();
  readonly #digest: DigestClient | undefined;
  readonly #callId: string;
  #token = '';
  #sequence = 0;
  #observed: Observed | undefined;
  #stale: readonly NameAddr[] = [];
  #serviceRoute: readonly NameAddr[] = [];
  /** What the Contact names that the registrar knows us by. */
  #contact: Observed | undefined;
  /** The flow that the last grant came by. */
  #flow: FlowRef | undefined;
  #suspension: Suspension | undefined;
  #cancelWakeUp: Cancel = () => {};

  constructor(tenantId: TenantId, name: string, account: Account, parts: LineParts) {
    const { random, pace, maxRefusals, maxFailures, goodbyeMs } = parts;
    this.tenantId = tenantId;
    this.name = name;
    this.account = account;
    this.#parts = parts;
    this.#logger = parts.logger.child({ tenantId, line: name });
    this.#addresses = new PeerAddresses(parts.resolver);
    const { authorizationId: username, password, realms, expiresSeconds } = account;
    const peers = { has: (address: string) => this.isPeer(address) };
    this.credentials = new LineCredentials({ username, password, realms, peers, logger: this.#logger });
    this.#digest = parts.uac.digestFor({ credentials: this.credentials.forRegister });
    this.#callId = random.token(128);
    this.#registration = new Registration({ random, pace, maxRefusals, maxFailures, goodbyeMs, expiresSeconds });
  }

  /** The user part of this line's Contact: a request for it came by this line, and no other. Empty before `start`. */
  get token(): string {
    return this.#token;
  }

  get state(): LineState {
    const { state, expiresAt, fault } = this.#registration;
    if (state === 'closed' || state === 'leaving') return { kind: 'closed' };
    if (this.#suspension !== undefined) return { kind: 'suspended', ...this.#suspension };
    if (expiresAt !== undefined) {
      const expiresInMs = expiresAt - this.#parts.scheduler.now();
      return { kind: 'registered', expiresInMs, ...(fault === undefined ? {} : { fault }) };
    }
    return fault === undefined ? { kind: 'registering' } : { kind: 'failing', fault };
  }

  /** The preloaded Route of this line's requests: the outbound proxy, then what the registrar named (RFC 3608 §6.1). */
  get route(): readonly NameAddr[] {
    const { proxy } = this.account;
    return proxy === undefined ? this.#serviceRoute : [{ uri: proxy, params: NO_PARAMS }, ...this.#serviceRoute];
  }

  /** Where the registrar sees us, for the Contact of calls; undefined: at our own address, or it is not known. */
  get contactAddress(): HostPort | undefined {
    const observed = this.#observed;
    return observed === undefined ? undefined : { host: observed.address, port: observed.port };
  }

  /** Whether that address is the carrier's: one that its names have led to of late, or that the configuration names. */
  isPeer(address: string): boolean {
    return this.#addresses.has(address) || this.#parts.isListed(address);
  }

  /** Begins to register; a line that was suspended with these very credentials stays so. @throws what the store throws */
  async start(): Promise<void> {
    const { memories, random } = this.#parts;
    const memory = await memories.load(this.tenantId, this.name);
    this.#token = memory?.token ?? random.token();
    if (memory?.suspended !== undefined && isSameCredentials(this.account, memory)) {
      const { fault, at } = memory.suspended;
      this.#suspension = { fault, at };
    } else if (memory === undefined || memory.suspended !== undefined) {
      await memories.save(this.tenantId, this.name, { token: this.#token });
    }
    this.#registration.start(this.#parts.scheduler.now(), this.#suspension?.fault);
    this.#sleep();
  }

  /** Ends the suspension, if there is one: it is forgotten first, then the line registers. @throws what the store throws */
  async resume(): Promise<boolean> {
    if (this.#suspension === undefined) return false;
    await this.#writes.run(() => this.#remember());
    this.#suspension = undefined;
    this.#registration.resume(this.#parts.scheduler.now());
    this.#sleep();
    return true;
  }

  /** A connection has closed. If it was the one that the registrar knows the line by, the line registers anew. */
  flowClosed({ connectionId }: FlowRef): void {
    if (connectionId === undefined || connectionId !== this.#flow?.connectionId) return;
    this.#flow = undefined;
    this.#registration.hurry(this.#parts.scheduler.now());
    this.#sleep();
  }

  /**
   * Peers outside were told `before` for a socket of ours, and are told `now`. If the registrar is, the line registers anew, at its place
   * among the others. Returns the connection that is dead by that, if the line has one: a NAT with another address knows no connection.
   */
  addressChanged(before: SocketAddress, now: SocketAddress): FlowRef | undefined {
    const contact = this.#observed ?? this.#contact;
    const affected = contact === undefined || isAffected(contact, before, now);
    // A REGISTER under way may name another Contact than the one that was granted last.
    if (!affected && this.#registration.state !== 'trying') return undefined;
    this.#registration.moved(this.#parts.scheduler.now());
    this.#sleep();
    if (!affected) return undefined;
    this.#observed = undefined;
    return before.address === now.address || this.#flow?.connectionId === undefined ? undefined : this.#flow;
  }

  /** Removes the registration at the carrier and ends; waits for its answer no longer than `goodbyeMs`. */
  async close(): Promise<void> {
    if (this.#registration.state !== 'closed') {
      await new Promise<void>((resolve) => {
        this.#onClosed.push(resolve);
        this.#run(this.#registration.close(this.#parts.scheduler.now()));
      });
    }
    await this.#writes.idle();
  }

  #sleep(): void {
    this.#cancelWakeUp();
    const { nextDeadline } = this.#registration;
    if (nextDeadline === undefined) this.#cancelWakeUp = () => {};
    else {
      const { scheduler } = this.#parts;
      this.#cancelWakeUp = scheduler.at(nextDeadline, () => this.#run(this.#registration.onDeadline(scheduler.now())));
    }
  }

  #run(effects: readonly RegistrationEffect[]): void {
    this.#sleep();
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: RegistrationEffect): void {
    const { events } = this.#parts;
    const event = { tenantId: this.tenantId, line: this.name };
    switch (effect.type) {
      case 'register':
        this.#register(effect.expiresSeconds);
        return;
      case 'registered':
        events.emit('line.registered', { ...event, expiresSeconds: effect.expiresSeconds });
        return;
      case 'failed':
        events.emit('line.failed', { ...event, fault: effect.fault, retryInMs: effect.retryInMs });
        return;
      case 'suspended':
        this.#suspended(effect.fault);
        return;
      case 'unregistered':
        this.#serviceRoute = [];
        events.emit('line.unregistered', { ...event, reason: effect.reason });
        return;
      case 'closed':
        this.#abort.abort();
        for (const resolve of this.#onClosed.splice(0)) resolve();
    }
  }

  /** Sends one REGISTER; whatever becomes of it comes back as an answer. */
  #register(expiresSeconds: number): void {
    // What the names lead to now is who may challenge, so it is looked up before the UAC does.
    this.#addresses
      .refresh(this.#nextHops())
      .then(() => this.#send(expiresSeconds))
      .catch(asUnreachable)
      .then((result) => this.#answered(result, expiresSeconds))
      .catch((error: unknown) => this.#logger.error({ err: error }, `a REGISTER was lost: ${errorText(error)}`));
  }

  #nextHops(): readonly SipUri[] {
    const { server, proxy } = this.account;
    const first = this.#serviceRoute[0]?.uri;
    // Calls go to the service route's first hop, which may challenge them.
    return proxy === undefined && first?.kind === 'sip' ? [server, first] : [proxy ?? server];
  }

  #send(expiresSeconds: number): Promise<UacResult> {
    const { random, uac } = this.#parts;
    const { callId, server, proxy } = this.account;
    const request = registerRequest({
      account: this.account,
      callId: callId === 'same' ? this.#callId : random.token(128),
      sequence: ++this.#sequence,
      fromTag: random.token(64),
      expiresSeconds,
      token: this.#token,
      observed: this.#observed,
      stale: this.#stale,
    });
    const target: SendTarget = {
      ...(proxy === undefined ? { nextHop: server } : { route: [{ uri: proxy, params: NO_PARAMS }] }),
      ...(this.#observed === undefined ? { contactUser: this.#token } : {}),
      ...(this.#digest === undefined ? {} : { digest: this.#digest }),
    };
    this.credentials.begin();
    const onRetry = (again: SipRequest): void => {
      this.#sequence = again.cseq.sequence;
    };
    return uac.request(request, target, { signal: this.#abort.signal, onRetry });
  }

  #answered(result: UacResult, expiresSeconds: number): void {
    if (this.#registration.state === 'closed') return;
    const { answer, granted } = readRegisterAnswer(result, {
      token: this.#token,
      observed: this.#observed,
      expiresSeconds,
      rewriteContact: this.account.rewriteContact,
      unanswered: this.credentials.unanswered,
    });
    if (answer.kind === 'granted') {
      this.credentials.accepted();
      this.#observed = granted.observed ?? this.#observed;
      this.#stale = granted.stale;
      this.#follow(granted.serviceRoute);
      this.#contact = granted.observed ?? granted.used;
      this.#flow = result.kind === 'response' ? result.source.flow : undefined;
    } else if (answer.kind === 'failed') this.#failed(answer);
    this.#run(this.#registration.onAnswer(answer, this.#parts.scheduler.now()));
  }

  /** What a 2xx names is the service route, and nothing if it names none (RFC 3608 §6.1). */
  #follow(serviceRoute: readonly NameAddr[]): void {
    const known = this.#serviceRoute;
    this.#serviceRoute = serviceRoute;
    if (serviceRoute.length === 0 || sameConfig(known, serviceRoute)) return;
    // Its first hop may challenge the next call already.
    this.#addresses
      .refresh(this.#nextHops())
      .catch((error: unknown) =>
        this.#logger.warn({ err: error }, `the service route leads nowhere: ${errorText(error)}`),
      );
  }

  #failed({ fault }: RegisterAnswer & { readonly kind: 'failed' }): void {
    // The next attempt is one of its own: what this one knew of nonces and of the way may be what was wrong with it.
    this.credentials.rejected();
    this.#digest?.forget();
    this.#observed = undefined;
    this.#stale = [];
    if (fault.kind !== 'timeout' && fault.kind !== 'unreachable') this.#serviceRoute = [];
    this.#logger.info({ fault }, `registration failed: ${fault.text}`);
  }

  /** Written down first: who hears of the suspension may rely on it. */
  #suspended(fault: LineFault): void {
    const suspension = { fault, at: this.#parts.scheduler.wallTime() };
    this.#suspension = suspension;
    this.#serviceRoute = [];
    const credentials = credentialsHash(this.account, this.#token);
    this.#writes
      .run(() => this.#remember({ ...suspension, credentials }))
      .catch((error: unknown) =>
        this.#logger.error({ err: error }, `the suspension could not be stored: ${errorText(error)}`),
      )
      .finally(() =>
        this.#parts.events.emit('line.suspended', { tenantId: this.tenantId, line: this.name, reason: fault }),
      );
  }

  #remember(suspended?: LineMemory['suspended']): Promise<void> {
    const { memories } = this.#parts;
    const memory = suspended === undefined ? { token: this.#token } : { token: this.#token, suspended };
    return memories.save(this.tenantId, this.name, memory);
  }
}

/** By UDP a port of the NAT's is meant as well; of connections it has told the address alone. */
function isAffected(contact: Observed, before: SocketAddress, now: SocketAddress): boolean {
  if (contact.address !== before.address) return false;
  return contact.protocol === 'udp'
    ? contact.port === before.port || before.address !== now.address
    : before.address !== now.address;
}

function asUnreachable(error: unknown): UacResult {
  const known = error instanceof PbxkitError ? error : new PbxkitError('SIP_NO_ROUTE', 'transport', errorText(error));
  return { kind: 'unreachable', error: known, unsent: true };
}
