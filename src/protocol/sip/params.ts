export { quote, unquote } from './quoted.js';

import { skipBytes, skipSpaces, TOKEN } from './chars.js';
import { putCode, putText, written } from './put.js';
import { quote } from './quoted.js';
import type { Scanner } from './scanner.js';

/** One `;name=value` parameter: raw text. A quoted value keeps its quotes; names keep their case. */
export interface Param {
  readonly name: string;
  /** Absent for a flag such as `;lr`. */
  readonly value?: string;
}

/** Parameters in the order in which they stand. */
export type Params = readonly Param[];

/** The empty list, shared. */
export const NO_PARAMS: Params = Object.freeze([]);

/** The raw value of the first parameter of that name, whatever its case; '' for a flag, undefined when absent. */
export function getParam(params: Params, name: string): string | undefined {
  for (let i = 0; i < params.length; i++) {
    const param = params[i] as Param;
    if (sameName(param.name, name)) return param.value ?? '';
  }
  return undefined;
}

/** True when a parameter of that name is there, whatever its case. */
export function hasParam(params: Params, name: string): boolean {
  return getParam(params, name) !== undefined;
}

/** A copy in which the parameter has this raw value (none: a flag): in the place of the first of its name, else at the end. */
export function withParam(params: Params, name: string, value?: string): Params {
  const added: Param = value === undefined ? { name } : { name, value };
  const at = params.findIndex((param) => sameName(param.name, name));
  if (at < 0) return [...params, added];
  return params.flatMap((param, i) => (i === at ? [added] : sameName(param.name, name) ? [] : [param]));
}

/** A copy without the parameters of that name. */
export function withoutParam(params: Params, name: string): Params {
  return params.filter((param) => !sameName(param.name, name));
}

/** Reads `*( SEMI generic-param )` (RFC 3261 §25.1) and stops at the first character that is no semicolon. */
export function readParams(scanner: Scanner): Params {
  // Every message has a dozen of these, so the position stays in a local variable.
  const { bytes, text, end } = scanner;
  let pos = skipSpaces(bytes, scanner.pos, end);
  if (pos >= end || bytes[pos] !== 0x3b) {
    scanner.pos = pos;
    return NO_PARAMS;
  }
  const params: Param[] = [];
  do {
    const start = skipSpaces(bytes, pos + 1, end);
    const nameEnd = skipBytes(bytes, start, end, TOKEN);
    if (nameEnd === start) scanner.fail('a parameter name', start);
    const name = text.slice(start, nameEnd);
    pos = skipSpaces(bytes, nameEnd, end);
    if (pos < end && bytes[pos] === 0x3d) {
      scanner.pos = skipSpaces(bytes, pos + 1, end);
      params.push({ name, value: scanner.value('a parameter value') });
      pos = skipSpaces(bytes, scanner.pos, end);
    } else params.push({ name });
  } while (pos < end && bytes[pos] === 0x3b);
  scanner.pos = pos;
  return params;
}

/** Writes `;name=value` for each parameter. */
export function putParams(start: number, params: Params): number {
  let pos = start;
  for (let i = 0; i < params.length; i++) {
    const param = params[i] as Param;
    pos = putCode(pos, 0x3b);
    pos = putText(pos, param.name);
    if (param.value !== undefined) {
      pos = putCode(pos, 0x3d);
      pos = putText(pos, param.value);
    }
  }
  return pos;
}

/** `;name=value` for each parameter. @throws UsageError PBX_INVALID_ARGUMENT for CR or LF in a part. */
export function formatParams(params: Params): string {
  return params.length === 0 ? '' : written(putParams, params);
}

/** Writes the text as a quoted-string. */
export function putQuoted(start: number, text: string): number {
  let pos = start;
  if (text.includes('"') || text.includes('\\')) pos = putText(pos, quote(text));
  else {
    pos = putCode(pos, 0x22);
    pos = putText(pos, text);
    pos = putCode(pos, 0x22);
  }
  return pos;
}

/** Equality of names without regard to the case of ASCII letters. */
export function sameName(a: string, b: string): boolean {
  return a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase());
}
