/** What attackers try (../shared/checklist.md rows 48, 54, 55 and UDP reflection): told apart, smuggled, injected, reflected. */
import { describe, expect } from 'vitest';
import { DEFAULT_TENANT } from '../../src/base/tenant.js';
import type { Directory } from '../../src/directory/directory.js';
import { extensionFrom } from '../../src/directory/extension.js';
import { MemoryDirectory } from '../../src/directory/memory-directory.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { RawPeer, type WireMessage } from '../support/raw-peer.js';
import { messagesOf } from '../support/wire.js';

const PBX = { address: '192.0.2.1', port: 5060 };

/** 7100 is known, 7104 is disabled, 7999 is nobody; look-ups are counted, because each may cost a trip to a database. */
function countingDirectory() {
  const inner = new MemoryDirectory(
    [
      extensionFrom({ number: '7100', password: 'secret' }, DOMAIN),
      extensionFrom({ number: '7104', password: 'secret', enabled: false }, DOMAIN),
    ],
    DEFAULT_TENANT,
  );
  const state = { count: 0 };
  const directory: Directory = {
    find: (tenantId, number) => {
      state.count++;
      return inner.find(tenantId, number);
    },
    list: (tenantId) => inner.list(tenantId),
  };
  return { directory, state };
}

/** The answer without what is drawn anew each time, and without the number itself. */
function faceless(answer: WireMessage, number: string): string {
  return answer.text
    .replace(/nonce="[^"]*"/g, (nonce) => `nonce of ${nonce.length}`)
    .replace(/branch=[^;\r]*|tag=[^;\r]*|Call-ID: [^\r]*/g, (text) => `${text.split(/[=:]/)[0]} of ${text.length}`)
    .replaceAll(number, '###');
}

describe('OWASP, checklist 48: known, disabled and unknown extensions cannot be told apart', () => {
  const { directory, state } = countingDirectory();
  const wrong = (header: string, number: string, nonce: string): string =>
    `${header}: Digest username="${number}", realm="${DOMAIN}", nonce="${nonce}", uri="sip:${DOMAIN}", response="${'0'.repeat(32)}", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"`;

  for (const [method, status, challenge, credentials] of [
    ['REGISTER', 401, 'WWW-Authenticate', 'Authorization'],
    ['INVITE', 407, 'Proxy-Authenticate', 'Proxy-Authorization'],
    ['OPTIONS', 200, '', ''],
    ['SUBSCRIBE', undefined, '', ''],
    ['REFER', undefined, '', ''],
  ] as const) {
    officeScenario(
      `${method}: the same bytes but the nonce, as many look-ups`,
      { pbx: { extensions: undefined as never, directory } },
      async (_office, world) => {
        const peer = await RawPeer.open(world);
        const faces: string[][] = [];
        for (const number of ['7100', '7104', '7999']) {
          const seen: string[] = [];
          const ask = async (headers: readonly string[]): Promise<WireMessage> => {
            const branch = peer.fresh('z9hG4bK').padEnd(24, 'x');
            const before = state.count;
            peer.send(
              [
                `${method} ${method === 'REGISTER' ? `sip:${DOMAIN}` : `sip:${number}@${DOMAIN}`} SIP/2.0`,
                `Via: SIP/2.0/UDP ${peer.address}:5060;branch=${branch}`,
                'Max-Forwards: 70',
                `From: <sip:${number}@${DOMAIN}>;tag=abc`,
                `To: <sip:${number}@${DOMAIN}>`,
                `Call-ID: ${branch}`,
                `CSeq: 1 ${method}`,
                'Contact: <sip:x@10.1.0.1>',
                'Event: presence',
                ...headers,
                'Content-Length: 0',
                '',
                '',
              ].join('\r\n'),
            );
            await world.advance({ ms: 50 });
            const answer = peer.received.filter((each) => each.header('Via')?.includes(branch)).at(-1) as WireMessage;
            seen.push(`${faceless(answer, number)} ${state.count - before} look-ups`);
            return answer;
          };
          const first = await ask([]);
          if (status !== undefined) expect(first.status).toBe(status);
          if (credentials !== '') {
            const nonce = /nonce="([^"]*)"/.exec(first.header(challenge) ?? '')?.[1] ?? '';
            await ask([wrong(credentials, number, nonce)]);
            await ask([wrong(credentials, number, 'made-up')]);
            await ask([`${credentials}: Digest username="${number}"`]);
          }
          faces.push(seen);
        }
        expect(faces[1]).toEqual(faces[0]);
        expect(faces[2]).toEqual(faces[0]);
      },
    );
  }
});

