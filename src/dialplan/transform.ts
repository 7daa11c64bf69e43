/**
 * A change of a number, as plain data: it can stand in a JSON file. Positions count from 0; what lies beyond the end of a number
 * is clamped to its end, so that a transformation fits every number.
 */
export type Transform =
  | { readonly type: 'delete'; readonly start: number; readonly length: number }
  | { readonly type: 'insert'; readonly start: number; readonly digits: string }
  | { readonly type: 'replace'; readonly start: number; readonly length: number; readonly digits: string }
  | { readonly type: 'append'; readonly digits: string }
  | { readonly type: 'keep'; readonly first: number }
  | { readonly type: 'keep'; readonly last: number }
  | { readonly type: 'sequence'; readonly steps: readonly Transform[] };

/** Takes `length` digits out: `{ length: 1 }` makes `9xxxx` to `xxxx`. `start` is 0 unless told. */
export function deleteDigits({ start = 0, length }: { readonly start?: number; readonly length: number }): Transform {
  return { type: 'delete', start, length };
}

/** Puts digits in before position `start`, which is 0 unless told. */
export function insertDigits({ start = 0, digits }: { readonly start?: number; readonly digits: string }): Transform {
  return { type: 'insert', start, digits };
}

/** Puts digits in the place of `length` others: `{ length: 1, digits: '0086' }` makes `0xxxx` to `0086xxxx`. `start` is 0 unless told. */
export function replaceDigits({
  start = 0,
  length,
  digits,
}: {
  readonly start?: number;
  readonly length: number;
  readonly digits: string;
}): Transform {
  return { type: 'replace', start, length, digits };
}

/** Puts digits behind the number. */
export function appendDigits(digits: string): Transform {
  return { type: 'append', digits };
}

/** Keeps the first or the last digits; a number that is shorter stays as it is. */
export function keepDigits(which: { readonly first: number } | { readonly last: number }): Transform {
  return { type: 'keep', ...which };
}

/** One after the other, each on what the one before it left. */
export function sequence(...steps: readonly Transform[]): Transform {
  return { type: 'sequence', steps };
}

/** The number after the transformation. Total: any number, and also positions and lengths that a dial plan would refuse. */
export function applyTransform(transform: Transform, number: string): string {
  switch (transform.type) {
    case 'delete':
      return splice(number, transform.start, transform.length, '');
    case 'insert':
      return splice(number, transform.start, 0, transform.digits);
    case 'replace':
      return splice(number, transform.start, transform.length, transform.digits);
    case 'append':
      return number + transform.digits;
    case 'keep':
      return 'first' in transform ? head(number, transform.first) : tail(number, transform.last);
    case 'sequence':
      return transform.steps.reduce((changed, step) => applyTransform(step, changed), number);
  }
}

/** What a transformation does, for people: `delete 1 digit at 0`. */
export function describeTransform(transform: Transform): string {
  switch (transform.type) {
    case 'delete':
      return `delete ${digits(transform.length)} at ${transform.start}`;
    case 'insert':
      return `insert ${transform.digits} at ${transform.start}`;
    case 'replace':
      return `replace ${digits(transform.length)} at ${transform.start} by ${transform.digits || 'nothing'}`;
    case 'append':
      return `append ${transform.digits}`;
    case 'keep':
      return 'first' in transform ? `keep the first ${transform.first}` : `keep the last ${transform.last}`;
    case 'sequence':
      return transform.steps.map(describeTransform).join(', ');
  }
}

/** What a transformation does to this number, for people: ``deleted `9` ``. */
export function describeChange(transform: Transform, number: string): string {
  switch (transform.type) {
    case 'delete':
      return `deleted ${quoted(cut(number, transform.start, transform.length))}`;
    case 'insert':
      return `inserted ${quoted(transform.digits)}`;
    case 'replace':
      return `replaced ${quoted(cut(number, transform.start, transform.length))} by ${quoted(transform.digits)}`;
    case 'append':
      return `appended ${quoted(transform.digits)}`;
    case 'keep':
      return `kept ${quoted(applyTransform(transform, number))}`;
    case 'sequence': {
      let changed = number;
      const parts = transform.steps.map((step) => {
        const part = describeChange(step, changed);
        changed = applyTransform(step, changed);
        return part;
      });
      return parts.join(', ');
    }
  }
}

function splice(number: string, start: number, length: number, digits: string): string {
  const from = clamp(start, number.length);
  return number.slice(0, from) + digits + number.slice(from + clamp(length, number.length - from));
}

function cut(number: string, start: number, length: number): string {
  const from = clamp(start, number.length);
  return number.slice(from, from + clamp(length, number.length - from));
}

function head(number: string, count: number): string {
  return number.slice(0, clamp(count, number.length));
}

function tail(number: string, count: number): string {
  return number.slice(number.length - clamp(count, number.length));
}

function clamp(value: number, max: number): number {
  return value > 0 ? Math.min(Math.trunc(value), max) : 0;
}

function digits(count: number): string {
  return count === 1 ? '1 digit' : `${count} digits`;
}

function quoted(text: string): string {
  return text === '' ? 'nothing' : `\`${text}\``;
}
