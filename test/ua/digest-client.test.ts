import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DIGEST_ALGORITHMS } from '../../src/protocol/digest/algorithm.js';
import { makeSecret } from '../../src/protocol/digest/compute.js';
import { type DigestCredentials, parseCredentials } from '../../src/protocol/digest/credentials.js';
import { createRequest, createResponse, SipRequest, type SipResponse } from '../../src/protocol/sip/message.js';
import { parseMessage } from '../../src/protocol/sip/parse.js';
import { printMessage } from '../../src/protocol/sip/print.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { ChallengingPeer, CredentialSource } from '../../src/ua/credential-source.js';
import { DigestChallenger } from '../../src/ua/digest-challenger.js';
import { type AnsweredChallenges, DigestClient } from '../../src/ua/digest-client.js';

const peer: ChallengingPeer = { protocol: 'udp', remote: { address: '192.0.2.1', port: 5060 }, secure: false };
const password: CredentialSource = { secretFor: () => ({ username: 'jäsøn', password: 'Secret, or not?' }) };

function client(credentials: CredentialSource = password): DigestClient {
  return new DigestClient({ credentials, random: new SeededRandom(5) });
}

function invite(body = ''): SipRequest {
  return createRequest({
    method: 'INVITE',
    uri: 'sip:200@pbx.example',
    headers: {
      Via: 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1',
      From: '<sip:100@pbx.example>;tag=a',
      To: '<sip:200@pbx.example>',
      'Call-ID': 'c1',
      CSeq: '7 INVITE',
      'Max-Forwards': '70',
    },
    ...(body === '' ? {} : { body, contentType: 'application/sdp' }),
  });
}

const response401 = (...challenges: string[]): SipResponse =>
  createResponse(401, { headers: { 'WWW-Authenticate': challenges } });
const response407 = (...challenges: string[]): SipResponse =>
  createResponse(407, { headers: { 'Proxy-Authenticate': challenges } });

function answer(
  ua: DigestClient,
  request: SipRequest,
  response: SipResponse,
  answered: AnsweredChallenges = new Map(),
): SipRequest | undefined {
  return ua.answer({ request, response, peer, address: peer.remote.address, answered });
}

function sent(request: SipRequest | undefined, name = 'Authorization'): DigestCredentials[] {
  return (request?.headers.get(name as 'Authorization') ?? []).flatMap((value) => parseCredentials(value) ?? []);
}

/** As it comes out at the other end. */
function overTheWire(request: SipRequest): SipRequest {
  const read = parseMessage(printMessage(request));
  if (!(read instanceof SipRequest)) throw new Error('a response came out');
  return read;
}