describe('reflection: an answer to a forged address is one, and not much longer than the question', () => {
  for (const method of ['OPTIONS', 'INVITE', 'REGISTER', 'SUBSCRIBE', 'BYE', 'PUBLISH', 'FOO', 'MESSAGE', 'CANCEL']) {
    officeScenario(method, {}, async (_office, world) => {
      const peer = await RawPeer.open(world);
      const question = [
        `${method} sip:1@${DOMAIN} SIP/2.0`,
        'v:SIP/2.0/UDP 10.1.0.1;branch=z9hG4bK1',
        'f:<sip:1@a>;tag=1',
        `t:<sip:1@${DOMAIN}>`,
        'i:1',
        `CSeq:1 ${method}`,
        'm:<sip:1@a>',
        'Max-Forwards:9',
        '',
        '',
      ].join('\r\n');
      peer.send(question);
      await world.advance({ seconds: 40 });
      expect(peer.received).toHaveLength(1);
      const [answer] = peer.received;
      expect((answer?.text.length ?? 0) / question.length).toBeLessThan(3);
    });
  }
});

/** How the server answers these bytes on a connection of their own. */
async function over(world: World, kind: 'udp' | 'tcp', text: string): Promise<string[]> {
  const statuses = (answers: string): string[] =>
    [...answers.matchAll(/SIP\/2\.0 (\d{3}) [^\r]*\r\n[\s\S]*?CSeq: \d+ (\w+)/g)].map(
      ([, code, method]) => `${code} ${method}`,
    );
  if (kind === 'udp') {
    const peer = await RawPeer.open(world, { name: 'udp', address: '10.1.0.2' });
    peer.send(text);
    await world.advance({ seconds: 1 });
    return statuses(peer.received.map((each) => each.text).join(''));
  }
  const machine = world.host('tcp', '10.1.0.3');
  const connection = machine.ports.network.connectTcp({ remote: PBX, timeoutMs: 5000 });
  let answers = '';
  connection.handle({
    onData: (data) => {
      answers += Buffer.from(data).toString('latin1');
    },
    onClose: () => {},
  });
  connection.send(Buffer.from(text.replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'latin1'));
  await world.advance({ seconds: 15 });
  connection.destroy();
  return statuses(answers);
}

/** A request of another method that must never be seen as one. */
const INNER = [
  `MESSAGE sip:${DOMAIN} SIP/2.0`,
  'Via: SIP/2.0/UDP 10.1.0.2:5060;branch=z9hG4bKinner',
  'Max-Forwards: 70',
  'From: <sip:x@y>;tag=1',
  'To: <sip:x@y>',
  'Call-ID: inner',
  'CSeq: 1 MESSAGE',
  'Content-Length: 0',
  '',
  '',
].join('\r\n');

/** An OPTIONS in which some lines are replaced; `undefined` takes a line out. */
function outer(
  replaced: Readonly<Record<string, string | undefined>>,
  extra: readonly string[] = [],
  body = '',
): string {
  const lines: Record<string, string | undefined> = {
    Via: 'Via: SIP/2.0/UDP 10.1.0.2:5060;branch=z9hG4bKouter',
    'Max-Forwards': 'Max-Forwards: 70',
    From: 'From: <sip:x@y>;tag=1',
    To: 'To: <sip:x@y>',
    'Call-ID': 'Call-ID: outer',
    CSeq: 'CSeq: 1 OPTIONS',
    'Content-Length': `Content-Length: ${body.length}`,
    ...replaced,
  };
  const head = Object.values(lines).filter((line) => line !== undefined);
  return [`OPTIONS sip:${DOMAIN} SIP/2.0`, ...head, ...extra, '', body].join('\r\n');
}

