import type { Clock, EpochMillis } from '../base/clock.js';
import { errorText } from '../base/errors.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { Directory } from '../directory/directory.js';
import type { Mail } from '../mailer/mail.js';
import type { Json } from '../storage/json.js';
import type { RecordStore } from '../storage/record-store.js';
import type { TrunkEvents } from '../trunk/events.js';
import type { LineFault } from '../trunk/fault.js';

/** What a notice tells of a line. None of it is a secret. */
export interface NoticedLine {
  readonly line: string;
  /** The PBX, as its people know it: `office.example`. */
  readonly pbx: string;
  /** The carrier's server, for people. */
  readonly server?: string;
  /** The account there, without its password. */
  readonly username?: string;
}

/** The mail that tells a line's owner that it is suspended. `at`: since when. */
export function lineSuspendedMail(to: string, about: NoticedLine, reason: LineFault, at: EpochMillis): Mail {
  const { line, pbx, server, username } = about;
  return {
    to: [to],
    subject: `Line ${oneLine(line, LONGEST_NAME)} is suspended`,
    date: at,
    text: [
      `The external line ${oneLine(line, LONGEST_NAME)} of ${oneLine(pbx, LONGEST_NAME)} is suspended.`,
      'Calls neither leave nor arrive by it.',
      '',
      `Since: ${when(at)}`,
      ...(server === undefined ? [] : [`Carrier: ${oneLine(server, LONGEST_NAME)}`]),
      ...(username === undefined ? [] : [`Account: ${oneLine(username, LONGEST_NAME)}`]),
      `What the carrier said: ${carrierSaid(reason)}`,
      '',
      `What to do: ${remedy(reason)}`,
      'The line does not try by itself until then, so that the carrier does not bar us. You get another mail when it is back.',
      '',
    ].join('\n'),
  };
}

/** The mail that tells that a suspended line is registered again. `since`: when it was suspended. */
export function lineBackMail(to: string, about: NoticedLine, since: EpochMillis, at: EpochMillis): Mail {
  const line = oneLine(about.line, LONGEST_NAME);
  return {
    to: [to],
    subject: `Line ${line} is back`,
    date: at,
    text: [
      `The external line ${line} of ${oneLine(about.pbx, LONGEST_NAME)} is registered again. Calls leave and arrive by it.`,
      '',
      `Suspended: ${when(since)}`,
      `Back: ${when(at)}`,
      '',
    ].join('\n'),
  };
}

export interface NoticesOptions {
  /** Takes the mail; an `Outbox` fits. */
  readonly outbox: { add(tenantId: TenantId, mail: Mail): Promise<unknown> };
  /** Who owns lines, and their addresses. */
  readonly directory: Pick<Directory, 'find'>;
  /** Remembers in `${tenantId}/notices` who was told of which line, so that who heard of its end hears of its return. */
  readonly records: RecordStore;
  readonly clock: Clock;
  /** A line as it is configured: its owner's extension, and what may be told of it. Undefined: there is none of that name. */
  readonly lineOf: (
    tenantId: TenantId,
    line: string,
  ) => (Omit<NoticedLine, 'line'> & { readonly owner?: string | undefined }) | undefined;
  /** Who is told of lines without an owner, or whose owner has no address. Default: nobody. */
  readonly administrator?: string;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Tells the owners of lines by mail. Give it the trunk manager's events; a failure is logged and never rejects. */
export class Notices {
  readonly #options: NoticesOptions;
  readonly #logger: Logger;
  /** A line that goes and comes at once is told in that order. */
  readonly #work = new Mailbox();

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#logger = (options.logger ?? silentLogger).child({ area: 'notices' });
  }

  /** Resolves once the mail lies in the outbox, or nobody is to be told. */
  onLineSuspended({ tenantId, line, reason }: TrunkEvents['line.suspended']): Promise<void> {
    const at = this.#options.clock.wallTime();
    return this.#tell(tenantId, line, async (about, to) => {
      const { outbox, records } = this.#options;
      await records.put(collectionOf(tenantId), line, { at, to });
      await outbox.add(tenantId, lineSuspendedMail(to, about, reason, at));
    });
  }

  /** Tells of a line that was suspended; of any other nothing. */
  onLineRegistered({ tenantId, line }: TrunkEvents['line.registered']): Promise<void> {
    const at = this.#options.clock.wallTime();
    return this.#tell(tenantId, line, async (about, to) => {
      const { outbox, records } = this.#options;
      const record = await records.get(collectionOf(tenantId), line);
      if (record === undefined) return;
      const since = suspendedAt(record.value);
      if (since !== undefined) await outbox.add(tenantId, lineBackMail(to, about, since, at));
      await records.delete(collectionOf(tenantId), line);
    });
  }

  /** Resolves when everything that was told until now lies in the outbox. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  #tell(tenantId: TenantId, line: string, tell: (about: NoticedLine, to: string) => Promise<void>): Promise<void> {
    return this.#work.run(async () => {
      try {
        const found = this.#options.lineOf(tenantId, line);
        if (found === undefined) return;
        const { owner, ...about } = found;
        const to = (await this.#addressOf(tenantId, owner)) ?? this.#options.administrator;
        if (to !== undefined) await tell({ ...about, line }, to);
        else this.#logger.info({ tenantId, line }, 'nobody is told: the line has no owner with an e-mail address');
      } catch (error) {
        this.#logger.error({ tenantId, line, err: error }, `a notice could not be sent: ${errorText(error)}`);
      }
    });
  }

  async #addressOf(tenantId: TenantId, owner: string | undefined): Promise<string | undefined> {
    return owner === undefined ? undefined : (await this.#options.directory.find(tenantId, owner))?.email;
  }
}

const LONGEST_NAME = 128;
const LONGEST_ANSWER = 300;

function collectionOf(tenantId: TenantId): string {
  return `${tenantId}/notices`;
}

function suspendedAt(value: Json): EpochMillis | undefined {
  const at = typeof value === 'object' && value !== null && 'at' in value ? value.at : undefined;
  return typeof at === 'number' ? at : undefined;
}

/** The phrase is the carrier's, or of whoever answered in its place: one line, of bounded length, in quotes. */
function carrierSaid({ kind, text }: LineFault): string {
  if (kind === 'timeout') return 'nothing: it did not answer';
  if (kind === 'unreachable') return `nothing: it could not be reached (${oneLine(text, LONGEST_ANSWER)})`;
  return `"${oneLine(text, LONGEST_ANSWER)}"`;
}

function remedy({ kind }: LineFault): string {
  switch (kind) {
    case 'wrong-password':
      return 'compare user name and password of the line with what the carrier gave you, correct them and resume the line.';
    case 'stranger':
      return 'ask the carrier from which servers and for which realm it asks for the password; enter them with the line and resume it.';
    case 'forbidden':
    case 'refused':
      return 'ask the carrier whether the account is active and paid; then resume the line.';
    case 'busy':
    case 'timeout':
    case 'unreachable':
      return 'see whether the carrier has trouble and whether this network reaches it; then resume the line.';
  }
}

/** Without control characters or line breaks of any script, which could pose as further lines of ours. */
function oneLine(text: string, longest: number): string {
  const line = text
    .slice(0, 2 * longest)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

function when(at: EpochMillis): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
