export { ConfigError, type ConfigProblem } from '../base/config-error.js';
export type { KnownNames, PlanProblem } from './check.js';
export type { DecidedRoute, PlanCall, RouteDecision } from './decision.js';
export { type CallNumbers, DialPlan } from './dial-plan.js';
export { DialPlanError } from './dial-plan-error.js';
export type { Explanation, PlanStep } from './explanation.js';
export { FEATURE_CODES, type FeatureCode } from './feature-code.js';
export { extension, group, line, peer, type Route, reject, type ServiceName, service, trunk } from './route.js';
export type {
  BlackListRule,
  CalledRule,
  CallerRule,
  DialPlanRules,
  RefineRule,
  TransformRef,
} from './rules.js';
export type { TimeCondition, Weekday } from './time-condition.js';
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
} from './transform.js';
