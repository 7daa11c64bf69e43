import { EventEmitter } from 'eventemitter3';
import { errorText } from './errors.js';
import type { Logger } from './logger.js';

type Listener<T> = (event: T) => unknown;

/** The listening side of an emitter, as host apps see it. */
export interface Events<Map extends object> {
  /** Listens until the returned function is called. */
  on<Name extends keyof Map & string>(name: Name, listener: Listener<Map[Name]>): () => void;
  /** Listens for the next one only. */
  once<Name extends keyof Map & string>(name: Name, listener: Listener<Map[Name]>): () => void;
}

/**
 * Typed events, one object each, over eventemitter3. A listener that throws, or whose promise rejects, is logged and
 * stops neither the other listeners nor the emitter.
 */
export class TypedEmitter<Map extends object> implements Events<Map> {
  readonly #emitter = new EventEmitter<string>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on<Name extends keyof Map & string>(name: Name, listener: Listener<Map[Name]>): () => void {
    const guarded = this.#guard(name, listener);
    this.#emitter.on(name, guarded);
    return () => this.#emitter.off(name, guarded);
  }

  once<Name extends keyof Map & string>(name: Name, listener: Listener<Map[Name]>): () => void {
    const guarded = this.#guard(name, listener);
    this.#emitter.once(name, guarded);
    return () => this.#emitter.off(name, guarded);
  }

  emit<Name extends keyof Map & string>(name: Name, event: Map[Name]): void {
    this.#emitter.emit(name, event);
  }

  /** How many listen, to one event or to all. */
  listenerCount(name?: keyof Map & string): number {
    if (name !== undefined) return this.#emitter.listenerCount(name);
    return this.#emitter.eventNames().reduce((sum, each) => sum + this.#emitter.listenerCount(each), 0);
  }

  removeAll(): void {
    this.#emitter.removeAllListeners();
  }

  #guard<T>(name: string, listener: Listener<T>): (event: T) => void {
    const report = (error: unknown): void =>
      this.#logger.error({ event: name, err: error }, `a listener of "${name}" failed: ${errorText(error)}`);
    return (event) => {
      try {
        const result = listener(event);
        if (isThenable(result)) result.then(undefined, report);
      } catch (error) {
        report(error);
      }
    };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
