const MODULES = [
  ...['kex', 'tm', 'tmx', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'usrloc', 'registrar', 'auth'],
] as const;

export interface KamailioOptions {
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  /** Everybody's. */
  readonly password: string;
  /** Where calls go. */
  readonly called: string;
}

/** Debian's Kamailio as registrar with digest and as stateful, record-routing proxy with two workers. */
export function kamailioConfiguration({ host, port, domain, password, called }: KamailioOptions): string {
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
alias="${domain}"
listen=udp:${host}:${port}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("rr", "enable_full_lr", 1)
modparam("tm", "fr_timer", 10000)
modparam("tm", "fr_inv_timer", 60000)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (!is_method("ACK")) { if (t_precheck_trans()) { t_check_trans(); exit; } t_check_trans(); }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not here"); exit;
  }
  if (is_method("REGISTER")) {
    $var(pw) = "${password}";
    if (!pv_auth_check("${domain}", "$var(pw)", "0", "0")) { auth_challenge("${domain}", "0"); exit; }
    consume_credentials();
    if (!save("location")) sl_reply_error();
    exit;
  }
  if (is_method("INVITE")) record_route();
  $du = "${called}";
  if (!t_relay()) sl_reply_error();
}
`;
}
