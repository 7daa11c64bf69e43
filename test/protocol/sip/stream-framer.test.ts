import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, StreamFramer } from '../../../src/protocol/sip/stream-framer.js';

function message(body: string, name = 'Content-Length', value = String(Buffer.byteLength(body))): string {
  return `MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n${name}: ${value}\r\n\r\n${body}`;
}

function show(frames: readonly Frame[]): string[] {
  return frames.map((frame) => (frame.type === 'message' ? Buffer.from(frame.bytes).toString() : frame.type));
}

function push(framer: StreamFramer, ...chunks: string[]): string[] {
  return chunks.flatMap((chunk) => show(framer.push(Buffer.from(chunk))));
}

describe('RFC 3261 §18.3: messages in a stream', () => {
  it('several in one segment, one in several', () => {
    const [one, two] = [message('abc'), message('')];
    expect(push(new StreamFramer(), one + two + one.slice(0, 50), one.slice(50, 90), one.slice(90))).toEqual([
      one,
      two,
      one,
    ]);
  });

  it.each(['l', 'L', 'content-length', 'Content-Length \t', 'CONTENT-LENGTH'])(
    'Content-Length is found as %j',
    (name) => {
      const text = message('abc', name);
      expect(push(new StreamFramer(), text + text)).toEqual([text, text]);
    },
  );

  it('a folded value', () => {
    const text = message('abc', 'Content-Length', '\r\n 3');
    expect(push(new StreamFramer(), text + text)).toEqual([text, text]);
  });

  it('a message without Content-Length has no body', () => {
    const text = 'OPTIONS sip:a@b SIP/2.0\r\nX: y\r\n\r\n';
    expect(push(new StreamFramer(), text + text)).toEqual([text, text]);
  });

  it('the message does not change when the stream goes on', () => {
    const framer = new StreamFramer();
    const first = framer.push(Buffer.from(message('first')))[0];
    framer.push(Buffer.from(message('other')));
    expect(show([first as Frame])).toEqual([message('first')]);
  });

  it.each(['-1', '1 2', 'abc', '', '99999999999999999999', '1,1', '+1', '0x1'])(
    'Content-Length: %j ends the connection',
    (value) => {
      const framer = new StreamFramer();
      expect(push(framer, message('x', 'Content-Length', value))).toEqual(['error']);
      expect(push(framer, message('x'))).toEqual([]);
    },
  );

  it('RFC 4475 §3.3.9: two Content-Lengths end the connection', () => {
    expect(push(new StreamFramer(), message('x', 'l: 1\r\nContent-Length'))).toEqual(['error']);
  });
});

describe('RFC 5626 §3.5.1, §4.4.1: keep-alive', () => {
  it('a double CRLF is a ping, a single one a pong', () => {
    const text = message('x');
    expect(push(new StreamFramer(), `\r\n\r\n${text}\r\n`, text, '\r\n\r\n', '\r\n\r\n')).toEqual([
      'ping',
      text,
      'pong',
      text,
      'ping',
      'ping',
    ]);
  });

  it('waits for the rest of a ping that is cut behind its third byte', () => {
    expect(push(new StreamFramer(), '\r', '\n\r', '\n')).toEqual(['ping']);
  });

  it('a CR alone is an error', () => {
    expect(push(new StreamFramer(), '\rX')).toEqual(['error']);
  });
});

describe('limits', () => {
  it('a head beyond maxHeaderBytes: 513, complete or not', () => {
    const framer = () => new StreamFramer({ maxHeaderBytes: 100 });
    const head = `OPTIONS sip:a@b SIP/2.0\r\nX: ${'y'.repeat(100)}`;
    for (const text of [head, `${head}\r\n\r\n`]) {
      expect(framer().push(Buffer.from(text))).toMatchObject([{ type: 'error', error: { status: 513 } }]);
    }
  });

  it('a body beyond maxBodyBytes: 413, before it comes', () => {
    const framer = new StreamFramer({ maxBodyBytes: 10 });
    expect(push(framer, message('1234567890'))).toHaveLength(1);
    expect(framer.push(Buffer.from(message('', 'l', '11')))).toMatchObject([{ type: 'error', error: { status: 413 } }]);
  });
});

describe('properties', () => {
  it('how a stream is cut does not matter', () => {
    const stream = Buffer.from(`\r\n\r\n${message('abc')}\r\n\r\n${message('')}${message('x'.repeat(300))}\r\n\r\n`);
    const whole = show(new StreamFramer().push(stream)).filter((frame) => frame !== 'pong');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1 }), (sizes) => {
        const framer = new StreamFramer();
        const frames: string[] = [];
        for (let pos = 0, i = 0; pos < stream.length; i++) {
          const size = sizes[i % sizes.length] as number;
          frames.push(...show(framer.push(stream.subarray(pos, pos + size))));
          pos += size;
        }
        const messages = (list: readonly string[]) => list.filter((frame) => frame.length > 5);
        expect(messages(frames)).toEqual(messages(whole));
        // A ping whose two halves come apart may be taken for two pongs, and nothing else.
        expect(frames.filter((frame) => frame === 'error')).toEqual([]);
      }),
    );
  });

  it('any bytes give frames and no exception', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (chunks) => {
        const framer = new StreamFramer({ maxHeaderBytes: 300, maxBodyBytes: 100 });
        for (const chunk of chunks) framer.push(chunk);
        expect(framer.pending).toBeLessThanOrEqual(400);
      }),
    );
  });

  it('holds no more memory than twice what waits, and 4 KiB when nothing does', () => {
    const framer = new StreamFramer();
    const large = message('x'.repeat(200_000));
    push(framer, large.slice(0, 150_000));
    expect(framer.held).toBeGreaterThanOrEqual(framer.pending);
    expect(framer.held).toBeLessThanOrEqual(2 * framer.pending);
    expect(push(framer, large.slice(150_000))).toEqual([large]);
    expect(framer.held).toBeLessThanOrEqual(4096);
    expect(push(framer, message('next'))).toEqual([message('next')]);
  });

  it('a large message that comes byte by byte takes linear time', () => {
    const framer = new StreamFramer();
    const stream = Buffer.from(message('x', 'X', 'y'.repeat(60_000)));
    let frames = 0;
    const before = process.cpuUsage();
    for (let i = 0; i < stream.length; i++) frames += framer.push(stream.subarray(i, i + 1)).length;
    expect(frames).toBe(1);
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });
});
