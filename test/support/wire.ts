import { type SipSighting, sipSightings } from '../../src/testing/sightings.js';
import type { World } from '../../src/testing/world.js';

/** The SIP messages between the PBX and a machine, in order. */
export function messagesOf(world: World, machine: string, since = 0): SipSighting[] {
  return sipSightings(world.trace).filter(
    (each) => each.at >= since && (each.fromHost === machine || each.toHost === machine),
  );
}

/** The same, written as the flows are: `>INVITE` is sent by the machine, `<180` is what it receives. */
export function seenBy(world: World, machine: string, since = 0): string[] {
  return messagesOf(world, machine, since).map(
    (each) => `${each.fromHost === machine ? '>' : '<'}${each.method ?? each.status}`,
  );
}

/** The body of a message. */
export function bodyOf(message: SipSighting): string {
  return message.text.slice(message.text.indexOf('\r\n\r\n') + 4);
}

/** The first header line of that name, without the name. */
export function headerOf(message: SipSighting, name: string): string | undefined {
  const start = `${name.toLowerCase()}:`;
  const line = message.text.split('\r\n').find((each) => each.toLowerCase().startsWith(start));
  return line?.slice(start.length).trim();
}
