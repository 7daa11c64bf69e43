import type { ByteWriter } from './byte-writer.js';
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

/** The text as a quoted-string (RFC 3261 §25.1): quotes and backslashes are escaped. */
export function quote(text: string): string {
  if (!text.includes('"') && !text.includes('\\')) return `"${text}"`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The text inside a quoted-string; a text without quotes comes back as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== 0x22) return text;
  const inner = text.slice(1, text.charCodeAt(text.length - 1) === 0x22 ? -1 : undefined);
  if (!inner.includes('\\')) return inner;
  let out = '';
  let from = 0;
  for (let at = inner.indexOf('\\'); at >= 0; at = inner.indexOf('\\', at + 2)) {
    out += inner.slice(from, at);
    from = at + 1;
  }
  return out + inner.slice(from);
}

/** Reads `*( SEMI generic-param )` (RFC 3261 §25.1) and stops at the first character that is no semicolon. */
export function readParams(scanner: Scanner): Params {
  if (!scanner.accept(0x3b)) return NO_PARAMS;
  const params: Param[] = [];
  do {
    const name = scanner.token('a parameter name');
    if (scanner.accept(0x3d)) params.push({ name, value: scanner.value('a parameter value') });
    else params.push({ name });
  } while (scanner.accept(0x3b));
  return params;
}

/** Writes `;name=value` for each parameter. */
export function writeParams(writer: ByteWriter, params: Params): void {
  for (let i = 0; i < params.length; i++) {
    const param = params[i] as Param;
    writer.code(0x3b);
    writer.text(param.name);
    if (param.value !== undefined) {
      writer.code(0x3d);
      writer.text(param.value);
    }
  }
}

/** Writes the text as a quoted-string. */
export function writeQuoted(writer: ByteWriter, text: string): void {
  if (text.includes('"') || text.includes('\\')) writer.text(quote(text));
  else {
    writer.code(0x22);
    writer.text(text);
    writer.code(0x22);
  }
}

/** Equality of names without regard to the case of ASCII letters. */
export function sameName(a: string, b: string): boolean {
  return a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase());
}
