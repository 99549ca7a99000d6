import { CALL_LIMITS } from '../ops.ts';
import { isBytes, lengthOf } from './data.ts';
import { describeThrown } from './errors.ts';
import { URLSearchParams } from './params.ts';
import { isArray, isError, ownKeys, SafeString, slice } from './primordials.ts';
import { URL } from './url.ts';

const DEPTH = 4;
const ITEMS = 100;

/** What `log` writes for one value: a string as it is, anything else as a reader would write it. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return inspect(value, DEPTH);
  } catch {
    return '[cannot be shown]';
  }
}

/** What `log` writes for all of its values. */
export function lineOf(values: readonly unknown[]): string {
  let text = '';
  for (let index = 0; index < values.length; index++) {
    text += index === 0 ? textOf(values[index]) : ` ${textOf(values[index])}`;
    if (text.length > CALL_LIMITS.logLength) break;
  }
  return text.length > CALL_LIMITS.logLength ? `${slice(text, 0, CALL_LIMITS.logLength)}[cut off]` : text;
}

function inspect(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `[function ${SafeString(value.name)}]`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return SafeString(value);
  if (isError(value)) return describeThrown(value);
  if (depth === 0) return isArray(value) ? '[...]' : '{...}';
  if (isArray(value)) return list('[', value.length, (index) => inspect(value[index], depth - 1), ']');
  if (isBytes(value)) return list('<', lengthOf(value), (index) => SafeString(value[index]), '>');
  if (value instanceof Map) {
    const entries = [...value];
    const item = (index: number) => entries[index]?.map((part) => inspect(part, depth - 1)).join(' => ') ?? '';
    return list('Map {', entries.length, item, '}');
  }
  if (value instanceof Set) {
    const items = [...value];
    return list('Set {', items.length, (index) => inspect(items[index], depth - 1), '}');
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof URL || value instanceof URLSearchParams) return value.toString();
  return inspectObject(value as Record<string, unknown>, depth);
}

function inspectObject(value: Record<string, unknown>, depth: number): string {
  const keys = ownKeys(value).filter((key): key is string => typeof key === 'string');
  const item = (index: number) => `${keys[index]}: ${inspect(value[keys[index] ?? ''], depth - 1)}`;
  return list('{', keys.length, item, '}');
}

function list(open: string, count: number, item: (index: number) => string, close: string): string {
  const parts: string[] = [];
  for (let index = 0; index < count && index < ITEMS; index++) parts[index] = item(index);
  if (count > ITEMS) parts[ITEMS] = `... ${count - ITEMS} more`;
  const space = open.endsWith('{') && parts.length > 0 ? ' ' : '';
  return `${open}${space}${parts.join(', ')}${space}${close}`;
}
