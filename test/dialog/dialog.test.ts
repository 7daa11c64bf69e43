import { describe, expect, test } from 'vitest';
import { Dialog, type DialogSnapshot } from '../../src/dialog/dialog.js';
import { createRequest, type HeaderInit, type SipRequest, type SipResponse } from '../../src/protocol/sip/message.js';
import { formatNameAddr, parseNameAddr } from '../../src/protocol/sip/name-addr.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import { formatUri } from '../../src/protocol/sip/uri.js';
import type { Source } from '../../src/ua/target.js';

const HERE = { address: '192.0.2.1', port: 5060 };
const THERE = { address: '10.0.0.7', port: 5060 };

function source(remote = THERE, protocol: 'udp' | 'tcp' = 'udp'): Source {
  const flow = { protocol, local: HERE, remote, ...(protocol === 'tcp' ? { connectionId: 'c1' } : {}) };
  return { protocol, local: HERE, remote, flow, secure: false, receivedAt: 0 };
}

function invite(headers: HeaderInit = {}, via = 'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1'): SipRequest {
  return createRequest({
    method: 'INVITE',
    uri: 'sip:bob@office.test',
    headers: {
      Via: via,
      From: '"Alice" <sip:alice@office.test>;tag=a1',
      To: '<sip:bob@office.test>',
      'Call-ID': 'd1',
      CSeq: { sequence: 7, method: 'INVITE' },
      Contact: '<sip:alice@10.0.0.7:5060>',
      ...headers,
    },
  });
}

function answer(request: SipRequest, status: number, headers: HeaderInit = {}): SipResponse {
  return responseTo(request, status, { toTag: 'b1', headers: { Contact: '<sip:bob@10.0.0.9:5070>', ...headers } });
}

const uac = (response: HeaderInit = {}, status = 200): Dialog => {
  const request = invite();
  return Dialog.uac(request, answer(request, status, response), source(), { behindNat: false });
};
const CONTACT = parseNameAddr('<sip:me@192.0.2.1:5060>');
const uas = (headers: HeaderInit = {}, via?: string, from = source()): Dialog =>
  Dialog.uas(invite(headers, via), 'b1', CONTACT, 'confirmed', from);

const routes = (dialog: Dialog): string[] => dialog.target.route.map(formatNameAddr);

describe('creation of a dialog (RFC 3261 §12.1)', () => {
  test('§12.1.2: the caller takes tags, Call-ID and CSeq from its INVITE, the target from the Contact of the answer', () => {
    const dialog = uac();
    expect(dialog.id).toEqual({ callId: 'd1', localTag: 'a1', remoteTag: 'b1' });
    expect(formatUri(dialog.remoteTarget)).toBe('sip:bob@10.0.0.9:5070');
    expect([dialog.role, dialog.state, dialog.localSequence]).toEqual(['uac', 'confirmed', 7]);
  });

  test('§12.1.2: a provisional answer makes an early dialog', () => {
    expect(uac({}, 183).state).toBe('early');
  });

  test('§12.1.1: the callee takes the tag that it gave as local, the target from the Contact of the INVITE', () => {
    const dialog = uas();
    expect(dialog.id).toEqual({ callId: 'd1', localTag: 'b1', remoteTag: 'a1' });
    expect(formatUri(dialog.remoteTarget)).toBe('sip:alice@10.0.0.7:5060');
    expect([dialog.role, dialog.localSequence]).toEqual(['uas', 0]);
  });

  test('§12.1.1, §12.1.2: Record-Route is taken in order by the callee, in reverse order by the caller', () => {
    const recorded = { 'Record-Route': ['<sip:p1.test;lr>', '<sip:p2.test;lr>, <sip:p3.test;lr>'] };
    expect(routes(uas(recorded))).toEqual(['<sip:p1.test;lr>', '<sip:p2.test;lr>', '<sip:p3.test;lr>']);
    expect(routes(uac(recorded))).toEqual(['<sip:p3.test;lr>', '<sip:p2.test;lr>', '<sip:p1.test;lr>']);
  });

  test('§12.1.2: an answer without a Contact, or with one that cannot be read, leaves the Request-URI as the target', () => {
    expect(formatUri(uac({ Contact: [] }).remoteTarget)).toBe('sip:bob@office.test');
    const request = invite();
    const malformed = answer(request, 200);
    malformed.headers.setRaw('Contact', '<sip:');
    expect(formatUri(Dialog.uac(request, malformed, source(), { behindNat: false }).remoteTarget)).toBe(
      'sip:bob@office.test',
    );
  });

  test('§12.1.1: an INVITE without Contact leaves the URI of From as the target', () => {
    expect(formatUri(uas({ Contact: [] }).remoteTarget)).toBe('sip:alice@office.test');
  });

  test('a request of ours that opens a dialog must have a Contact', () => {
    const request = invite({ Contact: [] });
    expect(() => Dialog.uac(request, answer(request, 200), source(), { behindNat: false })).toThrow(/no Contact/);
  });
});

