import * as v from 'valibot';

/** A step into a value: `input[key]`. */
export interface WalkStep {
  readonly input: unknown;
  readonly key: unknown;
}

/**
 * The valibot schemas that may say what stands at the end of the steps, where `value` stands: one, or several where a union or variant leaves
 * it open. Wrappers, pipes and lazy schemas are looked through.
 */
export function schemasAt(schema: unknown, steps: readonly WalkStep[], value: unknown): readonly unknown[] {
  let current: readonly unknown[] = [schema];
  for (const { input, key } of steps)
    current = current.flatMap((each) => plain(each, input)).flatMap((each) => inside(each, key));
  return current.flatMap((each) => plain(each, value));
}

function plain(schema: unknown, value: unknown): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const { pipe, getter, wrapped, options } = schema;
  if (Array.isArray(pipe)) return pipe.filter(isSchema).flatMap((each) => plain(each, value));
  if (typeof getter === 'function') return plain(getter(value), value);
  if (wrapped !== undefined) return plain(wrapped, value);
  if (!Array.isArray(options)) return [schema];
  const open = options.flatMap((each) => plain(each, value));
  const decided = schema['type'] === 'variant' ? open.filter((each) => isDecided(each, schema['key'], value)) : [];
  return decided.length > 0 ? decided : open;
}

/** Whether the deciding key of a variant speaks for this one of its objects. */
function isDecided(schema: unknown, key: unknown, value: unknown): boolean {
  const [deciding] = inside(schema, key);
  return typeof key === 'string' && isRecord(value) && isSchema(deciding) && v.is(deciding, value[key]);
}

function inside(schema: unknown, key: unknown): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const { entries, items, item, value } = schema;
  const listed = isRecord(entries) ? entries : isRecord(items) ? items : undefined;
  const name = String(key);
  if (listed !== undefined) return Object.hasOwn(listed, name) ? [listed[name]] : [];
  if (item !== undefined) return [item];
  return schema['type'] === 'record' ? [value] : [];
}

function isSchema(value: unknown): value is v.GenericSchema {
  return isRecord(value) && value['kind'] === 'schema';
}

/** True for an object that is not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
