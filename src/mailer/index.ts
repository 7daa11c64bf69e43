export { checkMail, type Mail, type MailAttachment } from './mail.js';
export { MailError, type Mailer } from './mailer.js';
export { MemoryMailer, type MemoryMailerOptions } from './memory-mailer.js';
