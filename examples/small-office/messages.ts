import { type Logger, type Pbx, silentLogger } from 'pbxkit';

/** So many refused phones are remembered: whoever tries all names must not fill the memory. */
const MOST_TOLD = 100;

/** How to connect a phone, and last of all the line that begins with `ready`. */
export function describeOffice(pbx: Pbx, domain: string, numbers: readonly string[]): string[] {
  const places = pbx.listening.map(({ protocol, local: { address, port } }) => ({
    protocol,
    place: `${address.includes(':') ? `[${address}]` : address}:${port}`,
  }));
  const udp = places.filter(({ protocol }) => protocol === 'udp').map(({ place }) => place);
  const servers = udp.length > 0 ? udp : places.map(({ place }) => `${place} (TCP)`);
  const ready = `ready: ${domain} at ${places.map(({ protocol, place }) => `${protocol}://${place}`).join(', ')}`;
  if (numbers.length === 0) return ['There are no extensions yet: write some under "extensions".', ready];
  return [
    'To connect a phone, enter as',
    `  user name (also authentication name)  ${numbers.slice(0, 5).join(', ')}${numbers.length > 5 ? ', …' : ''}`,
    '  password                              that of the extension',
    `  domain or realm                       ${domain}`,
    `  server, registrar or outbound proxy   ${servers.join(' or ')}`,
    'Then dial the number of another extension.',
    ready,
  ];
}

/** Tells what happens, a line each. */
export function follow(pbx: Pbx, print: (line: string) => void): void {
  // What peers have sent may hold anything: control characters would reach the terminal.
  const say = (line: string): void => print(line.slice(0, 500).replace(/\p{C}/gu, '?'));
  pbx.on('binding.added', ({ aor, binding }) => say(`${aor} registered from ${binding.contact}`));
  pbx.on('binding.removed', ({ aor, binding, reason }) => say(`${aor} is gone from ${binding.contact} (${reason})`));
  followRefusals(pbx, say);
  pbx.on('call.ringing', ({ record }) => say(`${record.caller} calls ${record.called}: ringing`));
  pbx.on('call.answered', ({ record }) => say(`${record.caller} calls ${record.called}: answered`));
  pbx.on('call.ended', ({ record }) => {
    const inbound = record.legs[0];
    const how =
      record.answeredAt === undefined
        ? `${inbound?.outcome} (${[inbound?.status, inbound?.cause].filter(Boolean).join(' ')})`
        : `talked ${Math.round(record.talkMs / 1000)} s`;
    const by = record.legs.flatMap(({ via }) => via ?? []);
    say(`${record.caller} calls ${record.called}: ended, ${how}${by.length === 0 ? '' : `, by ${by.join(', ')}`}`);
  });
  followLines(pbx, say);
}

/** Tells of each phone once that it is refused, until one registers: phones try again and again. */
function followRefusals(pbx: Pbx, say: (line: string) => void): void {
  const told = new Set<string>();
  pbx.on('binding.added', () => told.clear());
  pbx.on('credentials.refused', ({ username, cause, remote }) => {
    const line = `wrong password, or no extension "${username}": refused ${remote.address}:${remote.port}`;
    if (cause !== 'wrong' || told.has(line)) return;
    if (told.size === MOST_TOLD) told.clear();
    told.add(line);
    say(line);
  });
}

/** Tells how lines and trunks stand: once, and again when it has changed; not each of many attempts. */
function followLines(pbx: Pbx, say: (line: string) => void): void {
  const told = new Map<string, string>();
  const tell = (name: string, how: string, line: string): void => {
    if (told.get(name) === how) return;
    told.set(name, how);
    say(line);
  };
  pbx.on('line.registered', ({ line }) =>
    tell(line, 'registered', `line ${line} is registered: calls go out and come in`),
  );
  pbx.on('line.unregistered', ({ line, reason }) =>
    tell(
      line,
      reason,
      `line ${line} is not registered any more (${reason === 'closed' ? 'closed' : 'its time ran out'})`,
    ),
  );
  pbx.on('line.failed', ({ line, fault: { text } }) =>
    tell(line, `failed ${text}`, `line ${line} cannot register (${text}); it goes on trying`),
  );
  // Each time: somebody may just have tried again.
  pbx.on('line.suspended', ({ line, reason: { text } }) => {
    told.set(line, 'suspended');
    say(suspendedLine(line, text));
  });
  pbx.on('trunk.up', ({ trunk }) => tell(trunk, 'up', `trunk ${trunk} answers`));
  pbx.on('trunk.down', ({ trunk, cause }) =>
    tell(trunk, 'down', `trunk ${trunk} does not serve (${cause}): calls go by others until it does`),
  );
}

/** The lines that were suspended when the server stopped, and are so still. */
export function suspendedLines(pbx: Pbx): readonly string[] {
  return pbx.lines.flatMap(({ name, state }) =>
    state.kind === 'suspended' ? [suspendedLine(name, state.fault.text)] : [],
  );
}

function suspendedLine(name: string, text: string): string {
  return (
    `line ${name} is suspended: the carrier said no (${text}). Nothing is sent to it any more. ` +
    `Correct "username", "password" or "server" in the file, or ask the carrier; then: kill -HUP ${process.pid}`
  );
}

/** Warnings and errors on standard error. A program of your own would pass pino. */
export const stderrLogger: Logger = {
  ...silentLogger,
  warn: (fields, text) => complain('warning', fields, text),
  error: (fields, text) => complain('error', fields, text),
  fatal: (fields, text) => complain('fatal', fields, text),
  child: () => stderrLogger,
};

function complain(level: string, { err, ...fields }: Readonly<Record<string, unknown>>, text = ''): void {
  const cause = err instanceof Error ? (level === 'warning' ? err.message : err.stack) : err;
  console.error(`${level}: ${text}`, ...(Object.keys(fields).length > 0 ? [JSON.stringify(fields)] : []), cause ?? '');
}
