import * as v from 'valibot';
import { isMailAddress } from '../base/mail-address.js';
import { having, mediaMode, networkList, whole } from '../base/schema-parts.js';
import { isRecord } from '../base/schema-walk.js';
import { rulesSchema } from '../dialplan/rules-schema.js';
import { isNumber } from '../directory/extension.js';
import { natEntries } from '../nat/options-schema.js';
import { DEFAULT_TRANSACTION_LIMITS } from '../transaction/layer.js';
import { DEFAULT_TRANSPORT_LIMITS } from '../transport/limits.js';
import { linesAndTrunksEntries, namesOnce } from '../trunk/lines-and-trunks.js';
import { DEFAULT_REQUEST_LIMITS } from '../ua/request-chain.js';
import { PbxConfigError } from './config-error.js';
import { LISTEN_EXAMPLE, parseListen } from './listen.js';
import { mediaSchema } from './media-schema.js';
import { check } from './option-problems.js';
import type { PbxChanges, PbxOptions } from './options.js';
import { tlsSchema } from './tls-schema.js';

const HOST = 'a host name such as "office.example"';
const EMAIL = 'an address such as "alice@office.example"';
const NUMBER = '1–64 letters, digits or + * # . _ ~ ! -, such as "100"';

const host = v.pipe(
  v.string(HOST),
  v.regex(/^(?=.{1,253}$)(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?)$/, HOST),
);
const seconds = (max: number) => whole(1, max);
const digest = v.pipe(
  v.array(v.picklist(['MD5', 'SHA-256', 'SHA-512-256'], '"MD5", "SHA-256" or "SHA-512-256"'), 'a list of algorithms'),
  v.minLength(1, 'at least one algorithm'),
  v.check((list) => new Set(list).size === list.length, 'each algorithm once'),
);
const text = (max: number) =>
  v.pipe(
    v.string('a text'),
    v.maxLength(max, `at most ${max} characters`),
    v.regex(/^[^\p{Cc}]*$/u, 'a text without control characters'),
  );

function func(what: string) {
  return v.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', what);
}

const mailAddress = v.pipe(
  v.string(EMAIL),
  v.check((address) => isMailAddress(address), EMAIL),
);

const extension = v.strictObject(
  {
    number: v.pipe(
      v.string(NUMBER),
      v.check((number) => isNumber(number), NUMBER),
    ),
    password: v.pipe(
      v.string('a password'),
      v.minLength(1, 'a password that is not empty'),
      v.maxLength(256, 'at most 256 characters'),
    ),
    name: v.optional(text(128)),
    email: v.optional(mailAddress),
    digest: v.optional(digest),
    enabled: v.optional(v.boolean('true or false')),
    maxContacts: v.optional(whole(1, 1000)),
    noAnswerSeconds: v.optional(seconds(3600)),
    kind: v.optional(v.picklist(['phone', 'server'], '"phone" or "server"')),
    levels: v.optional(v.array(text(128), 'a list of call levels')),
    media: v.optional(mediaMode),
  },
  'an extension such as { "number": "100", "password": "…", "name": "Alice" }',
);

const extensions = v.pipe(
  v.array(extension, 'a list of extensions'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const seen = new Map<string, number>();
    dataset.value.forEach(({ number }, index) => {
      const first = seen.get(number);
      if (first === undefined) seen.set(number, index);
      else {
        addIssue({
          message: `a number of its own: extensions[${first}] has it already`,
          input: number,
          path: [
            { type: 'array', origin: 'value', input: dataset.value, key: index, value: dataset.value[index] },
            {
              type: 'object',
              origin: 'value',
              input: dataset.value[index] as object as Record<string, unknown>,
              key: 'number',
              value: number,
            },
          ],
        });
      }
    });
  }),
);

const sessionTimer = v.strictObject(
  {
    seconds: v.optional(seconds(86_400)),
    minSeconds: v.optional(seconds(86_400)),
    always: v.optional(v.boolean('true or false')),
  },
  'false, or options such as { "seconds": 1800 }',
);

