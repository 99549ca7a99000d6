import { bytesOf, lengthOf } from './data.ts';
import { argumentError } from './errors.ts';
import {
  bufferBytes,
  dateTime,
  defineData,
  getPrototypeOf,
  isArray,
  isEnumerable,
  mapForEach,
  mapGet,
  mapHas,
  mapSet,
  mapSize,
  ObjectPrototype,
  ownKeys,
  SafeArray,
  SafeDataView,
  SafeDate,
  SafeMap,
  SafeSet,
  SafeUint8Array,
  setAdd,
  setForEach,
  setSize,
  takes,
  typedArrayBuffer,
  typedArrayClasses,
  typedArrayLength,
  typedArrayName,
  typedArrayOffset,
  typedArraySet,
  viewBuffer,
  viewBytes,
  viewOffset,
} from './primordials.ts';

/** Copies made so far, by what they are copies of: cycles and shared parts stay so. */
type Made = Map<unknown, unknown>;

export function structuredClone(value: unknown, options?: unknown): unknown {
  if (options !== undefined) throw argumentError('no options: nothing can be transferred', options);
  return copy(value, new SafeMap());
}

function copy(value: unknown, made: Made): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw argumentError('data', value);
  if (typeof value !== 'object' || value === null) return value;
  if (mapHas(made, value)) return mapGet(made, value);
  if (isArray(value)) return fill(value, remember(made, value, new SafeArray(value.length)), made);
  if (takes(dateTime, value)) return remember(made, value, new SafeDate(dateTime(value)));
  if (takes(mapSize, value)) return copyMap(value, made);
  if (takes(setSize, value)) return copySet(value, made);
  if (typedArrayName(value) !== undefined || takes(bufferBytes, value) || takes(viewBytes, value)) {
    return copyBytes(value, made);
  }
  const prototype = getPrototypeOf(value);
  if (prototype !== ObjectPrototype && prototype !== null) throw argumentError('plain data', value);
  return fill(value, remember(made, value, {}), made);
}

function remember<T>(made: Made, value: unknown, result: T): T {
  mapSet(made, value, result);
  return result;
}

/** Own enumerable properties with names; a getter is read, as on the web. */
function fill(value: object, result: object, made: Made): object {
  const keys = ownKeys(value);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index];
    if (typeof key !== 'string' || !isEnumerable(value, key)) continue;
    defineData(result, key, copy((value as Record<string, unknown>)[key], made));
  }
  return result;
}

function copyMap(value: object, made: Made): unknown {
  const result = remember(made, value, new SafeMap());
  mapForEach(value, (item, key) => {
    mapSet(result, copy(key, made), copy(item, made));
  });
  return result;
}

function copySet(value: object, made: Made): unknown {
  const result = remember(made, value, new SafeSet());
  setForEach(value, (item) => {
    setAdd(result, copy(item, made));
  });
  return result;
}

/** Views of one buffer become views of one copy. */
function copyBytes(value: object, made: Made): unknown {
  if (takes(bufferBytes, value)) {
    const source = bytesOf(value) as Uint8Array;
    const bytes = new SafeUint8Array(lengthOf(source));
    typedArraySet(bytes, source);
    return remember(made, value, typedArrayBuffer(bytes));
  }
  const name = typedArrayName(value) as string | undefined;
  if (name === undefined) {
    const buffer = copy(viewBuffer(value), made) as ArrayBuffer;
    return remember(made, value, new SafeDataView(buffer, viewOffset(value), viewBytes(value)));
  }
  const buffer = copy(typedArrayBuffer(value), made) as ArrayBuffer;
  const Class = typedArrayClasses[name] as Uint8ArrayConstructor;
  return remember(made, value, new Class(buffer, typedArrayOffset(value), typedArrayLength(value)));
}
