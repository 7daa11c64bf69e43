import { type Params, putParams, readParams } from '../params.js';
import { putText } from '../put.js';
import { single, whole } from './codec.js';

/** Event (RFC 6665 §8.2.1). */
export interface EventValue {
  /** Package with template, as it stands; compare case-sensitively. */
  readonly package: string;
  /** `id` among them. */
  readonly params: Params;
}

/** Subscription-State (RFC 6665 §8.2.3). */
export interface SubscriptionState {
  /** 'active', 'pending', 'terminated' or an extension; lower case. */
  readonly state: string;
  /** `expires`, `reason`, `retry-after` among them. */
  readonly params: Params;
}

/** Refer-Sub (RFC 4488 §4). */
export interface ReferSub {
  readonly value: boolean;
  readonly params: Params;
}

export const eventCodec = single<EventValue>(
  'Event',
  whole((scanner) => ({ package: scanner.token('an event package'), params: readParams(scanner) })),
  (start, value) => {
    let pos = start;
    pos = putText(pos, value.package);
    pos = putParams(pos, value.params);
    return pos;
  },
  'o',
);

export const subscriptionStateCodec = single<SubscriptionState>(
  'Subscription-State',
  whole((scanner) => ({
    state: scanner.token('a subscription state').toLowerCase(),
    params: readParams(scanner),
  })),
  (start, value) => {
    let pos = start;
    pos = putText(pos, value.state);
    pos = putParams(pos, value.params);
    return pos;
  },
);

export const referSubCodec = single<ReferSub>(
  'Refer-Sub',
  whole((scanner) => {
    const word = scanner.token('"true" or "false"').toLowerCase();
    if (word !== 'true' && word !== 'false') scanner.fail('"true" or "false" before this');
    return { value: word === 'true', params: readParams(scanner) };
  }),
  (start, value) => {
    let pos = start;
    pos = putText(pos, String(value.value));
    pos = putParams(pos, value.params);
    return pos;
  },
);