const calls = v.strictObject(
  {
    noAnswerSeconds: v.optional(seconds(3600)),
    maxCalls: v.optional(whole(1, 1_000_000)),
    maxCallsPerExtension: v.optional(whole(1, 1_000_000)),
    sessionTimer: v.optional(
      v.union([v.literal(false), sessionTimer], 'false, or options such as { "seconds": 1800 }'),
    ),
    reliableProvisionals: v.optional(v.picklist(['required', 'sdp', 'always'], '"required", "sdp" or "always"')),
    transfers: v.optional(v.union([v.boolean(), func('a function')], 'true, false or a function')),
  },
  'options such as { "noAnswerSeconds": 60 }',
);

const outbound = v.strictObject(
  {
    selection: v.optional(
      v.picklist(
        ['round-robin', 'priority', 'least-used', 'weighted'],
        '"round-robin", "priority", "least-used" or "weighted"',
      ),
    ),
    registersPerSecond: v.optional(v.pipe(v.number('a number'), v.minValue(0.001, 'a number above 0'))),
    suspendAfter: v.optional(
      v.strictObject(
        { refusals: v.optional(whole(1, 1_000_000)), failures: v.optional(whole(1, 1_000_000)) },
        'counts such as { "refusals": 5 }',
      ),
    ),
  },
  'options such as { "selection": "priority" }',
);

/** Limits by name: those that the module has. `most`: what some of them cannot exceed. */
function limits(names: readonly string[], most: Readonly<Record<string, number>> = {}) {
  const count = v.pipe(v.number('a number'), v.minValue(0, 'a number of 0 or more'));
  const schemaOf = (name: string) => v.optional(name in most ? whole(1, most[name] as number) : count);
  return v.optional(v.strictObject(Object.fromEntries(names.map((name) => [name, schemaOf(name)])), 'limits by name'));
}

const rate = v.strictObject(
  {
    perSecond: v.pipe(v.number('a number'), v.minValue(0.001, 'a number above 0')),
    burst: v.optional(whole(1, 10_000_000)),
    allow: v.optional(networkList),
    maxSources: v.optional(whole(1, 10_000_000)),
  },
  'a rate such as { "perSecond": 100 }',
);

