import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../../src/protocol/digest/algorithm.js';
import { parseChallenge } from '../../src/protocol/digest/challenge.js';
import { type DigestSecret, digestResponse, makeSecret } from '../../src/protocol/digest/compute.js';
import { type DigestCredentials, formatCredentials } from '../../src/protocol/digest/credentials.js';
import { auth } from '../../src/protocol/sip/header/auth.js';
import { SipHeaders } from '../../src/protocol/sip/headers.js';
import { createRequest, type SipRequest } from '../../src/protocol/sip/message.js';
import { Scanner } from '../../src/protocol/sip/scanner.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import {
  DigestChallenger,
  type DigestChallengerOptions,
  type Verdict,
  type VerifyOptions,
} from '../../src/ua/digest-challenger.js';

const realm = 'pbx.example';
const secret = makeSecret({ username: '100', realm, password: 'pa55' });
const key = new Uint8Array(32).fill(7);

interface Desk {
  readonly clock: ManualClock;
  readonly challenger: DigestChallenger;
  /** The nonce of a fresh challenge. */
  nonce(algorithm?: DigestAlgorithm, tenantId?: string): string;
  verify(request: SipRequest, changes?: Partial<VerifyOptions>): Promise<Verdict>;
}

function desk(options: Partial<DigestChallengerOptions> = {}, clock = new ManualClock()): Desk {
  const random = options.random ?? new SeededRandom(1);
  const challenger = new DigestChallenger({ clock, random, secret: key, ...options });
  return {
    clock,
    challenger,
    nonce: (algorithm = 'MD5', tenantId = 't') => {
      const headers = challenger.challengeHeaders({
        kind: 'www',
        tenantId,
        realm,
        algorithms: [algorithm],
        stale: false,
      });
      return challengesIn(SipHeaders.from(headers))[0]?.nonce as string;
    },
    verify: (request, changes = {}) =>
      challenger.verify(request, {
        kind: 'www',
        tenantId: 't',
        realm,
        lookup: async (username) => (username === '100' ? secret : undefined),
        ...changes,
      }),
  };
}

function challengesIn(headers: SipHeaders) {
  return headers
    .raw('WWW-Authenticate')
    .flatMap((text) => auth('WWW-Authenticate').read(Scanner.of(text)))
    .flatMap((value) => parseChallenge(value) ?? []);
}

function register(...authorization: string[]): SipRequest {
  const headers = new SipHeaders();
  for (const text of authorization) headers.append('Authorization', text);
  return createRequest({ method: 'REGISTER', uri: 'sip:pbx.example', headers });
}

type Changes = Partial<Omit<DigestCredentials, 'nc'>> & { readonly password?: string; readonly nc?: number };

function credentials(nonce: string, changes: Changes = {}): DigestCredentials {
  const { password = 'pa55', ...rest } = changes;
  const base = {
    username: '100',
    realm,
    nonce,
    uri: 'sip:pbx.example',
    algorithm: 'MD5',
    cnonce: 'c',
    qop: 'auth',
    nc: 1,
    ...rest,
  };
  const own = makeSecret({ username: base.username, realm: base.realm, password });
  const ha1 = own.ha1[base.algorithm as DigestAlgorithm] ?? (own.ha1.MD5 as string);
  const response = changes.response ?? digestResponse({ ...base, ha1, method: 'REGISTER' });
  return { ...base, response };
}

const authorized = (nonce: string, changes: Changes = {}): SipRequest =>
  register(formatCredentials(credentials(nonce, changes)));

const accepted = { kind: 'accepted', username: '100' };
const challenge = (cause: string, stale = false) => ({ kind: 'challenge', stale, cause });

