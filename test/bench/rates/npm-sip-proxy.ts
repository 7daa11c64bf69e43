/**
 * A minimal stateful, record-routing proxy on npm `sip`: node npm-sip-proxy.mjs HOST PORT CALLED_HOST CALLED_PORT. The package takes
 * every URI with its own host for its own, whatever the port: HOST must be nobody else's.
 */
import { createRequire } from 'node:module';

interface PeerUri {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}
interface PeerRequest {
  readonly method: string;
  uri: string;
  readonly headers: Record<string, unknown> & {
    readonly to: { readonly params: Readonly<Record<string, string>> };
    route?: { readonly uri: string }[];
  };
}
interface PeerSip {
  parseUri(text: string): PeerUri;
  makeResponse(request: PeerRequest, status: number, reason: string): unknown;
}
interface PeerProxy {
  start(options: Readonly<Record<string, unknown>>, route: (request: PeerRequest) => void): void;
  send(message: unknown): void;
}

const require = createRequire(import.meta.url);
const sip = require('sip') as PeerSip;
const proxy = require('sip/proxy') as PeerProxy;
const [host = '', port = '', calledHost = '', calledPort = ''] = process.argv.slice(2);
const logger = { error: (error: unknown) => console.error(String(error).slice(0, 300)) };

proxy.start(
  { address: host, port: Number(port), tcp: false, udp: true, hostname: host, maxBytesHeaders: 8192, logger },
  (request) => {
    const { headers } = request;
    const routes = headers.route ?? [];
    const first = routes[0] === undefined ? undefined : sip.parseUri(routes[0].uri);
    if (first?.host === host && Number(first.port) === Number(port)) routes.shift();
    if (routes.length > 0) headers.route = routes;
    else delete headers.route;
    if (request.method === 'INVITE' && headers.to.params['tag'] === undefined) {
      proxy.send(sip.makeResponse(request, 100, 'Trying'));
      headers['record-route'] = [{ uri: `sip:${host}:${port};lr` }, ...((headers['record-route'] as unknown[]) ?? [])];
      request.uri = `sip:${sip.parseUri(request.uri).user}@${calledHost}:${calledPort}`;
    }
    headers['max-forwards'] = Number(headers['max-forwards'] ?? 70) - 1;
    proxy.send(request);
  },
);