const schema = v.pipe(
  v.strictObject(
    {
      domain: host,
      aliases: v.optional(v.array(host, 'a list of host names')),
      listen: v.optional(
        v.pipe(
          v.array(
            v.pipe(
              v.string(LISTEN_EXAMPLE),
              v.check((each) => parseListen(each) !== undefined, LISTEN_EXAMPLE),
            ),
            `a list of addresses such as ["udp://0.0.0.0:5060"]`,
          ),
          v.minLength(1, 'at least one address'),
        ),
      ),
      tls: v.optional(tlsSchema),
      extensions: v.optional(extensions),
      directory: v.optional(having('a directory with find() and list()', ['find', 'list'])),
      trustedPeers: v.optional(networkList),
      digest: v.optional(digest),
      nonceSecret: v.optional(v.pipe(v.instance(Uint8Array, 'bytes'), v.minLength(32, '32 bytes or more'))),
      storage: v.optional(having('a storage such as memoryStorage()', ['records', 'blobs', 'close'])),
      registration: v.optional(
        v.pipe(
          v.strictObject(
            {
              minSeconds: v.optional(seconds(86_400)),
              maxSeconds: v.optional(seconds(604_800)),
              defaultSeconds: v.optional(seconds(604_800)),
              maxContacts: v.optional(whole(1, 1000)),
            },
            'options such as { "minSeconds": 60, "maxSeconds": 3600 }',
          ),
          v.check(
            ({ minSeconds = 60, maxSeconds = 3600, defaultSeconds = Math.min(3600, maxSeconds) }) =>
              minSeconds <= defaultSeconds && defaultSeconds <= maxSeconds,
            'minSeconds ≤ defaultSeconds ≤ maxSeconds (defaults 60, 3600, 3600)',
          ),
        ),
      ),
      ...linesAndTrunksEntries,
      dialPlan: v.optional(rulesSchema),
      outbound: v.optional(outbound),
      mailer: v.optional(having('a mailer such as smtp({ … })', ['send', 'close'])),
      notices: v.optional(
        v.strictObject(
          { administrator: v.optional(mailAddress) },
          'options such as { "administrator": "admin@office.example" }',
        ),
      ),
      calls: v.optional(calls),
      media: v.optional(mediaSchema),
      router: v.optional(func('a function that is given the own router and returns a router')),
      journal: v.optional(having('a call journal', ['save', 'remove', 'load'])),
      nodeId: v.optional(v.pipe(v.string('a name'), v.regex(/^[\w.-]{1,64}$/, 'letters, digits, "-", "_" and "."'))),
      limits: v.optional(
        v.strictObject(
          {
            // What is written may be no longer than what the parser reads by default.
            transport: limits(Object.keys(DEFAULT_TRANSPORT_LIMITS), {
              maxHeaderBytes: DEFAULT_TRANSPORT_LIMITS.maxHeaderBytes,
            }),
            transactions: limits(Object.keys(DEFAULT_TRANSACTION_LIMITS)),
            requests: limits(Object.keys(DEFAULT_REQUEST_LIMITS), {
              maxBodyParts: DEFAULT_REQUEST_LIMITS.maxBodyParts,
            }),
            maxDialogs: v.optional(whole(1, 10_000_000)),
            maxEarlyDialogs: v.optional(whole(1, 10_000)),
            maxEarlyDialogsInAll: v.optional(whole(1, 10_000_000)),
            maxBindings: v.optional(whole(1, 100_000_000)),
            maxNonces: v.optional(whole(1, 10_000_000)),
            rate: v.optional(rate),
          },
          'limits by module',
        ),
      ),
      admit: v.optional(func('a function')),
      ...natEntries,
      addressAdvisor: v.optional(having('an address advisor', ['advertise'])),
      serverName: v.optional(text(128)),
      logger: v.optional(having('a logger such as pino()', ['debug', 'info', 'warn', 'error', 'child'])),
      network: v.optional(having('a network', ['openUdp', 'listenTcp', 'connectTcp'])),
      scheduler: v.optional(having('a scheduler', ['now', 'at', 'after'])),
      random: v.optional(having('a source of randomness', ['bytes', 'integer', 'token'])),
    },
    'options such as { domain: "office.example", extensions: […] }',
  ),
  namesOnce(),
  v.check(
    ({ extensions: list, directory }) => list === undefined || directory === undefined,
    'extensions or directory, not both',
  ),
  v.check(
    ({ externalAddress, addressAdvisor }) => externalAddress === undefined || addressAdvisor === undefined,
    'externalAddress or addressAdvisor, not both',
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { listen = [], tls } = dataset.value;
    const key = listen.findIndex((each) => each.startsWith('tls://'));
    if (key < 0 || tls?.certificate !== undefined) return;
    const input: Record<string, unknown> = dataset.value;
    addIssue({
      message: 'a certificate and its key in tls.certificate beside it',
      input: listen[key],
      path: [
        { type: 'object', origin: 'value', input, key: 'listen', value: listen },
        { type: 'array', origin: 'value', input: listen, key, value: listen[key] },
      ],
    });
  }),
);

const changesSchema = v.strictObject(
  {
    extensions: v.optional(extensions),
    ...linesAndTrunksEntries,
    dialPlan: v.optional(rulesSchema),
    calls: v.optional(calls),
    tls: v.optional(tlsSchema),
  },
  'changes such as { extensions: […] }',
);

/** @throws PbxConfigError that lists every fault */
export function checkOptions(options: unknown): asserts options is PbxOptions {
  check(schema, options);
}

/** @throws PbxConfigError that lists every fault; anything but what `PbxChanges` names needs a new PBX */
export function checkChanges(changes: unknown): asserts changes is PbxChanges {
  const changeable = Object.keys(changesSchema.entries);
  const fixed = isRecord(changes)
    ? Object.keys(changes).filter((key) => !changeable.includes(key) && key in schema.entries)
    : [];
  if (fixed.length > 0) {
    const expected = `one of ${changeable.join(', ')}; for the rest make a new PBX`;
    throw new PbxConfigError(
      fixed.map((path) => ({ path, found: 'an option that cannot be changed while the PBX runs', expected })),
    );
  }
  check(changesSchema, changes);
}