describe('RFC 3261 §22.2, RFC 7616 §3.4 verification', () => {
  test.each(DIGEST_ALGORITHMS)('right credentials with %s', async (algorithm) => {
    const { nonce, verify } = desk();
    const request = authorized(nonce(algorithm), { algorithm });
    expect(await verify(request, { algorithms: [algorithm] })).toEqual(accepted);
  });

  test('407: Proxy-Authorization, and only that', async () => {
    const { nonce, verify } = desk();
    const request = register();
    request.headers.append('Proxy-Authorization', formatCredentials(credentials(nonce())));
    expect(await verify(request)).toMatchObject(challenge('missing'));
    expect(await verify(request, { kind: 'proxy' })).toEqual(accepted);
  });

  test('§22.1: wrong password, and another method', async () => {
    const { nonce, verify } = desk();
    expect(await verify(authorized(nonce(), { password: 'guess' }))).toMatchObject({
      ...challenge('wrong'),
      username: '100',
    });
    const moved = authorized(nonce()).with({ method: 'INVITE' });
    expect(await verify(moved)).toMatchObject(challenge('wrong'));
  });

  test('RFC 3261 §22.3: credentials for other realms stand beside ours', async () => {
    const { nonce, verify } = desk();
    const other = formatCredentials(credentials('elsewhere', { realm: 'other.example' }));
    const ours = formatCredentials(credentials(nonce()));
    expect(await verify(register(other, ours))).toEqual(accepted);
    expect(await verify(register(other))).toMatchObject(challenge('missing'));
  });

  test('phones quote algorithm, qop and nc', async () => {
    const { nonce, verify } = desk();
    const text = formatCredentials(credentials(nonce()))
      .replace('algorithm=MD5', 'algorithm="MD5"')
      .replace('qop=auth', 'qop="auth"')
      .replace('nc=00000001', 'nc="00000001"');
    expect(await verify(register(text))).toEqual(accepted);
  });

  test('the count is hashed as sent: capital hexadecimal digits', async () => {
    const { nonce, verify } = desk();
    const upper = credentials(nonce(), { nc: 10, ncText: '0000000A' });
    const response = digestResponse({ ...upper, ha1: secret.ha1.MD5 as string, nc: '0000000A', method: 'REGISTER' });
    expect(await verify(register(formatCredentials({ ...upper, response })))).toEqual(accepted);
  });
});

describe('what is not for us, and what is malformed', () => {
  test.each<[string, string]>([
    ['RFC 4475 §3.3.5 regaut01: unknown scheme', 'NoOneKnowsThisScheme opaque-data=here'],
    ['a scheme whose grammar is not ours', 'Bearer abc.def=='],
  ])('%s: challenged', async (_, text) => {
    expect(await desk().verify(register(text))).toMatchObject(challenge('missing'));
  });

  test('a readable line counts beside an unreadable one of another scheme', async () => {
    const { nonce, verify } = desk();
    expect(await verify(register('Bearer abc.def==', formatCredentials(credentials(nonce()))))).toEqual(accepted);
  });

  test.each(['username', 'realm', 'nonce', 'uri', 'response', 'cnonce', 'nc'])('%s missing: 400', async (name) => {
    const { nonce, verify } = desk();
    const fields = formatCredentials(credentials(nonce())).slice('Digest '.length).split(', ');
    const text = `Digest ${fields.filter((each) => !each.startsWith(`${name}=`)).join(', ')}`;
    expect(await verify(register(text))).toMatchObject({ kind: 'malformed', status: 400 });
  });

  test.each(['Digest', 'Digest username="a', 'Digest username=, realm="x"'])('%s: 400', async (text) => {
    expect(await desk().verify(register(text))).toMatchObject({ kind: 'malformed', status: 400 });
  });

  test('nc that is not eight hexadecimal digits: 400', async () => {
    const { nonce, verify } = desk();
    const text = formatCredentials(credentials(nonce())).replace('nc=00000001', 'nc=1');
    expect(await verify(register(text))).toMatchObject({ kind: 'malformed' });
  });

  test('RFC 8760 §2.7: an empty response names the user only', async () => {
    const { nonce, verify } = desk();
    expect(await verify(authorized(nonce(), { response: '' }))).toMatchObject(challenge('missing'));
  });

  test('RFC 8760 §2.6 item 8: qop=auth is needed, for without a count there is no replay check', async () => {
    const { nonce, verify } = desk();
    const { qop: _, nc: __, cnonce: ___, ...legacy } = credentials(nonce());
    const response = digestResponse({ ...legacy, ha1: secret.ha1.MD5 as string, method: 'REGISTER' });
    expect(await verify(register(formatCredentials({ ...legacy, response })))).toMatchObject(challenge('missing'));
    expect(await verify(authorized(nonce(), { qop: 'auth-int' }))).toMatchObject(challenge('missing'));
  });
});

