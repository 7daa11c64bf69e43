export { checkMail, type Mail, type MailAttachment } from './mail.js';
export { MailError, type MailErrorDetails, type Mailer } from './mailer.js';
export { MemoryMailer, type MemoryMailerOptions } from './memory-mailer.js';
export { Outbox } from './outbox.js';
export type { OutboxEvents } from './outbox-events.js';
export { DEFAULT_OUTBOX_LIMITS, type OutboxLimits, type OutboxOptions, type OutboxRetry } from './outbox-options.js';