describe('requests within a dialog (RFC 3261 §12.2.1.1)', () => {
  test('To, From and Call-ID are those of the dialog, CSeq counts up by one, the Request-URI is the remote target', () => {
    const dialog = uac();
    const bye = dialog.createRequest('BYE');
    expect(bye.requestUri).toBe('sip:bob@10.0.0.9:5070');
    expect([bye.callId, bye.fromTag, bye.toTag]).toEqual(['d1', 'a1', 'b1']);
    expect(bye.cseq).toEqual({ sequence: 8, method: 'BYE' });
    expect(dialog.createRequest('INVITE').cseq.sequence).toBe(9);
  });

  test('the callee numbers its own requests, whatever the caller counts', () => {
    expect(uas().createRequest('BYE').cseq.sequence).toBe(1);
  });

  test('only requests that refresh the target carry a Contact', () => {
    const dialog = uas();
    expect(dialog.createRequest('INVITE').headers.raw('Contact')).toEqual(['<sip:me@192.0.2.1:5060>']);
    expect(dialog.createRequest('BYE').headers.has('Contact')).toBe(false);
    expect(dialog.createRequest('OPTIONS').headers.has('Contact')).toBe(false);
  });

  test('loose routers: the remote target in the Request-URI, the whole route set in Route', () => {
    const dialog = uas({ 'Record-Route': '<sip:p1.test;lr>, <sip:p2.test>' });
    expect(dialog.createRequest('BYE').requestUri).toBe('sip:alice@10.0.0.7:5060');
    expect(routes(dialog)).toEqual(['<sip:p1.test;lr>', '<sip:p2.test>']);
    expect(dialog.target.nextHop).toBeUndefined();
  });

  test('a strict router: its URI in the Request-URI without headers, the remote target as the last Route, sent to it', () => {
    const dialog = uas({ 'Record-Route': '<sip:p1.test:5080;x=y?Subject=no>, <sip:p2.test;lr>' });
    expect(dialog.createRequest('BYE').requestUri).toBe('sip:p1.test:5080;x=y');
    expect(routes(dialog)).toEqual(['<sip:p2.test;lr>', '<sip:alice@10.0.0.7:5060>']);
    const { nextHop } = dialog.target;
    expect(nextHop === undefined ? undefined : formatUri(nextHop)).toBe('sip:p1.test:5080;x=y');
  });

  test('§13.2.2.4: ACK has the CSeq number that it is given, and counts nothing up', () => {
    const dialog = uac();
    const ack = dialog.createAck(5, { body: 'v=0', contentType: 'application/sdp' });
    expect(ack.cseq).toEqual({ sequence: 5, method: 'ACK' });
    expect(ack.bodyText()).toBe('v=0');
    expect(dialog.localSequence).toBe(7);
  });
});