describe('RFC 8760 §2.3 algorithms', () => {
  test('MD5 alone by default; several are challenged strongest first, each with its own nonce', () => {
    const { challenger } = desk();
    const options = { kind: 'www', tenantId: 't', realm, stale: true } as const;
    expect(challengesIn(SipHeaders.from(challenger.challengeHeaders(options))).map((each) => each.algorithm)).toEqual([
      'MD5',
    ]);
    const several = challengesIn(
      SipHeaders.from(
        challenger.challengeHeaders({ ...options, algorithms: ['MD5', 'SHA-512-256', 'SHA-256', 'MD5'] }),
      ),
    );
    expect(several.map((each) => each.algorithm)).toEqual(['SHA-512-256', 'SHA-256', 'MD5']);
    expect(new Set(several.map((each) => each.nonce)).size).toBe(3);
    expect(several.every((each) => each.stale && each.qop.join() === 'auth' && each.realm === realm)).toBe(true);
  });

  test('no downgrade: an algorithm that was not offered is not accepted', async () => {
    const { nonce, verify } = desk();
    expect(await verify(authorized(nonce()), { algorithms: ['SHA-256'] })).toMatchObject(challenge('missing'));
    expect(await verify(authorized(nonce(), { algorithm: 'SHA-1', response: 'ab' }))).toMatchObject(
      challenge('missing'),
    );
    expect(await verify(authorized(nonce(), { algorithm: 'MD5-sess' }))).toMatchObject(challenge('missing'));
  });

  test('a nonce serves only the algorithm and the tenant it was made for', async () => {
    const { nonce, verify } = desk();
    const crossed = authorized(nonce('SHA-256'), { algorithm: 'MD5' });
    expect(await verify(crossed, { algorithms: ['SHA-256', 'MD5'] })).toMatchObject(challenge('stale', true));
    expect(await verify(authorized(nonce('MD5', 'other')))).toMatchObject(challenge('stale', true));
  });

  test('of several good credentials the strongest is judged', async () => {
    const { nonce, verify } = desk();
    const weak = formatCredentials(credentials(nonce()));
    const strong = formatCredentials(credentials(nonce('SHA-256'), { algorithm: 'SHA-256', password: 'guess' }));
    expect(await verify(register(weak, strong), { algorithms: ['MD5', 'SHA-256'] })).toMatchObject(challenge('wrong'));
  });

  test('a secret without a value for the algorithm', async () => {
    const { nonce, verify } = desk();
    const partial: DigestSecret = { ...secret, ha1: { 'SHA-256': secret.ha1['SHA-256'] as string } };
    expect(await verify(authorized(nonce()), { lookup: async () => partial })).toMatchObject(challenge('wrong'));
  });
});

