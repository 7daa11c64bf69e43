import { UsageError } from '../base/errors.js';
import type { DialogLayer } from '../dialog/dialog-layer.js';
import type { Notifier } from '../dialog/notifier.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { RequestTaker } from '../ua/request-chain.js';
import type {
  EventPackage,
  EventSource,
  SubscribeRequest,
  Subscription,
  SubscriptionRefusal,
} from './event-package.js';

export interface SubscriptionServiceOptions {
  readonly dialogs: DialogLayer;
  /** The extension that asks. Resolves to undefined when the request has been answered instead: challenged, refused. */
  readonly identify: (incoming: IncomingRequest) => Promise<string | undefined>;
  readonly packages?: readonly EventPackage[];
  /** Subscriptions at once; beyond it a new one gets 503. Default 50,000. */
  readonly maxSubscriptions?: number;
}

const DEFAULT_MAX = 50_000;
const RETRY_AFTER_SECONDS = 30;
const DEFAULT_MIN_SECONDS = 60;
const DEFAULT_SECONDS = 3600;

/**
 * Takes SUBSCRIBEs outside dialogs and gives them to the event package that they name (RFC 6665 §4.2). Deviates: the
 * challenge is 407, as for every other request but REGISTER, where §4.2.1.3 has 401; phones answer both.
 */
export class SubscriptionService implements RequestTaker {
  readonly name = 'subscriptions';
  readonly #options: SubscriptionServiceOptions;
  readonly #packages = new Map<string, EventPackage>();
  readonly #live = new Set<Notifier>();

  constructor(options: SubscriptionServiceOptions) {
    this.#options = options;
    for (const each of options.packages ?? []) this.register(each);
  }

  /** Subscriptions that live. */
  get size(): number {
    return this.#live.size;
  }

  /**
   * Serves a package from now on. Returns its undo: subscriptions that live go on.
   * @throws UsageError (PBX_INVALID_ARGUMENT) when there is a package of that name
   */
  register(eventPackage: EventPackage): () => void {
    const { name } = eventPackage;
    if (this.#packages.has(name)) {
      throw new UsageError('PBX_INVALID_ARGUMENT', `there is a package "${name}" already; remove it first`);
    }
    this.#packages.set(name, eventPackage);
    return () => {
      if (this.#packages.get(name) === eventPackage) this.#packages.delete(name);
    };
  }

  take(incoming: IncomingRequest): boolean | Promise<boolean> {
    const { method, toTag, headers } = incoming.request;
    if (method !== 'SUBSCRIBE' || toTag !== undefined) return false;
    const event = headers.get('Event');
    const found = event === undefined ? undefined : this.#packages.get(event.package);
    if (found === undefined) {
      const names = [...this.#packages.keys()];
      incoming.respond(489, { once: true, headers: names.length === 0 ? {} : { 'Allow-Events': names } });
      return true;
    }
    return this.#open(incoming, found);
  }

  /** Ends every subscription; subscribers are told to come back (RFC 6665 §4.1.3: deactivated). */
  close(): void {
    for (const notifier of [...this.#live]) notifier.terminate('deactivated');
  }

  async #open(incoming: IncomingRequest, eventPackage: EventPackage): Promise<boolean> {
    const subscriber = await this.#options.identify(incoming);
    if (subscriber === undefined) return true;
    const { request } = incoming;
    const event = request.headers.get('Event') ?? { package: eventPackage.name, params: [] };
    if (!accepts(incoming, eventPackage)) {
      incoming.respond(406, { headers: { Accept: eventPackage.contentTypes.join(', ') } });
      return true;
    }
    if (this.#live.size >= (this.#options.maxSubscriptions ?? DEFAULT_MAX)) {
      incoming.respond(503, { headers: { 'Retry-After': { seconds: RETRY_AFTER_SECONDS, params: [] } } });
      return true;
    }
    const { uri } = request;
    const resource = uri.kind === 'sip' ? (uri.user ?? '') : '';
    const asked: SubscribeRequest = { tenantId: incoming.tenantId, subscriber, resource, params: event.params };
    let notifier: Notifier | undefined;
    let ended = false;
    const subscription: Subscription = {
      changed: () => notifier?.notify(),
      authorize: () => notifier?.authorize(),
      terminate: (reason, retryAfterSeconds) => notifier?.terminate(reason, retryAfterSeconds),
    };
    // Read before the package keeps anything: what opens a dialog and cannot be read is refused with 400 by whoever asks us.
    request.headers.get('Record-Route');
    request.headers.get('Contact');
    const source = eventPackage.open(asked, subscription);
    if (isRefusal(source)) {
      incoming.respond(source.status, source.reason === undefined ? {} : { reason: source.reason });
      return true;
    }
    notifier = this.#options.dialogs.notifier(
      {
        incoming,
        event,
        seconds: {
          min: eventPackage.minSeconds ?? DEFAULT_MIN_SECONDS,
          max: eventPackage.maxSeconds ?? DEFAULT_SECONDS,
          default: eventPackage.defaultSeconds ?? DEFAULT_SECONDS,
        },
        authorization: source.authorization ?? 'active',
        state: (full) => source.state(full),
        onEnded: () => {
          ended = true;
          if (notifier !== undefined) this.#live.delete(notifier);
          source.onEnded?.();
        },
      },
      resource,
    );
    if (notifier !== undefined) this.#live.add(notifier);
    else if (!ended) source.onEnded?.();
    return true;
  }
}

/** Without Accept every type of the package will do (RFC 6665 §7.2: the package has a default). */
function accepts(incoming: IncomingRequest, { contentTypes }: EventPackage): boolean {
  const accepted = incoming.request.headers.get('Accept');
  if (accepted === undefined) return true;
  return accepted.some(({ type, subtype }) => {
    const text = `${type}/${subtype}`.toLowerCase();
    return text === '*/*' || contentTypes.some((each) => each === text || text === `${each.split('/')[0]}/*`);
  });
}

function isRefusal(source: EventSource | SubscriptionRefusal): source is SubscriptionRefusal {
  return 'status' in source;
}