describe('requests of the other side (RFC 3261 §12.2.2)', () => {
  const at = (sequence: number): SipRequest => invite({ CSeq: { sequence, method: 'INVITE' } });

  test('a lower CSeq, or the same once more, is out of order; a gap is none', () => {
    const dialog = uas();
    expect(dialog.acceptSequence(at(6))).toBe(false);
    expect(dialog.acceptSequence(at(7))).toBe(false);
    expect(dialog.acceptSequence(at(70))).toBe(true);
    expect(dialog.acceptSequence(at(69))).toBe(false);
  });

  test('the first request that the caller sees may have any number, 0 as well', () => {
    const dialog = uac();
    expect(dialog.acceptSequence(at(0))).toBe(true);
    expect(dialog.acceptSequence(at(0))).toBe(false);
    expect(dialog.acceptSequence(at(1))).toBe(true);
  });

  test('§12.2.2: a target refresh replaces the remote target, never the route set', () => {
    const dialog = uas({ 'Record-Route': '<sip:p1.test;lr>' });
    dialog.refreshTarget(
      invite({ Contact: '<sip:alice@10.0.0.99:5062>', 'Record-Route': '<sip:other.test;lr>' }),
      source(),
    );
    expect(dialog.createRequest('BYE').requestUri).toBe('sip:alice@10.0.0.99:5062');
    expect(routes(dialog)).toEqual(['<sip:p1.test;lr>']);
  });

  test('a refresh without Contact leaves the target as it is', () => {
    const dialog = uas();
    dialog.refreshTarget(invite({ Contact: [] }), source());
    expect(formatUri(dialog.remoteTarget)).toBe('sip:alice@10.0.0.7:5060');
  });
});

describe('a peer that has moved to another host', () => {
  const ELSEWHERE = source({ address: '203.0.113.5', port: 41_000 });

  test('is so until a description that came from there is accepted, whatever it asks before', () => {
    for (const dialog of [uac(), uas()]) {
      expect(dialog.refreshTarget(invite(), source())).toBe(false);
      for (let i = 0; i < 2; i++) expect(dialog.refreshTarget(invite(), ELSEWHERE)).toBe(true);
      dialog.describedFrom(ELSEWHERE);
      expect(dialog.refreshTarget(invite(), ELSEWHERE)).toBe(false);
      expect(dialog.refreshTarget(invite(), source())).toBe(true);
    }
  });

  test('and is back where it was agreed on, when nothing was accepted meanwhile', () => {
    const dialog = uas();
    expect(dialog.refreshTarget(invite(), ELSEWHERE)).toBe(true);
    expect(dialog.refreshTarget(invite(), source())).toBe(false);
  });

  test('after a restart its first request says where it was', () => {
    const dialog = Dialog.restore(uas().snapshot());
    expect(dialog.refreshTarget(invite(), source())).toBe(false);
    expect(dialog.refreshTarget(invite(), ELSEWHERE)).toBe(true);
  });

  test('a response says nothing of it', () => {
    expect(uas().refreshTarget(answer(invite(), 200), ELSEWHERE)).toBe(false);
  });
});

describe('where requests of a dialog go (RFC 3261 §18.1.1, RFC 3581)', () => {
  const OUTSIDE = { address: '203.0.113.5', port: 41_000 };

  test('a reachable Contact is used as it stands', () => {
    expect(uas().target.flow).toBeUndefined();
  });

  test('a peer behind a NAT is answered by the flow that its INVITE came from', () => {
    const dialog = uas({}, 'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1;rport=41000', source(OUTSIDE));
    expect(dialog.target.flow?.remote).toEqual(OUTSIDE);
    expect(dialog.snapshot().behindNat).toBe(true);
  });

  test('the caller keeps to the flow when the INVITE had to leave by one', () => {
    const request = invite();
    const dialog = Dialog.uac(request, answer(request, 200), source(OUTSIDE), { behindNat: true });
    expect(dialog.target.flow?.remote).toEqual(OUTSIDE);
  });

  test('a re-INVITE from a new mapping of the NAT moves the flow', () => {
    const dialog = uas({}, 'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1;rport', source(OUTSIDE));
    const moved = { address: '203.0.113.5', port: 50_000 };
    dialog.refreshTarget(invite({}, 'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK2;rport'), source(moved));
    expect(dialog.target.flow?.remote).toEqual(moved);
  });

  test('with a route set there is no flow: the proxies know the way', () => {
    const via = 'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1;rport';
    expect(uas({ 'Record-Route': '<sip:p1.test;lr>' }, via, source(OUTSIDE)).target.flow).toBeUndefined();
  });

  test('a connection is used again', () => {
    expect(uas({}, 'SIP/2.0/TCP 10.0.0.7:5060;branch=z9hG4bK1', source(THERE, 'tcp')).target.flow?.connectionId).toBe(
      'c1',
    );
  });
});

