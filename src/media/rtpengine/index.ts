export type { InstanceOption } from './instance-url.js';
export { MediaEngineError } from './media-engine-error.js';
export type { RtpEngineOptions } from './options.js';
export { RtpEngine } from './rtpengine.js';
