import { isMailAddress } from '../base/mail-address.js';

/** Who a mail comes from or goes to (RFC 5322 §3.4, `mailbox`). */
export interface MailAddress {
  /** As readers are shown it. */
  readonly name?: string;
  readonly address: string;
}

/**
 * One mailbox: `alice@example.net`, `Alice <alice@example.net>`, `"Alice, office" <alice@example.net>`; undefined for anything else, two
 * addresses with a comma among it. A mailer is given the parts, so that nobody reads the text a second time and finds more in it.
 */
export function parseMailAddress(text: string): MailAddress | undefined {
  if (isMailAddress(text)) return { address: text };
  const open = text.lastIndexOf('<');
  if (open < 0 || !text.endsWith('>')) return undefined;
  const address = text.slice(open + 1, -1);
  if (!isMailAddress(address)) return undefined;
  const name = unquoted(text.slice(0, open).trim());
  if (name === undefined || /[<>@]/.test(name)) return undefined;
  return name === '' ? { address } : { name, address };
}

function unquoted(name: string): string | undefined {
  if (!name.includes('"')) return name;
  const inner = name.slice(1, -1);
  return name.length > 1 && name.startsWith('"') && name.endsWith('"') && !inner.includes('"') ? inner : undefined;
}
