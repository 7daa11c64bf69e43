/** One log call in pino's form: fields first, then the text. */
export type LogMethod = (fields: Readonly<Record<string, unknown>>, text?: string) => void;

/** The logger that the host injects; pino fits as it is. Secrets are never given to it. */
export interface Logger {
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  fatal: LogMethod;
  /** A logger that adds `bindings` to every line. */
  child(bindings: Readonly<Record<string, unknown>>): Logger;
}

const nothing: LogMethod = () => {};

/** The default: says nothing. */
export const silentLogger: Logger = Object.freeze({
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
});
