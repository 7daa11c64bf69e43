import { throwIfAborted, UsageError } from '../base/errors.js';
import type { Events } from '../base/events.js';
import type { CallRecord } from '../call/call-record.js';
import type { MediaMoveResult } from '../call/media-move.js';
import type { Sound } from '../media/audio/audio-source.js';
import type { Broadcast } from '../media/audio/broadcast.js';
import type { SubscriptionService } from '../presence/subscription-service.js';
import type { Binding } from '../registrar/binding.js';
import type { Listening } from '../transport/layer.js';
import type { LineStatus, TrunkStatus } from '../trunk/trunk-manager.js';
import { assemble, type PbxParts } from './assemble.js';
import type { PbxEvents } from './events.js';
import type { PbxChanges, PbxOptions } from './options.js';
import { checkChanges, checkOptions } from './options-schema.js';
import type { OnCall } from './served-numbers.js';
import type { PbxStats } from './stats.js';

type State = 'new' | 'starting' | 'running' | 'draining' | 'closed';

/**
 * A PBX from its options. Checks them and opens nothing: `start()` does.
 * @throws PbxConfigError (PBX_CONFIG_INVALID) naming every option that cannot be used
 */
export function createPbx(options: PbxOptions): Pbx {
  checkOptions(options);
  return new Pbx(options);
}

/** A running PBX. Made by `createPbx`. */
export class Pbx implements Events<PbxEvents>, AsyncDisposable {
  readonly #parts: PbxParts;
  #state: State = 'new';
  #closing: Promise<void> | undefined;

  /** @internal use `createPbx` */
  constructor(options: PbxOptions) {
    this.#parts = assemble(options);
  }

  /** Where it listens, with the real ports; empty before `start()` and after `close()`. */
  get listening(): readonly Listening[] {
    return this.#state === 'running' || this.#state === 'draining' ? this.#parts.transport.listening : [];
  }

  /** The calls under way. */
  get calls(): readonly CallRecord[] {
    return this.#parts.calls.calls;
  }

  /** Counters, and what lives now: what the limits of docs/limits.md have turned away, and how far they are. */
  stats(): PbxStats {
    return this.#parts.stats();
  }

  /** Where event packages are added: each serves the SUBSCRIBEs of extensions that name it (RFC 6665). */
  get subscriptions(): Pick<SubscriptionService, 'register' | 'size'> {
    return this.#parts.subscriptions;
  }

  /** The phones that are registered for an extension. */
  bindings(number: string): Promise<readonly Binding[]> {
    return this.#parts.registrar.bindings(this.#parts.tenantId, number);
  }

  /** The external lines and how they stand. */
  get lines(): readonly LineStatus[] {
    return this.#parts.trunks.lines(this.#parts.tenantId);
  }

  /** The SIP trunks and how they stand. */
  get trunks(): readonly TrunkStatus[] {
    return this.#parts.trunks.trunks(this.#parts.tenantId);
  }

  /**
   * Lets a suspended line try to register again. False: it was not suspended.
   * @throws UsageError PBX_INVALID_ARGUMENT for a line that is not there; StorageError
   */
  resumeLine(name: string): Promise<boolean> {
    return this.#parts.trunks.resume(this.#parts.tenantId, name);
  }

  /**
   * Moves the media of an established call: `relay`, through the server, or `direct`, end to end. Both parties learn of it by a re-INVITE
   * each; when one of them refuses, everything is as it was.
   */
  moveMedia(callId: string, path: 'direct' | 'relay'): Promise<MediaMoveResult> {
    return this.#parts.calls.moveMedia(callId, path);
  }

  /**
   * Serves calls to `number` in plain code, until the returned function is called: `handler` is called for each, and the call ends when
   * its promise settles.
   * @throws UsageError (PBX_INVALID_ARGUMENT) for a number that is none, or that is served already
   */
  onCall(number: string, handler: OnCall): () => void {
    return this.#parts.served.set(number, handler);
  }

  /**
   * One sound for any number of calls, such as music or a live stream: read once, and encoded once for each codec, however many hear it.
   * `call.play(…)` takes it and joins those who listen already. It is played over and over, stands still while nobody listens, and ends
   * with `close()`, its own or that of the PBX. `sound`: anything that can be played; a string is the path of a WAV file.
   * @throws UsageError (PBX_WRONG_STATE) after `close()`
   */
  broadcast(sound: string | Sound): Broadcast {
    if (this.#state === 'closed')
      throw new UsageError('PBX_WRONG_STATE', 'broadcast() came after close(): make a new PBX with createPbx()');
    return this.#parts.media.broadcast(sound);
  }

  /** Hangs a call up. False when there is no such call. */
  endCall(callId: string): boolean {
    return this.#parts.calls.end(callId);
  }

  on<Name extends keyof PbxEvents & string>(name: Name, listener: (event: PbxEvents[Name]) => unknown): () => void {
    return this.#parts.events.on(name, listener);
  }

  once<Name extends keyof PbxEvents & string>(name: Name, listener: (event: PbxEvents[Name]) => unknown): () => void {
    return this.#parts.events.once(name, listener);
  }

  /**
   * Opens storage and sockets, all or none, takes over bindings and established calls from before, and serves. When
   * `signal` fires first, everything is closed again.
   * @throws ListenError (PBX_PORT_IN_USE, PBX_LISTEN_FAILED), StorageError (STORAGE_FAILED), AbortedError (PBX_ABORTED),
   * UsageError (PBX_WRONG_STATE)
   */
  async start(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state !== 'new') {
      throw new UsageError(
        'PBX_WRONG_STATE',
        `start() needs a new PBX, this one is ${this.#state}; make another one with createPbx()`,
      );
    }
    this.#state = 'starting';
    const { signal } = options;
    try {
      throwIfAborted(signal, 'start()');
      await this.#parts.start();
      throwIfAborted(signal, 'start()');
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#state === 'starting') this.#state = 'running';
  }

  /**
   * Refuses new calls with 503 and waits for those under way; phones may still register. Resolves when none is left, or
   * when `signal` fires: `close()` then ends what remains.
   */
  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state !== 'running' && this.#state !== 'draining') return;
    this.#state = 'draining';
    const { signal } = options;
    const empty = this.#parts.drain();
    if (signal === undefined) return empty;
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      void empty.then(resolve);
    });
  }

  /** Hangs up what is left and closes everything: no timer, socket or listener remains. Closing again does nothing. */
  close(): Promise<void> {
    this.#state = 'closed';
    this.#closing ??= this.#parts.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Changes what can be changed while calls go on: all at once, or nothing. Calls under way are not touched.
   * @throws PbxConfigError naming every fault; nothing has been changed then
   */
  reconfigure(changes: PbxChanges): void {
    checkChanges(changes);
    if (this.#state === 'closed')
      throw new UsageError('PBX_WRONG_STATE', 'reconfigure() came after close(): make a new PBX with createPbx()');
    this.#parts.reconfigure(changes);
  }
}
