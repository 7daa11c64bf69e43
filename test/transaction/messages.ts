import { createRequest, type SipRequest } from '../../src/protocol/sip/message.js';
import { parseMessage } from '../../src/protocol/sip/parse.js';

export interface RequestParts {
  readonly uri?: string;
  /** Default: the Request-URI. */
  readonly to?: string;
  readonly branch?: string;
  readonly sentBy?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly callId?: string;
  readonly sequence?: number;
  readonly cseqMethod?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A request as a peer sends it. */
export function incomingRequest(method: string, parts: RequestParts = {}): SipRequest {
  const { uri = 'sip:100@192.0.2.1', branch = 'z9hG4bK-peer-1', sentBy = '192.0.2.9:5060' } = parts;
  const body = parts.body ?? '';
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${sentBy}${branch === '' ? '' : `;branch=${branch}`}`,
    `From: <sip:200@192.0.2.9>${parts.fromTag === '' ? '' : `;tag=${parts.fromTag ?? 'caller'}`}`,
    `To: <${parts.to ?? uri}>${parts.toTag === undefined ? '' : `;tag=${parts.toTag}`}`,
    `Call-ID: ${parts.callId ?? 'call-1'}`,
    `CSeq: ${parts.sequence ?? 1} ${parts.cseqMethod ?? method}`,
    'Max-Forwards: 70',
    ...Object.entries(parts.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ];
  const message = parseMessage(Buffer.from(lines.join('\r\n')));
  if (message.kind !== 'request') throw new Error('the test made no request');
  return message;
}

/** A request as the user of the layer makes it: no Via. */
export function outgoingRequest(method: string, headers: Record<string, string> = {}): SipRequest {
  return createRequest({
    method,
    uri: 'sip:bob@192.0.2.9',
    headers: {
      From: '<sip:alice@192.0.2.1>;tag=alice',
      To: '<sip:bob@192.0.2.9>',
      'Call-ID': 'out-1',
      CSeq: `7 ${method}`,
      'Max-Forwards': '70',
      ...headers,
    },
  });
}