describe('RFC 3261 §7.3, checklist 54: smuggling', () => {
  for (const [what, text, answers] of [
    [
      'white space before the colon',
      outer({}, ['X-Foo : v', 'Subject\t: x']),
      { udp: ['200 OPTIONS'], tcp: ['200 OPTIONS'] },
    ],
    [
      'Content-Length with white space before the colon: the body is a body',
      outer({ 'Content-Length': `Content-Length : ${INNER.length}` }, [], INNER),
      { udp: ['200 OPTIONS'], tcp: ['200 OPTIONS'] },
    ],
    [
      'Content-Length folded',
      outer({ 'Content-Length': `Content-Length:\r\n ${INNER.length}` }, [], INNER),
      { udp: ['200 OPTIONS'], tcp: ['200 OPTIONS'] },
    ],
    [
      'Content-Length twice, first the short one',
      outer({ 'Content-Length': 'Content-Length: 0' }, [`Content-Length: ${INNER.length}`], INNER),
      { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] },
    ],
    ['Content-Length long and compact', outer({}, ['l: 0'], INNER), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    [
      'Content-Length signed',
      outer({ 'Content-Length': `Content-Length: +${INNER.length}` }, [], INNER),
      { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] },
    ],
    [
      'Content-Length negative',
      outer({ 'Content-Length': 'Content-Length: -1' }, [], INNER),
      { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] },
    ],
    [
      'Content-Length as a list',
      outer({ 'Content-Length': `Content-Length: 0, ${INNER.length}` }, [], INNER),
      { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] },
    ],
    ['From twice', outer({}, ['From: <sip:boss@y>;tag=2']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['From long and compact', outer({}, ['f: <sip:boss@y>;tag=2']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['To long and compact', outer({}, ['t: <sip:boss@y>']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['CSeq twice', outer({}, ['CSeq: 2 MESSAGE']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['Call-ID long and compact', outer({}, ['i: other']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['Max-Forwards twice', outer({}, ['Max-Forwards: 0']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['a name with a space', outer({}, ['X Y: z']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['a line without a name', outer({}, [': z']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['a NUL in a name', outer({}, ['X\0Y: z']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    ['a bare LF between headers', outer({}, ['X: y\nCSeq: 2 MESSAGE']), { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] }],
    [
      'a bare LF instead of the empty line',
      outer({}, [`X: y\n\n${INNER}`]),
      { udp: ['400 OPTIONS'], tcp: ['400 OPTIONS'] },
    ],
  ] as const) {
    for (const kind of ['udp', 'tcp'] as const) {
      officeScenario(`${what}, over ${kind}: ${answers[kind].join(', ')}`, {}, async (_office, world) => {
        const heard = await over(world, kind, text);
        // What stands behind the end of a message on a stream is the next message; what is inside it never is.
        expect(heard.filter((each) => !each.endsWith('MESSAGE'))).toEqual(answers[kind]);
        if (!what.includes('bare LF instead')) expect(heard).toEqual(answers[kind]);
        expect(world.log.lines('error')).toEqual([]);
      });
    }
  }
});

describe('checklist 55: nothing of a caller’s name or number becomes a header of the other leg', () => {
  const nameless = { pbx: { extensions: ['100', '101'].map((number) => ({ number, password: `secret-${number}` })) } };
  for (const [what, from] of [
    ['NUL', '"a\0b" <sip:100@office.test>'],
    ['broken UTF-8', '"\xc3\x28\xff" <sip:100@office.test>'],
    ['a line separator of Unicode', `"a\xe2\x80\xa8X-Evil: yes" <sip:100@office.test>`],
    ['a next-line control in UTF-8', '"a\xc2\x85X-Evil: yes" <sip:100@office.test>'],
    ['an escape sequence of terminals', '"\x1b[2J\x07" <sip:100@office.test>'],
    ['a fold', '"a\r\n X-Evil: yes" <sip:100@office.test>'],
    ['quotes and an address', '"\\" <sip:evil@x>, \\"" <sip:100@office.test>'],
    ['escaped CR LF in the number', '<sip:100%0d%0aX-Evil:%20yes@office.test>'],
    ['markup', '"<script>&amp;\'" <sip:100@office.test>'],
  ] as const) {
    officeScenario(what, nameless, async (office, world) => {
      await office.registered('101', { onCall: (call) => call.reject(486) });
      const peer = await RawPeer.open(world);
      const call = peer.dial('101', { from });
      const first = await peer.expect((message) => (message.status ?? 0) >= 400);
      if (first.status === 407) {
        call.authorize(first, '100', 'secret-100');
        call.ackFailure(await peer.expect((message) => (message.status ?? 0) >= 400));
      } else call.ackFailure(first);
      await office.quiet();
      for (const { text, method } of messagesOf(world, '101')) {
        if (method !== 'INVITE') continue;
        const head = text.slice(0, text.indexOf('\r\n\r\n'));
        const controls = [...head.replaceAll('\r\n', '')].filter((char) => char < ' ' || char === '\x7f');
        expect(controls).toEqual([]);
        for (const line of head.split('\r\n')) expect(line).not.toMatch(/^X-Evil|^\s/);
        const [fromLine = ''] = head.split('\r\n').filter((line) => line.startsWith('From: '));
        expect(fromLine).toMatch(/<sip:100@office\.test>;tag=\w+$/);
      }
      expect(world.log.lines('error')).toEqual([]);
    });
  }
});
