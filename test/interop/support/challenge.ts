import type { Step } from './scenario.js';

/** An answer of sipp to the request just received. `tag`: what its To gets, for requests outside a dialog. */
export function answer(status: string, headers = '', tag = ';tag=[pid]g[call_number]'): Step {
  const send = `SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:]${tag}
[last_Call-ID:]
[last_CSeq:]
${headers}Content-Length: 0

`;
  return { send, once: true };
}

/** Asks for the credentials of that realm, as a server (401) or a proxy (407) does. */
export function challenge(status: 401 | 407, realm: string, tag?: string): Step {
  const [phrase, header] =
    status === 401
      ? ['401 Unauthorized', 'WWW-Authenticate']
      : ['407 Proxy Authentication Required', 'Proxy-Authenticate'];
  return answer(phrase, `${header}: Digest realm="${realm}", nonce="n[pid]", algorithm=MD5, qop="auth"\n`, tag);
}
