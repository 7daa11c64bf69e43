/** Where an edge proxy stands, and what it does. */
export interface EdgeOptions {
  /** The phones' side: UDP and TCP. */
  readonly port: number;
  /** The PBX's side: TCP. */
  readonly corePort: number;
  readonly pbx: { readonly host: string; readonly port: number };
  /** Takes part in RFC 5626: its Path carries `ob`. Default true. */
  readonly outbound?: boolean;
}

const MODULES = ['kex', 'tm', 'tmx', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'path'];

/**
 * Kamailio as an edge proxy (RFC 3327 §5.2, RFC 5626 §5): phones on one side by UDP or TCP, the PBX on the other by TCP.
 * REGISTER gets a Path that leads back by the phone's own flow; everything else a Record-Route on both sides.
 */
export function edgeConfiguration({ port, corePort, pbx, outbound = true }: EdgeOptions): string {
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${corePort}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("rr", "enable_full_lr", 1)
modparam("path", "use_received", 1)
modparam("tm", "fr_timer", 32000)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (!is_method("ACK")) { if (t_precheck_trans()) { t_check_trans(); exit; } t_check_trans(); }
  force_rport();
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("481", "Not here"); exit;
  }
  if ($Rp == ${corePort}) {
    record_route();
    # false for the only Route of a request outside a dialog; the phone's own address is in $du all the same
    loose_route();
    if ($du == $null) { sl_send_reply("430", "Flow Failed"); exit; }
    t_relay(); exit;
  }
  if (is_method("REGISTER")) {
    add_path_received("", "${outbound ? 'ob' : 'edge=plain'}");
    if (!is_present_hf("Supported")) append_hf("Supported: path\\r\\n");
  } else {
    record_route();
  }
  $du = "sip:${pbx.host}:${pbx.port};transport=tcp";
  $fs = "tcp:127.0.0.1:${corePort}";
  t_relay();
}
`;
}
