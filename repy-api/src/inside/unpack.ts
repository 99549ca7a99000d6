import { ERROR_CLASSES } from './errors.ts';
import { type Letter, TAG, takeBytes, takeCount, takePlain, takeText } from './letter.ts';
import { imported } from './ports.ts';
import {
  asyncIterator,
  builtinErrors,
  defineData,
  defineHidden,
  indexOf,
  iterator,
  mapSet,
  SafeDataView,
  SafeDate,
  SafeError,
  SafeMap,
  SafeSet,
  SafeUint8Array,
  setAdd,
  setData,
  slice,
  table,
  typedArrayBuffer,
  typedArrayClasses,
} from './primordials.ts';

/**
 * Makes this realm's own values of a letter; runs no code of another realm.
 * @returns the values, as an array that may be given to `apply`
 */
export function unpack(from: Letter): unknown[] {
  const count = takeCount(from);
  const values: unknown[] = [];
  for (let index = 0; index < count; index++) setData(values, index, read(from));
  finish(from);
  return values;
}

/** The same for a letter of one value. */
export function unpackOne(from: Letter): unknown {
  takeCount(from);
  const value = read(from);
  finish(from);
  return value;
}

/** Only when all is read: to hear of a promise is a call to the other side, which may write a letter of its own. */
function finish(from: Letter): void {
  for (let index = 0; index < from.afters; index++) from.after?.[index]?.();
}

function made<T>(from: Letter, value: T): T {
  from.made ??= table();
  from.made[from.objects++] = value;
  return value;
}

function read(from: Letter): unknown {
  const tag = takeCount(from);
  switch (tag) {
    case TAG.plain:
      return takePlain(from);
    case TAG.again:
      return from.made?.[takeCount(from)];
    case TAG.array:
      return readArray(from);
    case TAG.object:
      return readObject(from);
    case TAG.map:
      return readMap(from);
    case TAG.set:
      return readSet(from);
    case TAG.date:
      return made(from, new SafeDate(takePlain(from) as number));
    case TAG.bytes:
      return readBytes(from);
    case TAG.error:
      return readError(from);
    default:
      return imported(tag, from);
  }
}

function readArray(from: Letter): unknown {
  const length = takeCount(from);
  const array = made<unknown[]>(from, []);
  for (let index = 0; index < length; index++) setData(array, index, read(from));
  return array;
}

function readObject(from: Letter): unknown {
  const count = takeCount(from);
  const object = made(from, {});
  for (let index = 0; index < count; index++) {
    const key = takePlain(from);
    const name = key === null ? iterator : key === undefined ? asyncIterator : (key as string);
    setData(object, name, read(from));
  }
  return object;
}

function readMap(from: Letter): unknown {
  const size = takeCount(from);
  const map = made(from, new SafeMap());
  for (let index = 0; index < size; index++) {
    const key = read(from);
    mapSet(map, key, read(from));
  }
  return map;
}

function readSet(from: Letter): unknown {
  const size = takeCount(from);
  const set = made(from, new SafeSet());
  for (let index = 0; index < size; index++) setAdd(set, read(from));
  return set;
}

/** A typed array made of another is a copy, whatever the other's program did to it: only its bytes are looked at. */
function readBytes(from: Letter): unknown {
  const kind = takeText(from);
  const bytes = takeBytes(from);
  const Class = typedArrayClasses[kind] as Uint8ArrayConstructor | undefined;
  if (Class !== undefined) return made(from, new Class(bytes));
  const buffer = typedArrayBuffer(new SafeUint8Array(bytes));
  return made(from, kind === 'DataView' ? new SafeDataView(buffer) : buffer);
}

/** Of the class of that name here, if there is one; its places are those where it was thrown, then those here. */
function readError(from: Letter): unknown {
  const name = takeText(from);
  const message = takeText(from);
  const stack = takeText(from);
  const code = takePlain(from);
  const Class = ERROR_CLASSES[name] ?? builtinErrors[name];
  const error = made(from, new (Class ?? SafeError)(message));
  if (Class === undefined) defineHidden(error, 'name', name);
  if (code !== undefined) defineData(error, 'code', code);
  const { stack: here } = error as { stack?: unknown };
  defineHidden(error, 'stack', withoutOurs(stack) + places(typeof here === 'string' ? here : ''));
  if (takePlain(from) === true) defineHidden(error, 'cause', read(from));
  return error;
}

const OURS = 'potluck:prelude';
const AT = '\n    at ';

/** @returns a trace without the lines of the code inside. */
function withoutOurs(stack: string): string {
  let text = '';
  let from = 0;
  while (from < stack.length) {
    const next = indexOf(stack, '\n', from + 1);
    const line = slice(stack, from, next === -1 ? stack.length : next);
    if (indexOf(line, OURS, 0) === -1) text += line;
    from += line.length;
  }
  return text;
}

/** @returns the lines of a trace that are places. */
function places(stack: string): string {
  const first = indexOf(stack, AT, 0);
  return first === -1 ? '' : withoutOurs(slice(stack, first, stack.length));
}
