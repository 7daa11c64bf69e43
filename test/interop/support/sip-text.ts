/**
 * A reader of SIP messages for judging the server from outside: on purpose not the parser under test, and no more than the tests need.
 */
export interface ReadMessage {
  readonly startLine: string;
  /** 0 for a request. */
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Compact names (RFC 3261 §7.3.3) of the headers that the tests look at. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  l: 'content-length',
  m: 'contact',
};

/** Reads one whole message; `undefined` when its header has no end. */
export function readMessage(bytes: Buffer): ReadMessage | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? undefined : read(bytes, end);
}

/** Reads what can be read of a message of the corpora: some end before the empty line. */
export function readTorture(bytes: Buffer): ReadMessage {
  const end = bytes.indexOf('\r\n\r\n');
  return read(bytes, end < 0 ? bytes.length : end);
}

function read(bytes: Buffer, end: number): ReadMessage {
  const [startLine = '', ...lines] = unfold(bytes.toString('latin1', 0, end)).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return [LONG_NAMES[name] ?? name, line.slice(colon + 1).trim()] as const;
  });
  const status = startLine.startsWith('SIP/2.0 ') ? Number(startLine.slice(8, 11)) : 0;
  return { startLine, status, headers, body: bytes.subarray(end + 4) };
}

/** Folded lines become one, the fold a space (RFC 3261 §7.3.1). */
function unfold(head: string): string {
  return head.replace(/\r\n[ \t]+/g, ' ');
}

/** Every value of a header, comma lists apart only where the caller splits them; name in lower case. */
export function valuesOf(message: ReadMessage, name: string): string[] {
  return message.headers.filter(([own]) => own === name).map(([, value]) => value);
}

/** The value of each Via, in order: lists taken apart (no comma is quoted in a Via of the corpora). */
export function viasOf(message: ReadMessage): string[] {
  return valuesOf(message, 'via').flatMap((value) => value.split(',').map((via) => via.trim()));
}

/** For comparing values that may differ in white space alone. */
export function withoutSpace(value: string): string {
  return value.replace(/\s+/g, '');
}

/** Content-Length against the octets that are there; `undefined` when right. */
export function lengthFault(message: ReadMessage): string | undefined {
  const values = valuesOf(message, 'content-length');
  if (values.length !== 1) return `${values.length} Content-Length in "${message.startLine}"`;
  if (Number(values[0]) === message.body.length) return undefined;
  return `Content-Length ${values[0]}, ${message.body.length} octets of body in "${message.startLine}"`;
}

/** Cuts a TCP stream into messages by their Content-Length (RFC 3261 §18.3); throws where the stream cannot be cut. */
export function cutStream(stream: Buffer): ReadMessage[] {
  const messages: ReadMessage[] = [];
  for (let rest = stream; rest.length > 0; ) {
    if (rest[0] === 0x0d || rest[0] === 0x0a) {
      // keep-alive between messages (RFC 5626 §3.5.1)
      rest = rest.subarray(1);
      continue;
    }
    const head = readMessage(rest);
    if (head === undefined || !/^(\S+ \S+ SIP\/2\.0|SIP\/2\.0 \d{3} .*)$/.test(head.startLine)) {
      throw new Error(`no message begins at: ${rest.toString('latin1', 0, 80)}`);
    }
    const length = Number(valuesOf(head, 'content-length')[0]);
    const size = rest.length - head.body.length + length;
    if (!(size <= rest.length)) throw new Error(`${length} octets of body announced, ${head.body.length} left`);
    messages.push({ ...head, body: head.body.subarray(0, length) });
    rest = rest.subarray(size);
  }
  return messages;
}