describe('no user oracle', () => {
  test('an unknown user and a wrong password look the same, and both are looked up once', async () => {
    const { nonce, verify, challenger } = desk();
    const asked: string[] = [];
    const lookup = async (username: string): Promise<DigestSecret | undefined> => {
      asked.push(username);
      return username === '100' ? secret : undefined;
    };
    const known = await verify(authorized(nonce(), { password: 'guess' }), { lookup });
    const unknown = await verify(authorized(nonce(), { username: '999', password: 'guess' }), { lookup });
    expect({ ...known, username: '' }).toEqual({ ...unknown, username: '' });
    expect(asked).toEqual(['100', '999']);
    const headers = (): string =>
      JSON.stringify(challenger.challengeHeaders({ kind: 'www', tenantId: 't', realm, stale: false }));
    expect(headers().length).toBe(headers().length);
  });

  test('stale is told only to those who know the password', async () => {
    const { clock, nonce, verify } = desk();
    const old = nonce();
    await clock.advance(301_000);
    expect(await verify(authorized(old))).toMatchObject(challenge('stale', true));
    expect(await verify(authorized(old, { password: 'guess' }))).toMatchObject(challenge('wrong'));
    expect(await verify(authorized(old, { username: '999' }))).toMatchObject(challenge('wrong'));
  });
});

describe('RFC 7616 §3.3 nonce lifetime', () => {
  test('fresh for 300 s, then stale', async () => {
    const { clock, nonce, verify } = desk();
    const first = nonce();
    await clock.advance(300_000);
    expect(await verify(authorized(first))).toEqual(accepted);
    await clock.advance(1);
    expect(await verify(authorized(first, { nc: 2 }))).toMatchObject(challenge('stale', true));
  });

  test('any node with the secret verifies it, also after a restart; without the secret it is stale', async () => {
    const clock = new ManualClock();
    const first = desk({}, clock);
    const request = authorized(first.nonce());
    expect(await desk({ random: new SeededRandom(2) }, clock).verify(request)).toEqual(accepted);
    const stranger = desk({ secret: new Uint8Array(32).fill(8) }, clock);
    expect(await stranger.verify(request)).toMatchObject(challenge('stale', true));
  });

  test('the wall clock jumps: back and a nonce is from the future, forth and it is old; both heal', async () => {
    const { clock, nonce, verify } = desk();
    const first = nonce();
    clock.jumpWallTime(-3_600_000);
    expect(await verify(authorized(first))).toMatchObject(challenge('stale', true));
    const second = nonce();
    expect(await verify(authorized(second))).toEqual(accepted);
    clock.jumpWallTime(3_600_000);
    expect(await verify(authorized(second, { nc: 2 }))).toMatchObject(challenge('stale', true));
    expect(await verify(authorized(nonce()))).toEqual(accepted);
  });

  test('another node may be a little ahead', async () => {
    const { clock, nonce, verify } = desk();
    clock.jumpWallTime(4_000);
    const ahead = nonce();
    clock.jumpWallTime(-4_000);
    expect(await verify(authorized(ahead))).toEqual(accepted);
  });

  test.each(['', 'x', 'A'.repeat(40), 'é'.repeat(40), `${'A'.repeat(39)}=`])('made-up nonce %j', async (made) => {
    const verdict = await desk().verify(authorized(made));
    expect(verdict).toMatchObject(made === '' ? challenge('missing') : challenge('stale', true));
  });

  test('a nonce has one spelling', async () => {
    const { nonce, verify } = desk();
    const text = nonce();
    const swapped = text.includes('-') ? text.replace('-', '+') : text.replace('_', '/');
    const other = swapped === text ? `${text.slice(0, 39)}${text.endsWith('A') ? 'B' : 'A'}` : swapped;
    expect(await verify(authorized(other))).toMatchObject(challenge('stale', true));
  });
});

