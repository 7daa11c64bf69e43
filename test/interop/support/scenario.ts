/** One step of a sipp scenario; each takes one number in sipp's count, from which it derives branches. */
export type Step =
  /** Sends a message. Over UDP sipp repeats it until the next message comes, unless `once`. `name` lets a later message use its branch. */
  | { readonly send: string; readonly once?: true; readonly name?: string }
  | Receive
  | { readonly pauseMs: number }
  /** Begins to send a file of raw G.711 µ-law, once; the SDP must have named `[rtpstream_audio_port]`. */
  | { readonly playUlaw: string };

/** Waits for a message. `optional`: another may come in its place. `route`: its Record-Route and Contact lead what is sent later. */
export interface Receive {
  readonly receive: number | string;
  readonly optional?: true;
  readonly challenge?: true;
  readonly route?: true;
  readonly keep?: readonly Keep[];
  /** Go on at the step `skip` further on than the next one, when this message comes. */
  readonly skip?: number;
}

/** Keeps a header's value of a received message as variable `$n` for what is sent later. */
export interface Keep {
  readonly header: string;
  readonly variable: number;
}

/** Marks the branch of the request sent by the step of that name: an ACK to a failure and a CANCEL carry it (RFC 3261 §9.1, §17.1.1.3). */
export function branchOf(name: string): string {
  return `{branch of ${name}}`;
}

/** Prints a scenario as sipp's XML. */
export function scenario(steps: readonly Step[]): string {
  const index = new Map<string, number>();
  steps.forEach((step, i) => {
    if ('send' in step && step.name !== undefined) index.set(step.name, i);
  });
  const jumps = new Set(
    steps.map((step, i) => ('receive' in step && step.skip !== undefined ? i + 1 + step.skip : -1)),
  );
  const lines = steps.map((step, i) => (jumps.has(i) ? `<label id="${i}"/>\n` : '') + element(step, i));

  function element(step: Step, i: number): string {
    if ('pauseMs' in step) return `<pause milliseconds="${step.pauseMs}"/>`;
    if ('playUlaw' in step) return `<nop><action><exec rtp_stream="${step.playUlaw},1,0"/></action></nop>`;
    if ('send' in step) {
      const text = step.send.replace(/\{branch of ([^}]+)\}/g, (_, name: string) => {
        const of = index.get(name);
        if (of === undefined) throw new Error(`no step is named ${name}`);
        // sipp's own words: the branch of the message that many steps back
        return of === i ? '[branch]' : `[branch-${i - of}]`;
      });
      return `<send${step.once === true ? '' : ' retrans="500"'}><![CDATA[\n${text}\n]]></send>`;
    }
    const attributes = [typeof step.receive === 'number' ? `response="${step.receive}"` : `request="${step.receive}"`];
    if (step.skip !== undefined) attributes.push(`next="${i + 1 + step.skip}"`);
    if (step.optional) attributes.push('optional="true"');
    if (step.challenge) attributes.push('auth="true"');
    if (step.route) attributes.push('rrs="true"');
    const kept = (step.keep ?? []).map(
      ({ header, variable }) => `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${variable}"/>`,
    );
    return `<recv ${attributes.join(' ')}>${kept.length === 0 ? '' : `<action>${kept.join('')}</action>`}</recv>`;
  }
  const kept = steps.flatMap((step) => ('receive' in step ? (step.keep ?? []) : [])).map(({ variable }) => variable);
  // sipp refuses a scenario with a variable that nothing uses, unless it is named here
  if (kept.length > 0) lines.push(`<Reference variables="${kept.join(',')}"/>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="pbxkit">\n${lines.join('\n')}\n</scenario>\n`;
}