describe('client against challenger, over the wire', () => {
  test.each(DIGEST_ALGORITHMS)('%s: challenge, credentials, next requests at once, stale, on', async (algorithm) => {
    const clock = new ManualClock();
    const realm = 'pbx "main" ünï';
    const challenger = new DigestChallenger({ clock, random: new SeededRandom(1), algorithms: [algorithm] });
    const stored = makeSecret({ username: 'jäsøn', realm, password: 'Secret, or not?' });
    const options = { kind: 'proxy', tenantId: 't', realm } as const;
    const verify = (request: SipRequest) =>
      challenger.verify(overTheWire(request), {
        ...options,
        lookup: async (username) => (username === 'jäsøn' ? stored : undefined),
      });
    const challenge = (stale: boolean): SipResponse => {
      const response = createResponse(407, {
        headers: { ...challenger.challengeHeaders({ ...options, stale }), CSeq: '7 INVITE' },
      });
      return parseMessage(printMessage(response)) as SipResponse;
    };
    const ua = client();
    const first = invite();
    expect(ua.authorize(first)).toBe(first);
    expect(await verify(first)).toMatchObject({ kind: 'challenge', cause: 'missing' });

    const second = answer(ua, first, challenge(false)) as SipRequest;
    expect(first.headers.has('Proxy-Authorization')).toBe(false);
    expect(await verify(second)).toEqual({ kind: 'accepted', username: 'jäsøn' });

    for (const nc of [2, 3]) {
      const next = ua.authorize(invite());
      expect(sent(next, 'Proxy-Authorization')[0]?.nc).toBe(nc);
      expect(await verify(next)).toMatchObject({ kind: 'accepted' });
    }

    await clock.advance(400_000);
    const late = ua.authorize(invite());
    expect(await verify(late)).toMatchObject({ kind: 'challenge', stale: true, cause: 'stale' });
    const again = answer(ua, late, challenge(true)) as SipRequest;
    expect(sent(again, 'Proxy-Authorization').map((each) => each.nc)).toEqual([1]);
    expect(await verify(again)).toMatchObject({ kind: 'accepted' });
  });

  test('a wrong password is given up after one try', async () => {
    const challenger = new DigestChallenger({ clock: new ManualClock(), random: new SeededRandom(1) });
    const options = { kind: 'www', tenantId: 't', realm: 'r' } as const;
    const stored = makeSecret({ username: 'jäsøn', realm: 'r', password: 'another' });
    const ua = client();
    const challenge = (stale: boolean) =>
      createResponse(401, { headers: challenger.challengeHeaders({ ...options, stale }) });
    const answered = new Map<string, number>();
    const tried = answer(ua, invite(), challenge(false), answered) as SipRequest;
    const verdict = await challenger.verify(tried, { ...options, lookup: async () => stored });
    expect(verdict).toMatchObject({ kind: 'challenge', stale: false, cause: 'wrong' });
    expect(answer(ua, tried, challenge(false), answered)).toBeUndefined();
    // Another request under way beside it has not been refused (RFC 3261 §22.1).
    expect(answer(ua, invite(), challenge(false))).toBeDefined();
  });
});

describe('RFC 8760 §2.4 choice of challenge', () => {
  const md5 = 'Digest realm="r", nonce="n1", algorithm=MD5, qop="auth"';
  const sha256 = 'Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth"';
  const sha512 = 'Digest realm="r", nonce="n3", algorithm=SHA-512-256, qop="auth"';

  test('the strongest, wherever it stands; one answer for each realm', () => {
    expect(sent(answer(client(), invite(), response401(md5, sha512, sha256))).map((each) => each.algorithm)).toEqual([
      'SHA-512-256',
    ]);
  });

  test('only what the source has a secret for', () => {
    const limited: CredentialSource = {
      secretFor: ({ algorithm }) => (algorithm === 'MD5' ? { username: 'u', password: 'p' } : undefined),
    };
    expect(sent(answer(client(limited), invite(), response401(sha256, md5)))[0]?.algorithm).toBe('MD5');
  });

  test('HA1 values serve their own realm only (ES2021-05)', () => {
    const bound: CredentialSource = { secretFor: () => makeSecret({ username: 'u', realm: 'trunk', password: 'p' }) };
    expect(answer(client(bound), invite(), response401(md5))).toBeUndefined();
    expect(answer(client(bound), invite(), response401(md5.replace('"r"', '"trunk"')))).toBeDefined();
  });

  test('the source sees who challenges', () => {
    const asked: unknown[] = [];
    const source: CredentialSource = {
      secretFor: (request, from) => {
        asked.push(request, from);
        return undefined;
      },
    };
    expect(answer(client(source), invite(), response401(md5))).toBeUndefined();
    expect(asked).toEqual([{ realm: 'r', algorithm: 'MD5' }, peer]);
  });

  test.each<[string, string]>([
    ['an unknown algorithm', 'Digest realm="r", nonce="n", algorithm=SHA-1'],
    ['an unknown scheme', 'Bearer authz_server="https://as.example"'],
    ['a scheme with another grammar', 'Negotiate YII=='],
    ['only unknown qop values', 'Digest realm="r", nonce="n", qop="x,y"'],
    ['no nonce', 'Digest realm="r", qop="auth"'],
  ])('%s is ignored', (_, text) => {
    expect(answer(client(), invite(), response401(text))).toBeUndefined();
    expect(sent(answer(client(), invite(), response401(text, md5)))[0]?.nonce).toBe('n1');
  });

  test('RFC 7616 §3.3: unknown qop values beside auth are ignored; opaque is echoed', () => {
    const [made] = sent(
      answer(client(), invite(), response401(`${md5.replace('"auth"', '"x,auth-int,auth"')}, opaque="o p"`)),
    );
    expect(made).toMatchObject({ qop: 'auth', opaque: 'o p', nc: 1 });
  });

  test('RFC 3261 §22.4 item 8: no qop, so neither count nor cnonce', () => {
    const [made] = sent(answer(client(), invite(), response401('Digest realm="r", nonce="n"')));
    expect([made?.qop, made?.nc, made?.cnonce]).toEqual([undefined, undefined, undefined]);
  });

  test('auth-int alone is done over the body', () => {
    const text = 'Digest realm="r", nonce="n", qop="auth-int"';
    const [with1] = sent(answer(client(), invite('v=0\r\n'), response401(text)));
    const [with2] = sent(answer(client(), invite('v=1\r\n'), response401(text)));
    expect(with1?.qop).toBe('auth-int');
    expect(with1?.cnonce).toBe(with2?.cnonce);
    expect(with1?.response).not.toBe(with2?.response);
  });

  test('-sess keeps its cnonce while the nonce lasts', () => {
    const ua = client();
    const first = answer(ua, invite(), response401('Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"'));
    const [a, b] = [sent(first)[0], sent(ua.authorize(invite()))[0]];
    expect([a?.nc, b?.nc, a?.algorithm]).toEqual([1, 2, 'MD5-sess']);
    expect(a?.cnonce).toBe(b?.cnonce);
  });
});

