/**
 * A reader of SIP messages that shares nothing with pbxkit's parser, and that complains: for judging what a server sends.
 * It knows no more than what our own messages and those of our test peers use.
 */
export interface SeenMessage {
  readonly text: string;
  readonly startLine: string;
  /** Of a request. */
  readonly method: string | undefined;
  /** Of a response. */
  readonly status: number | undefined;
  readonly uri: string;
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  readonly cseq: number;
  readonly cseqMethod: string;
  /** Of the top Via. */
  readonly branch: string;
  readonly body: string;
  readonly sdp: string | undefined;
  all(name: string): readonly string[];
}

const COMPACT: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  l: 'content-length',
  m: 'contact',
  c: 'content-type',
  k: 'supported',
  x: 'session-expires',
};

export function readSip(text: string): SeenMessage {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? '' : text.slice(end + 4);
  const [startLine = '', ...lines] = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return [COMPACT[name] ?? name, line.slice(colon + 1).trim()] as const;
  });
  const all = (name: string): readonly string[] =>
    headers.filter(([own]) => own === name.toLowerCase()).map(([, value]) => value);
  const isResponse = startLine.startsWith('SIP/2.0 ');
  const [method = '', uri = ''] = startLine.split(' ');
  const [cseq = '', cseqMethod = ''] = (all('cseq')[0] ?? '').split(/\s+/);
  const type = (all('content-type')[0] ?? '').toLowerCase();
  return {
    text,
    startLine,
    method: isResponse ? undefined : method,
    status: isResponse ? Number(startLine.slice(8, 11)) : undefined,
    uri: isResponse ? '' : uri,
    callId: all('call-id')[0] ?? '',
    fromTag: tagOf(all('from')[0] ?? ''),
    toTag: tagOf(all('to')[0] ?? ''),
    cseq: Number(cseq),
    cseqMethod,
    branch: /;\s*branch=([^;,\s]+)/i.exec(all('via')[0] ?? '')?.[1] ?? '',
    body,
    sdp: body !== '' && type.startsWith('application/sdp') ? body : undefined,
    all,
  };
}

/** What is wrong with a message that somebody sent: one line for each fault. RFC 3261 §7, §8.1.1, §8.2.6, §20. */
export function faultsOf(message: SeenMessage): readonly string[] {
  const faults: string[] = [];
  const { text, body, all } = message;
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end + 2);
  if (end < 0) return ['no empty line ends the header'];
  if (head.replaceAll('\r\n', '').match(/[\r\n\0]/) !== null) faults.push('a bare CR, LF or NUL in the header');
  if (/[^\x20-\x7e\t\r\n\x80-\xff]/.test(head)) faults.push('a control character in the header');
  const requestLine = /^[A-Z]+ (?:sips?|tel):\S+ SIP\/2\.0$/.test(message.startLine);
  if (!requestLine && !/^SIP\/2\.0 [1-6]\d\d [^\r\n]*$/.test(message.startLine))
    faults.push(`start line "${message.startLine}"`);
  for (const line of head.split('\r\n').slice(1, -1))
    if (!/^(?:[\w!%*+`'~.-]+:|[ \t])/.test(line)) faults.push(`header line "${line}"`);
  for (const name of ['from', 'to', 'call-id', 'cseq', 'content-length'])
    if (all(name).length !== 1) faults.push(`${all(name).length} ${name} fields`);
  if (all('via').length === 0) faults.push('no Via');
  if (!message.branch.startsWith('z9hG4bK') && message.method !== undefined) faults.push(`branch "${message.branch}"`);
  if (Number(all('content-length')[0]) !== body.length)
    faults.push(`Content-Length ${all('content-length')[0]}, body of ${body.length}`);
  if (body !== '' && all('content-type').length !== 1) faults.push('a body without one Content-Type');
  if (!Number.isInteger(message.cseq) || message.cseq < 0 || message.cseq >= 2 ** 31)
    faults.push(`CSeq ${message.cseq}`);
  if (message.fromTag === '' && message.method !== undefined) faults.push('no From tag');
  if (message.method !== undefined) {
    if (message.method !== message.cseqMethod) faults.push(`${message.method} with CSeq ${message.cseqMethod}`);
    if (!/^\d{1,3}$/.test(all('max-forwards').join())) faults.push(`Max-Forwards "${all('max-forwards').join()}"`);
  } else if (message.status !== 100 && message.toTag === '') faults.push(`${message.status} without To tag`);
  if (needsContact(message) && all('contact').length === 0) faults.push(`${message.startLine} without Contact`);
  if (message.sdp !== undefined) faults.push(...sdpFaults(message.sdp));
  return faults;
}

function needsContact({ method, status = 0, cseqMethod }: SeenMessage): boolean {
  if (method !== undefined) return ['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'].includes(method);
  return ['INVITE', 'UPDATE', 'SUBSCRIBE'].includes(cseqMethod) && status >= 200 && status < 300;
}

/** The order that RFC 8866 §5 demands, read roughly. */
function sdpFaults(sdp: string): readonly string[] {
  const faults: string[] = [];
  const lines = sdp.split('\r\n');
  if (lines.pop() !== '') faults.push('SDP does not end with CRLF');
  if (lines.some((line) => !/^[a-z]=/.test(line))) faults.push('an SDP line that is none');
  const order = lines.map((line) => line[0]).join('');
  if (!/^vosi?u?e*p*c?b*(?:t[r]*)+z?k?a*(?:mi?c*b*k?a*)*$/.test(order)) faults.push(`SDP lines ${order}`);
  return faults;
}

function tagOf(address: string): string {
  const params = address.includes('>') ? address.slice(address.lastIndexOf('>')) : address;
  return /;\s*tag=([^;\s]+)/i.exec(params)?.[1] ?? '';
}
