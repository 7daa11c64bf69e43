import { PbxkitError } from '../../src/base/errors.js';
import type { Scheduler } from '../../src/base/scheduler.js';
import type { SipRequest, SipResponse } from '../../src/protocol/sip/message.js';
import type { TransactionTransport } from '../../src/transaction/port.js';
import type { Hop, Source, TransportProtocol } from '../../src/transport/hop.js';
import type { OutgoingRequest } from '../../src/transport/outgoing.js';

export interface SentRequest {
  readonly at: number;
  readonly request: SipRequest;
  readonly hop: Hop;
}

export interface SentResponse {
  readonly at: number;
  readonly response: SipResponse;
  readonly source: Source;
}

/** The transport port by hand: writes down what leaves, and lets a test say what comes in. */
export class FakeTransport implements TransactionTransport {
  readonly requests: SentRequest[] = [];
  readonly responses: SentResponse[] = [];
  /** Hops whose address is in here cannot be sent to. */
  readonly dead = new Set<string>();
  failResponses = false;
  readonly #scheduler: Scheduler;
  #failLast: () => void = () => {};
  #handlers: Parameters<TransactionTransport['handle']>[0] | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  handle(handlers: Parameters<TransactionTransport['handle']>[0]): void {
    this.#handlers = handlers;
  }

  outgoing(request: SipRequest, hop: Hop, handlers: { onError(error: PbxkitError): void }): OutgoingRequest {
    const stamped = request.with({});
    stamped.headers.replaceTopVia({
      ...request.topVia,
      transport: hop.protocol.toUpperCase(),
      host: '192.0.2.1',
      port: 5060,
    });
    return {
      protocol: hop.protocol,
      reliable: hop.protocol !== 'udp',
      request: stamped,
      hop,
      send: () => {
        this.requests.push({ at: this.#scheduler.now(), request: stamped, hop });
        this.#failLast = () => handlers.onError(new PbxkitError('SIP_TRANSPORT', 'transport', 'no way'));
        if (this.dead.has(hop.address)) this.#failLast();
      },
      release: () => {},
    };
  }

  /** The way of the last request breaks after it has left, as when a connection is reset. */
  failLast(): void {
    this.#failLast();
  }

  sendResponse(response: SipResponse, source: Source, onError?: (error: PbxkitError) => void): undefined {
    this.responses.push({ at: this.#scheduler.now(), response, source });
    if (this.failResponses) onError?.(new PbxkitError('SIP_TRANSPORT', 'transport', 'no way back'));
  }

  receiveRequest(request: SipRequest, source: Source = sourceOf('udp')): void {
    this.#handlers?.onRequest(request, source);
  }

  receiveResponse(response: SipResponse, source: Source = sourceOf('udp')): void {
    this.#handlers?.onResponse(response, source);
  }

  /** `INVITE`, `486`… in the order of sending. */
  get methods(): string[] {
    return this.requests.map(({ request }) => request.method);
  }

  get statuses(): number[] {
    return this.responses.map(({ response }) => response.status);
  }

  lastRequest(method: string): SipRequest {
    const found = this.requests.findLast(({ request }) => request.method === method);
    if (found === undefined) throw new Error(`no ${method} was sent, only ${this.methods.join(', ')}`);
    return found.request;
  }

  get lastResponse(): SipResponse {
    const found = this.responses.at(-1);
    if (found === undefined) throw new Error('no response was sent');
    return found.response;
  }
}

export function sourceOf(protocol: TransportProtocol, address = '192.0.2.9'): Source {
  const local = { address: '192.0.2.1', port: 5060 };
  const remote = { address, port: 5060 };
  return { protocol, local, remote, flow: { protocol, local, remote }, secure: false, receivedAt: 0 };
}
