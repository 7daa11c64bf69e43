export type {
  EventPackage,
  EventSource,
  SubscribeRequest,
  Subscription,
  SubscriptionRefusal,
} from './event-package.js';
export { SubscriptionService, type SubscriptionServiceOptions } from './subscription-service.js';
