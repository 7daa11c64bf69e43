export type { SmtpOptions, SmtpSecurity, SmtpTimeouts, SmtpTlsOptions } from './options.js';
export { smtp } from './smtp-mailer.js';
