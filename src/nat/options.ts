/** How the address of our sockets outside is found out. */
export interface ExternalAddressOptions {
  /** STUN servers: `stun.example.net`, `192.0.2.7:3478`. Asked in turn until one answers; a second one shows how the NAT maps. */
  readonly stun: readonly string[];
  /**
   * How often they are asked at least, 10 to 3600; each wait is a little shorter, by chance. It also keeps the NAT's mappings open,
   * which many routers end after 30 seconds. Default 29.
   */
  readonly refreshSeconds?: number;
}

/** A STUN server for phones, beside the PBX. */
export interface StunServerSettings {
  /** Any number of addresses: `udp://0.0.0.0:3478`. A wildcard stands for every address of the machine. */
  readonly listen: readonly string[];
}
