/** The witnesses of the simulation see what they are there to see: each rule once broken. */
import { describe, expect, test } from 'vitest';
import { createWorld } from '../../src/testing/world.js';
import type { LostConnection, TappedMessage } from '../support/wire-tap.js';
import { WireWitness } from '../support/wire-witness.js';

const SDP = 'v=0\r\no=x 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

interface Line {
  readonly branch?: string;
  readonly cseq: number;
  readonly tag?: string;
  readonly sdp?: string;
}

/** A message of one call: the watched program has the From tag `us`. */
function message(start: string, method: string, { branch = 'z9hG4bK1', cseq, tag = '', sdp = '' }: Line): string {
  const lines = [
    start.startsWith('SIP') ? start : `${start} sip:101@10.0.0.2 SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.1:5060;branch=${branch}`,
    ...(start.startsWith('SIP') ? [] : ['Max-Forwards: 70']),
    'From: <sip:100@office.test>;tag=us',
    `To: <sip:101@office.test>${tag === '' ? '' : `;tag=${tag}`}`,
    'Call-ID: call',
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:192.0.2.1:5060>',
    ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${sdp}`;
}

type Step =
  | readonly [direction: TappedMessage['direction'], text: string, connection?: number]
  | 'restarted'
  | LostConnection;

function faultsAfter(...steps: readonly Step[]): readonly string[] {
  let at = 0;
  const witness = new WireWitness(() => at);
  for (const step of steps) {
    at += 10;
    if (step === 'restarted') witness.restarted();
    else if ('opened' in step) witness.lose(step);
    else {
      const [direction, text, connection] = step;
      const way = connection === undefined ? { protocol: 'udp' as const } : { protocol: 'tcp' as const, connection };
      witness.see({ at, direction, ...way, peer: '10.0.0.2:5060', text });
    }
  }
  return witness.finish();
}

const sent = (method: string, line: Line) => ['sent', message(method, method, line)] as const;
const got = (status: string, method: string, line: Line) =>
  ['received', message(`SIP/2.0 ${status}`, method, line)] as const;

/** By that connection. */
const by = (connection: number, [direction, text]: ReturnType<typeof sent | typeof got>): Step => [
  direction,
  text,
  connection,
];

const INVITE = sent('INVITE', { cseq: 1, sdp: SDP });
const OK = got('200 OK', 'INVITE', { cseq: 1, tag: 'them', sdp: SDP });
const ACK = sent('ACK', { cseq: 1, tag: 'them', branch: 'z9hG4bKa' });
const BYE = sent('BYE', { cseq: 2, tag: 'them', branch: 'z9hG4bKb' });
/** A request of theirs and our answer to it: the tags the other way round. */
const theirs = (method: string, line: Line): Step => [
  'received',
  message(method, method, { ...line, tag: 'us' }).replace('test>;tag=us', 'test>;tag=them'),
];
const answered = (status: string, method: string, line: Line): Step => [
  'sent',
  message(`SIP/2.0 ${status}`, method, { ...line, tag: 'us' }).replace('test>;tag=us', 'test>;tag=them'),
];

const BYE_3 = sent('BYE', { cseq: 3, tag: 'them', branch: 'z9hG4bKb' });
const BYE_OF_THEIRS = { cseq: 1, branch: 'z9hG4bKt' };
const THEIR_BYE: readonly Step[] = [theirs('BYE', BYE_OF_THEIRS), answered('200 OK', 'BYE', BYE_OF_THEIRS)];

describe('what a right call and each wrong one show', () => {
  test('nothing is wrong with a right one', () => {
    expect(
      faultsAfter(INVITE, OK, ACK, BYE, got('200 OK', 'BYE', { cseq: 2, tag: 'them', branch: 'z9hG4bKb' })),
    ).toEqual([]);
  });

  test('our BYE crosses theirs, and is sent again until it is answered', () => {
    const done = got('200 OK', 'BYE', { cseq: 2, tag: 'them', branch: 'z9hG4bKb' });
    expect(faultsAfter(INVITE, OK, ACK, BYE, ...THEIR_BYE, BYE, done)).toEqual([]);
  });

  test('their re-INVITE overtakes their 2xx: refused with 481 and forgotten, and taken when it comes again', () => {
    const line = { cseq: 1, branch: 'z9hG4bKt', sdp: SDP };
    const refused = answered('481 None', 'INVITE', { cseq: 1, branch: 'z9hG4bKt' });
    const taken = [answered('200 OK', 'INVITE', line), theirs('ACK', { cseq: 1, branch: 'z9hG4bKz' })];
    const call = [INVITE, theirs('INVITE', line), refused, OK, ACK, theirs('INVITE', line), ...taken];
    expect(faultsAfter(...call, sent('UPDATE', { cseq: 2, tag: 'them', sdp: SDP }), BYE_3)).toEqual([]);
    const unlike = answered('200 OK', 'INVITE', { ...line, sdp: SDP.replace('4000', '4002') });
    expect(faultsAfter(...call, unlike, BYE_3).join('\n')).toContain('two different 2xx');
  });

  test('the second copy of a request that was refused with 481 is owed nothing', () => {
    const line = { cseq: 1, branch: 'z9hG4bKt', sdp: SDP };
    const refused = answered('481 None', 'INVITE', { cseq: 1, branch: 'z9hG4bKt' });
    expect(faultsAfter(INVITE, OK, ACK, BYE, theirs('INVITE', line), refused, theirs('INVITE', line))).toEqual([]);
  });

  const broken: [string, string, readonly Step[]][] = [
    ['no ACK', 'got no ACK', [INVITE, OK, BYE]],
    ['a second 2xx after the ACK', 'got no ACK', [INVITE, OK, ACK, OK, BYE]],
    ['no BYE', 'no BYE ever ended it', [INVITE, OK, ACK]],
    ['CANCEL before a provisional response', '§9.1', [INVITE, sent('CANCEL', { cseq: 1 })]],
    [
      'CSeq that does not grow',
      '§12.2.1.1',
      [INVITE, OK, ACK, BYE, sent('INFO', { cseq: 1, tag: 'them', branch: 'z9hG4bKi' })],
    ],
    [
      'a request after our BYE',
      '§15.1.1',
      [INVITE, OK, ACK, BYE, sent('INFO', { cseq: 3, tag: 'them', branch: 'z9hG4bKi' })],
    ],
    [
      'a BYE after theirs',
      '§15.1.2',
      [INVITE, OK, ACK, ...THEIR_BYE, sent('BYE', { cseq: 2, tag: 'them', branch: 'z9hG4bKb' })],
    ],
    [
      'a second BYE of ours after theirs',
      '§15.1.2',
      [INVITE, OK, ACK, BYE, ...THEIR_BYE, sent('BYE', { cseq: 3, tag: 'them', branch: 'z9hG4bKc' })],
    ],
    [
      'the same BYE by another hop after theirs',
      '§15.1.2',
      [INVITE, OK, ACK, BYE, ...THEIR_BYE, sent('BYE', { cseq: 2, tag: 'them', branch: 'z9hG4bKc' })],
    ],
    [
      'an offer while one is open',
      'RFC 3264 §4',
      [
        INVITE,
        OK,
        ACK,
        sent('INVITE', { cseq: 2, tag: 'them', branch: 'z9hG4bKr', sdp: SDP }),
        sent('UPDATE', { cseq: 3, tag: 'them', branch: 'z9hG4bKu', sdp: SDP }),
        sent('BYE', { cseq: 4, tag: 'them', branch: 'z9hG4bKb' }),
      ],
    ],
    [
      'a re-INVITE while one is open',
      '§14.1',
      [
        INVITE,
        OK,
        ACK,
        sent('INVITE', { cseq: 2, tag: 'them', branch: 'z9hG4bKr' }),
        sent('INVITE', { cseq: 3, tag: 'them', branch: 'z9hG4bKs' }),
        sent('BYE', { cseq: 4, tag: 'them', branch: 'z9hG4bKb' }),
      ],
    ],
    ['a request that nobody answers', 'was never answered', [['received', message('OPTIONS', 'OPTIONS', { cseq: 1 })]]],
    [
      'two final answers',
      '§17.2',
      [
        ['received', message('OPTIONS', 'OPTIONS', { cseq: 1 })],
        ['sent', message('SIP/2.0 200 OK', 'OPTIONS', { cseq: 1, tag: 'us' })],
        ['sent', message('SIP/2.0 486 Busy', 'OPTIONS', { cseq: 1, tag: 'us' })],
      ],
    ],
    [
      'a bare LF',
      'bare CR, LF',
      [['sent', message('OPTIONS', 'OPTIONS', { cseq: 1 }).replace('Call-ID: call', 'Call-ID: call\nX: y')]],
    ],
    [
      'a wrong Content-Length',
      'Content-Length',
      [['sent', message('OPTIONS', 'OPTIONS', { cseq: 1 }).replace('Content-Length: 0', 'Content-Length: 5')]],
    ],
    [
      'no To tag in an answer',
      'without To tag',
      [
        ['received', message('OPTIONS', 'OPTIONS', { cseq: 1 })],
        ['sent', message('SIP/2.0 200 OK', 'OPTIONS', { cseq: 1 })],
      ],
    ],
  ];
  test.each(broken)('%s is seen', (_what, expected, steps) => {
    expect(faultsAfter(...steps).join('\n')).toContain(expected);
  });
});

describe('requests whose connection is lost (RFC 3261 §17.1.4, §8.1.3.1)', () => {
  const CALL = [INVITE, OK, ACK];
  const version = (number: number, port: number): string =>
    SDP.replace('1 1', `1 ${number}`).replace('4000', `${port}`);
  const again = (cseq: number, sdp: string) => sent('INVITE', { cseq, tag: 'them', branch: `z9hG4bK-${cseq}`, sdp });
  const lost: Step = { connection: 7, opened: true };
  const faultsThen = (...steps: readonly Step[]): string =>
    faultsAfter(...CALL, ...steps, sent('BYE', LAST)).join('\n');
  const LAST = { cseq: 9, tag: 'them', branch: 'z9hG4bKl' };
  const [FIRST, NEXT] = [again(2, version(2, 4002)), again(3, version(3, 4004))];

  test('§14.1, RFC 3264 §4: its INVITE is over, and another one with an offer may follow', () => {
    expect(faultsThen(by(7, FIRST), lost, by(8, NEXT))).toBe('');
  });

  test('the loss of another connection, or by UDP, ends nothing', () => {
    expect(faultsThen(by(6, FIRST), lost, by(8, NEXT))).toMatch(/§14\.1.*\n.*RFC 3264 §4/);
    expect(faultsThen(FIRST, lost, NEXT)).toMatch(/§14\.1.*\n.*RFC 3264 §4/);
  });

  test('RFC 3261 figure 5: an INVITE with a provisional response goes on without its connection', () => {
    const ringing = got('180 Ringing', 'INVITE', { cseq: 2, tag: 'them', branch: 'z9hG4bK-2' });
    expect(faultsThen(by(7, FIRST), by(7, ringing), lost, by(8, NEXT))).toMatch(/§14\.1.*\n.*RFC 3264 §4/);
  });

  test('RFC 3264 §8: what never left is not the previous description; what may have left is', () => {
    const same = again(3, version(2, 4004));
    expect(faultsThen(by(7, FIRST), { connection: 7, opened: false }, by(8, same))).toBe('');
    expect(faultsThen(by(7, FIRST), { connection: 7, opened: false }, by(8, NEXT))).toContain('RFC 3264 §8');
    expect(faultsThen(by(7, FIRST), lost, by(8, same))).toContain('RFC 3264 §8');
  });
});

describe('a 2xx that the peer still repeats to an earlier life of the program', () => {
  const LAST = sent('BYE', { cseq: 1009, tag: 'them', branch: 'z9hG4bKl' });
  const question = sent('INVITE', { cseq: 2, tag: 'them', branch: 'z9hG4bKr' });
  const offer = got('200 OK', 'INVITE', { cseq: 2, tag: 'them', branch: 'z9hG4bKr', sdp: SDP });
  const ours = sent('INVITE', { cseq: 1003, tag: 'them', branch: 'z9hG4bKn', sdp: SDP });

  test('RFC 3264 §4: is no offer that this life would have to answer first', () => {
    expect(faultsAfter(INVITE, OK, ACK, question, 'restarted', offer, ours, LAST)).toEqual([]);
  });

  test('while one to an INVITE of this life is', () => {
    expect(faultsAfter(INVITE, OK, ACK, question, offer, ours, LAST).join()).toContain(
      'while theirs in 2 INVITE waits',
    );
    const late = sent('INVITE', { cseq: 1002, tag: 'them', branch: 'z9hG4bKr' });
    const lateOffer = got('200 OK', 'INVITE', { cseq: 1002, tag: 'them', branch: 'z9hG4bKr', sdp: SDP });
    expect(faultsAfter(INVITE, OK, ACK, 'restarted', late, lateOffer, ours, LAST).join()).toContain(
      'while theirs in 1002 INVITE waits',
    );
  });
});

describe('a 2xx that came by a connection', () => {
  const lost: Step = { connection: 7, opened: true };

  test('needs no ACK that can be seen, when the connection was lost before', () => {
    expect(faultsAfter(INVITE, by(7, OK), lost, BYE)).toEqual([]);
    expect(faultsAfter(INVITE, by(7, OK), { connection: 6, opened: true }, BYE).join()).toContain('got no ACK');
  });

  test('§13.2.2.4: needs one when it came again by another', () => {
    expect(faultsAfter(INVITE, by(7, OK), lost, by(8, OK), BYE).join()).toContain('got no ACK');
  });
});

test('§15.1.2: after their BYE nothing is sent, unless it was refused because the 2xx had not come', () => {
  const ringing = got('180 Ringing', 'INVITE', { cseq: 1, tag: 'them' });
  const bye = theirs('BYE', { cseq: 1, branch: 'z9hG4bKt' });
  const refused = answered('481 Gone', 'BYE', { cseq: 1, branch: 'z9hG4bKt' });
  const accepted = answered('200 OK', 'BYE', { cseq: 1, branch: 'z9hG4bKt' });
  expect(faultsAfter(INVITE, ringing, bye, refused, OK, ACK, BYE)).toEqual([]);
  expect(faultsAfter(INVITE, OK, ACK, bye, accepted, BYE).join()).toContain('BYE after a BYE came');
});

test('what a killed program still says is not heard; what a closed one says is', async () => {
  const world = createWorld({ seed: 1 });
  const witness = new WireWitness(() => world.clock.now());
  const local = { address: '10.0.0.1', port: 5060 };
  const open = async (name: string, address: string) =>
    world.use(
      await world.run(() =>
        witness
          .watch(world.host(name, address).ports.network)
          .openUdp({ local: { ...local, address }, onMessage: () => {}, onError: () => {} }),
      ),
    );
  const answer = Buffer.from(message('SIP/2.0 480 Gone', 'INVITE', { cseq: 1, tag: 'x' }));
  const first = await open('first', '10.0.0.1');
  witness.killed();
  first.send(answer, local);
  expect(witness.faults).toEqual([]);
  const second = await open('second', '10.0.0.2');
  witness.restarted();
  second.send(answer, local);
  expect(witness.faults.join()).toContain('answers no request');
  await world.close();
});