describe('RFC 7616 §3.4 nonce count', () => {
  test('each count once; requests may overtake one another', async () => {
    const { nonce, verify } = desk();
    const text = nonce();
    const results: string[] = [];
    for (const nc of [1, 1, 3, 2, 2, 40, 9, 8, 41, 40]) {
      const verdict = await verify(authorized(text, { nc }));
      results.push(verdict.kind === 'challenge' ? `${verdict.cause} ${verdict.stale}` : verdict.kind);
    }
    const replay = 'replay true';
    expect(results).toEqual([
      ...['accepted', replay, 'accepted', 'accepted', replay],
      ...['accepted', 'accepted', replay, 'accepted', replay],
    ]);
  });

  test('a phone that always says nc=1 gets a new nonce and goes on', async () => {
    const { nonce, verify } = desk();
    const text = nonce();
    await verify(authorized(text));
    expect(await verify(authorized(text))).toMatchObject(challenge('replay', true));
    expect(await verify(authorized(nonce()))).toEqual(accepted);
  });

  test('wrong credentials use up no count and no memory', async () => {
    const { nonce, verify } = desk({ maxNonces: 1 });
    const [first, second] = [nonce(), nonce()];
    await verify(authorized(first));
    await verify(authorized(second, { password: 'guess' }));
    expect(await verify(authorized(first))).toMatchObject(challenge('replay', true));
  });

  test('when counts had to make room, an old nonce without a count is refused, a young one is not', async () => {
    const { clock, nonce, verify } = desk({ maxNonces: 2 });
    const first = nonce();
    expect(await verify(authorized(first))).toEqual(accepted);
    await clock.advance(11_000);
    for (let i = 0; i < 3; i++) expect(await verify(authorized(nonce()))).toEqual(accepted);
    expect(await verify(authorized(first))).toMatchObject(challenge('replay', true));
    expect(await verify(authorized(nonce()))).toEqual(accepted);
  });
});

describe('RFC 8760 §2.6 item 6: the digest uri', () => {
  const uri = 'sip:192.0.2.10:5060';
  test('another uri is hashed as sent, and accepted if it addresses this server', async () => {
    const { nonce, verify } = desk();
    const seen: string[] = [];
    const acceptsUri: VerifyOptions['acceptsUri'] = (each) => each.kind === 'sip' && seen.push(each.host) === 1;
    expect(await verify(authorized(nonce(), { uri }), { acceptsUri })).toEqual(accepted);
    expect(seen).toEqual(['192.0.2.10']);
  });

  test('otherwise 400, for known and unknown users alike, without asking the directory', async () => {
    const { nonce, verify } = desk();
    const lookup = async (): Promise<DigestSecret | undefined> => {
      throw new Error('asked');
    };
    expect(await verify(authorized(nonce(), { uri }), { lookup })).toMatchObject({ kind: 'malformed', status: 400 });
    expect(await verify(authorized(nonce(), { uri: 'no uri' }), { lookup })).toMatchObject({ kind: 'malformed' });
  });

  test('an equal uri in another spelling', async () => {
    const { nonce, verify } = desk();
    expect(await verify(authorized(nonce(), { uri: 'SIP:PBX.example' }))).toEqual(accepted);
  });
});

test('a failing directory is the caller’s to handle', async () => {
  const { nonce, verify } = desk();
  const lookup = async (): Promise<DigestSecret | undefined> => {
    throw new Error('store is down');
  };
  await expect(verify(authorized(nonce()), { lookup })).rejects.toThrow('store is down');
});

test('options are checked', () => {
  const options = { clock: new ManualClock(), random: new SeededRandom(1) };
  for (const wrong of [
    { secret: new Uint8Array(31) },
    { algorithms: [] },
    { nonceLifetimeSeconds: 0 },
    { nonceLifetimeSeconds: Number.NaN },
  ]) {
    expect(() => new DigestChallenger({ ...options, ...wrong })).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
  }
});

test('the digest is really over HA1, nonce, count, cnonce and qop: computed by hand', async () => {
  const { nonce, verify } = desk();
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const text = nonce();
  const response = md5(`${md5('100:pbx.example:pa55')}:${text}:00000001:c:auth:${md5('REGISTER:sip:pbx.example')}`);
  expect(await verify(authorized(text, { response }))).toEqual(accepted);
});