describe('RFC 3261 §22.3 several challengers', () => {
  const proxy = 'Digest realm="proxy", nonce="p1", qop="auth"';
  const server = 'Digest realm="server", nonce="s1", qop="auth"';

  test('407, then 401: the second request carries both, the proxy’s count raised', () => {
    const ua = client();
    const answered = new Map<string, number>();
    const second = answer(ua, invite(), response407(proxy), answered) as SipRequest;
    const third = answer(ua, second, response401(server), answered) as SipRequest;
    expect(sent(third).map((each) => [each.realm, each.nc])).toEqual([['server', 1]]);
    expect(sent(third, 'Proxy-Authorization').map((each) => [each.realm, each.nc])).toEqual([['proxy', 2]]);
    expect(answer(ua, third, response407(proxy), answered)).toBeUndefined();
  });

  test('a fork’s merged challenges are answered together', () => {
    const merged = createResponse(407, { headers: { 'WWW-Authenticate': [server], 'Proxy-Authenticate': [proxy] } });
    const again = answer(client(), invite(), merged);
    expect([sent(again).length, sent(again, 'Proxy-Authorization').length]).toEqual([1, 1]);
  });

  test('stale=true is answered once more, not for ever', () => {
    const ua = client();
    const stale = `${server}, stale=true`;
    const answered = new Map<string, number>();
    const second = answer(ua, invite(), response401(server), answered) as SipRequest;
    const third = answer(ua, second, response401(stale), answered) as SipRequest;
    expect(third).toBeDefined();
    expect(answer(ua, third, response401(stale), answered)).toBeUndefined();
  });
});

test('no response header makes it throw', () => {
  const junk = fc
    .string({ maxLength: 60 })
    .map((text) => [...text].filter((c) => c >= ' ' && c !== '\x7f').join(''))
    .map((text) => `Digest realm="r", ${text}`);
  fc.assert(
    fc.property(junk, (text) => {
      answer(client(), invite(), response401(text));
    }),
    { numRuns: 300 },
  );
});

test('credentials are shown unasked only where a challenge to what was sent there has been answered', () => {
  const ua = client();
  expect(ua.isFor('192.0.2.9')).toBe(true);
  answer(ua, invite(), response401('Digest realm="r", nonce="n", qop="auth"'));
  expect(ua.isFor(peer.remote.address)).toBe(true);
  expect(ua.isFor('192.0.2.9')).toBe(false);
});
