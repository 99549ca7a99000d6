import { COPY_LIMITS } from '../ops.ts';
import { argumentError, describeThrown } from './errors.ts';
import { isPlain } from './kinds.ts';
import { isFirst, type Letter, letter, put, set, TAG, wordAt } from './letter.ts';
import { described } from './ports.ts';
import {
  asyncIterator,
  bufferBytes,
  dateTime,
  isArray,
  isEnumerable,
  isError,
  isInteger,
  iterator,
  mapForEach,
  mapSize,
  ownKeys,
  SafeUint8Array,
  setForEach,
  setSize,
  slice,
  takes,
  typedArrayName,
  viewBuffer,
  viewBytes,
  viewOffset,
} from './primordials.ts';

const TRACE_LENGTH = 20_000;

/**
 * Writes values so that another realm can make its own of them: data is copied, of functions, promises and instances of
 * classes a port goes across. What runs here of the program (getters, proxies) runs here, before anything has gone.
 * @throws RepyArgumentError for what cannot pass; whatever the program's own code throws
 */
export function pack(values: readonly unknown[]): Letter {
  const to = letter();
  put(to, values.length);
  for (let index = 0; index < values.length; index++) write(to, values[index]);
  return to;
}

export function packOne(value: unknown): Letter {
  const to = letter();
  put(to, 1);
  write(to, value);
  return to;
}

/** A letter with what was thrown; never fails but for want of stack. */
export function packThrown(error: unknown): Letter {
  try {
    return packOne(error);
  } catch {
    const to = letter();
    put(to, 1);
    putError(to, { name: 'InternalError', message: describeThrown(error), stack: '' });
    put(to, false);
    return to;
  }
}

function write(to: Letter, value: unknown): void {
  if (to.length > COPY_LIMITS.parts) {
    throw argumentError(`data of at most ${COPY_LIMITS.parts} parts to pass on`, to.length);
  }
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    if (typeof value === 'symbol') throw argumentError('no symbol to pass on', value);
    put(to, TAG.plain);
    put(to, value as string);
    return;
  }
  const words = described(value);
  if (words !== undefined) {
    for (let index = 0; index < words.length; index++) put(to, wordAt(words, index));
  } else if (isFirst(to, value)) {
    if (to.depth >= COPY_LIMITS.depth) {
      throw argumentError(`data in at most ${COPY_LIMITS.depth} levels to pass on`, to.depth + 1);
    }
    to.depth += 1;
    writeData(to, value);
    to.depth -= 1;
  }
}

function writeData(to: Letter, value: object): void {
  if (isArray(value)) writeArray(to, value);
  else if (isPlain(value)) writeObject(to, value);
  else if (isError(value)) writeError(to, value);
  else if (takes(dateTime, value)) {
    put(to, TAG.date);
    put(to, dateTime(value));
  } else if (takes(mapSize, value)) writeMap(to, value);
  else if (takes(setSize, value)) writeSet(to, value);
  else writeBytes(to, value);
}

function writeArray(to: Letter, value: unknown[]): void {
  const { length } = value;
  // A proxy of an array says what it likes, and an object would run its program's code where it is read.
  if (!isInteger(length) || length < 0) throw argumentError('an array whose length is a number', length);
  put(to, TAG.array);
  put(to, length);
  for (let index = 0; index < length; index++) write(to, value[index]);
}

/** Own enumerable properties with names, and what makes an object iterable: its key is null, or undefined if it is async. */
function writeObject(to: Letter, value: object): void {
  const keys = ownKeys(value);
  put(to, TAG.object);
  const place = to.length;
  put(to, 0);
  let count = 0;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string | symbol;
    if (!isEnumerable(value, key)) continue;
    if (typeof key === 'symbol' && key !== asyncIterator && key !== iterator) continue;
    put(to, typeof key === 'string' ? key : key === iterator ? null : undefined);
    write(to, (value as Record<PropertyKey, unknown>)[key]);
    count++;
  }
  set(to, place, count);
}

function writeMap(to: Letter, value: object): void {
  put(to, TAG.map);
  const place = to.length;
  put(to, 0);
  // It may grow meanwhile, by getters of what is in it.
  let count = 0;
  mapForEach(value, (item, key) => {
    write(to, key);
    write(to, item);
    count++;
  });
  set(to, place, count);
}

function writeSet(to: Letter, value: object): void {
  put(to, TAG.set);
  const place = to.length;
  put(to, 0);
  let count = 0;
  setForEach(value, (item) => {
    write(to, item);
    count++;
  });
  set(to, place, count);
}

/** The kind, then the bytes: a typed array of its kind, or one of bytes for a buffer or a view. */
function writeBytes(to: Letter, value: object): void {
  const name = typedArrayName(value) as string | undefined;
  put(to, TAG.bytes);
  if (name !== undefined) {
    put(to, name);
    put(to, value as Uint8Array);
  } else if (takes(bufferBytes, value)) {
    put(to, 'ArrayBuffer');
    put(to, new SafeUint8Array(value as ArrayBuffer));
  } else {
    put(to, 'DataView');
    put(to, new SafeUint8Array(viewBuffer(value), viewOffset(value), viewBytes(value)));
  }
}

/** Name, message, place, code, and whether a cause follows. Reading them may run the program's code. */
function writeError(to: Letter, value: object): void {
  const { name, message, stack, code, cause } = value as Record<string, unknown>;
  putError(to, { name: textOr(name, 'Error'), message: textOr(message, ''), stack: textOr(stack, ''), code });
  const follows = cause !== undefined && typeof cause !== 'symbol' && typeof cause !== 'function';
  put(to, follows);
  if (follows) write(to, cause);
}

function putError(
  to: Letter,
  { name, message, stack, code }: { name: string; message: string; stack: string; code?: unknown },
): void {
  put(to, TAG.error);
  put(to, name);
  put(to, message);
  put(to, stack);
  put(to, typeof code === 'string' || typeof code === 'number' ? code : undefined);
}

function textOr(value: unknown, other: string): string {
  return typeof value === 'string' ? slice(value, 0, TRACE_LENGTH) : other;
}