describe('snapshot and restore', () => {
  const dialogs: Record<string, Dialog> = {
    'of a caller with a route set': uac({ 'Record-Route': ['<sip:p1.test;lr>', '<sip:p2.test;lr>'] }),
    'of an early caller': uac({}, 180),
    'of a callee behind a NAT': uas({}, undefined, source({ address: '203.0.113.5', port: 41_000 })),
    'with names that need quoting': uas({
      From: '"Al \\"x\\" \\\\ ice" <sip:al%20ice@office.test;a=b>;tag=a1;p="q,r"',
    }),
  };
  for (const [name, dialog] of Object.entries(dialogs)) {
    test(`${name}: JSON keeps it whole`, () => {
      const snapshot = dialog.snapshot();
      const copy = JSON.parse(JSON.stringify(snapshot)) as DialogSnapshot;
      expect(copy).toEqual(snapshot);
      const restored = Dialog.restore(copy);
      const { localSequence, ...rest } = restored.snapshot();
      expect({ ...rest, localSequence: snapshot.localSequence }).toEqual(snapshot);
      // Requests that left after the snapshot have numbers, too: the restored dialog goes on above them.
      expect(localSequence).toBeGreaterThan(snapshot.localSequence);
      expect(restored.id).toEqual(dialog.id);
      const [a, b] = [restored.createRequest('INVITE'), dialog.createRequest('INVITE')];
      expect(a.requestUri).toBe(b.requestUri);
      const but = (request: SipRequest): unknown[] =>
        [...request.headers.entries()].filter(([name]) => name !== 'CSeq');
      expect(but(a)).toEqual(but(b));
      expect(restored.target).toEqual(dialog.target);
    });
  }

  test('a connection does not outlive its process, a UDP flow does', () => {
    const tcp = uas({}, 'SIP/2.0/TCP 10.0.0.7:5060;branch=z9hG4bK1', source(THERE, 'tcp'));
    expect(Dialog.restore(tcp.snapshot()).target.flow).toBeUndefined();
    const udp = uas({}, undefined, source({ address: '203.0.113.5', port: 41_000 }));
    expect(Dialog.restore(udp.snapshot()).target.flow).toEqual(udp.target.flow);
  });

  test('where the other side speaks from is known after a restart by its UDP flow', () => {
    const dialog = uas({}, undefined, source({ address: '203.0.113.5', port: 41_000 }));
    expect([dialog.seenAt, Dialog.restore(dialog.snapshot()).seenAt]).toEqual(['203.0.113.5', '203.0.113.5']);
    const tcp = uas({}, 'SIP/2.0/TCP 10.0.0.7:5060;branch=z9hG4bK1', source(THERE, 'tcp'));
    expect([tcp.seenAt, Dialog.restore(tcp.snapshot()).seenAt]).toEqual([THERE.address, undefined]);
  });

  test('what was seen of the other side’s numbers is kept', () => {
    const dialog = uas();
    expect(dialog.acceptSequence(invite({ CSeq: { sequence: 9, method: 'BYE' } }))).toBe(true);
    const restored = Dialog.restore(dialog.snapshot());
    expect(restored.acceptSequence(invite({ CSeq: { sequence: 9, method: 'BYE' } }))).toBe(false);
    expect(restored.acceptSequence(invite({ CSeq: { sequence: 10, method: 'BYE' } }))).toBe(true);
  });
});
