import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Child, Ended } from './child.js';
import { type EdgeOptions, edgeConfiguration } from './kamailio-edge.js';
import type { Lab } from './lab.js';
import { freeSipPort, tcpListening, udpBound } from './ports.js';
import { findProgram } from './programs.js';
import { until } from './recorded.js';
import type { OfficeOptions, SipServer } from './server.js';

const MODULES = [
  'kex',
  'tm',
  'tmx',
  'sl',
  'rr',
  'pv',
  'maxfwd',
  'textops',
  'siputils',
  'sanity',
  'usrloc',
  'registrar',
  'htable',
  'auth',
];

/** What a Kamailio with accounts may be told. */
export interface KamailioOptions extends OfficeOptions {
  readonly domain: string;
  /** An address of the loopback network: who is known by its address needs one of its own. Default 127.0.0.1. */
  readonly host?: string;
}

/**
 * Debian's Kamailio: as registrar and proxy with digest, the stand-in that proves the drivers before there is a server of
 * ours; or as an edge proxy in front of one.
 */
export class Kamailio implements SipServer {
  readonly host: string;
  readonly port: number;
  readonly #lab: Lab;
  readonly #dir: string;
  #child: Child | undefined;

  static async create(lab: Lab, options: KamailioOptions): Promise<Kamailio> {
    const { host = '127.0.0.1' } = options;
    const port = await freeSipPort();
    const dir = lab.folder(`kamailio-${port}`);
    mkdirSync(path.join(dir, 'run'), { recursive: true });
    writeFileSync(path.join(dir, 'kamailio.cfg'), configuration(host, port, options));
    return new Kamailio(lab, host, port, dir);
  }

  /** An edge proxy between phones and `pbx`. */
  static async edge(lab: Lab, options: Omit<EdgeOptions, 'port' | 'corePort'>): Promise<Kamailio> {
    const [port, corePort] = [await freeSipPort(), await freeSipPort()];
    const dir = lab.folder(`edge-${port}`);
    mkdirSync(path.join(dir, 'run'), { recursive: true });
    writeFileSync(path.join(dir, 'kamailio.cfg'), edgeConfiguration({ ...options, port, corePort }));
    const edge = new Kamailio(lab, '127.0.0.1', port, dir);
    await edge.start();
    return edge;
  }

  private constructor(lab: Lab, host: string, port: number, dir: string) {
    this.#lab = lab;
    this.host = host;
    this.port = port;
    this.#dir = dir;
  }

  async start(): Promise<void> {
    const child = this.#lab.spawn({
      name: `kamailio:${this.port}`,
      command: findProgram('kamailio') ?? 'kamailio',
      args: [
        '-f',
        path.join(this.#dir, 'kamailio.cfg'),
        '-DD',
        '-E',
        '-m',
        '64',
        '-M',
        '8',
        '-Y',
        path.join(this.#dir, 'run'),
      ],
      cwd: this.#dir,
    });
    this.#child = child;
    await until(
      () => {
        if (child.gone) throw new Error(`kamailio did not start\n${child.tail()}`);
        return udpBound(this.host, this.port) && tcpListening(this.host, this.port);
      },
      `kamailio on port ${this.port}`,
      15_000,
    );
  }

  stop(): Promise<Ended> {
    return this.#running().stop();
  }

  kill(): Promise<Ended> {
    return this.#running().stop('SIGKILL');
  }

  #running(): Child {
    if (this.#child === undefined) throw new Error('kamailio has not been started');
    return this.#child;
  }
}

function configuration(host: string, port: number, options: KamailioOptions): string {
  const algorithm = options.digest?.[0] === 'SHA-256' ? 'SHA-256' : 'MD5';
  const passwords = options.extensions
    .map(({ number, password }) => `  $sht(pw=>${number}) = "${password}";`)
    .join('\n');
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
alias="${options.domain}"
listen=udp:${host}:${port}
listen=tcp:${host}:${port}
${options.ipv6 === true ? `listen=udp:[::1]:${port}` : ''}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
modparam("tm", "fr_timer", 32000)
modparam("htable", "htable", "pw=>size=8;")
modparam("auth", "algorithm", "${algorithm}")

event_route[htable:mod-init] {
${passwords}
}
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check()) exit;
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (!is_method("ACK")) { if (t_precheck_trans()) { t_check_trans(); exit; } t_check_trans(); }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("481", "Not here"); exit;
  }
  if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  $var(pw) = "not a password";
  if ($sht(pw=>$aU) != $null) $var(pw) = $sht(pw=>$aU);
  if (!pv_auth_check("${options.domain}", "$var(pw)", "0", "0")) { auth_challenge("${options.domain}", "1"); exit; }
  consume_credentials();
  if (is_method("REGISTER")) { if (!save("location")) sl_reply_error(); exit; }
  if (is_method("INVITE")) record_route();
  if (!lookup("location")) { send_reply("404", "Not Found"); exit; }
  if (!t_relay()) sl_reply_error();
}
`;
}
