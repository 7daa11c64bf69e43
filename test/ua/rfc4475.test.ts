import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import type { SipResponse } from '../../src/protocol/sip/message.js';
import { parseMessage } from '../../src/protocol/sip/parse.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import { Uas } from '../../src/ua/request-chain.js';
import { FakeTransport } from '../transaction/fake-transport.js';

const ROOT = process.env['PBXKIT_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
const FOLDER = `${ROOT}/rfc4475`;
const present = existsSync(FOLDER);

/** What a UAS core that knows nobody answers to the message. */
function answerTo(file: string): SipResponse {
  const clock = new ManualClock();
  const transport = new FakeTransport(clock);
  const transactions = new TransactionLayer({
    transport,
    scheduler: clock,
    random: new SeededRandom(1),
    logger: silentLogger,
  });
  new Uas({
    transactions,
    logger: silentLogger,
    scheduler: clock,
    takers: [],
    tenantOf: () => 'default',
    allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER'],
    supported: [],
  });
  const message = parseMessage(readFileSync(`${FOLDER}/${file}.dat`));
  if (message.kind !== 'request') throw new Error(`${file} is no request`);
  transport.receiveRequest(message);
  return transport.lastResponse;
}

describe.skipIf(!present)(`RFC 4475 at the UAS core${present ? '' : ' (skipped: the corpora are not here)'}`, () => {
  it.each([
    ['3.1.1.1', 'wsinv', 481],
    ['3.1.1.2', 'intmeth', 501],
    ['3.1.1.5', 'esc02', 501],
    ['3.1.1.6', 'lwsdisp', 200],
    ['3.1.1.7', 'longreq', 404],
    ['3.1.1.10', 'transports', 200],
    ['3.3.2', 'unkscm', 416],
    ['3.3.3', 'novelsc', 416],
    ['3.3.5', 'bext01', 420],
    ['3.3.6', 'invut', 415],
    ['3.3.11', 'zeromf', 200],
    ['3.3.15', 'sdp01', 406],
    ['3.4.1', 'inv2543', 404],
  ])('§%s %s: %i', (_section, file, status) => {
    expect(answerTo(file).status).toBe(status);
  });

  it('§3.3.5 bext01: Unsupported lists the tags of both headers', () => {
    expect(answerTo('bext01').headers.get('Unsupported')).toEqual([
      'nothingSupportsThis',
      'nothingSupportsThisEither',
      'noProxiesSupportThis',
      'norDoAnyProxiesSupportThis',
    ]);
  });

  it('§3.3.15 sdp01: the 406 says why', () => {
    expect(answerTo('sdp01').headers.get('Warning')?.[0]?.code).toBe(399);
  });
});
