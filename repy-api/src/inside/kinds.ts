import {
  bufferBytes,
  dateTime,
  getPrototypeOf,
  isArray,
  isError,
  mapSize,
  ObjectPrototype,
  ownKeys,
  SafePromise,
  SafeWeakSet,
  setSize,
  takes,
  typedArrayName,
  viewBytes,
  weakAdd,
  weakHas,
} from './primordials.ts';

/** The language's own classes that are neither data nor mere protocols: an object of one cannot go across. */
const closed = new SafeWeakSet<object>();
for (const name of ownKeys(globalThis)) {
  const Class = (globalThis as Record<PropertyKey, unknown>)[name];
  const isClass = typeof Class === 'function' && name !== 'Object' && name !== 'Iterator';
  if (isClass && typeof Class.prototype === 'object') weakAdd(closed, Class.prototype as object);
}

export function isPlain(value: object): boolean {
  const prototype = getPrototypeOf(value);
  return prototype === ObjectPrototype || prototype === null;
}

export function isPromise(value: object): boolean {
  for (let at = getPrototypeOf(value); at !== null; at = getPrototypeOf(at)) {
    if (at === SafePromise.prototype) return true;
  }
  return false;
}

/** What is copied; of all but plain objects, by its class as the engine knows it. */
export function isData(value: object): boolean {
  if (isArray(value) || isError(value) || typedArrayName(value) !== undefined || takes(dateTime, value)) return true;
  return takes(mapSize, value) || takes(setSize, value) || takes(bufferBytes, value) || takes(viewBytes, value);
}

/** @param prototype of an object of a class. */
export function isClosed(prototype: object): boolean {
  return weakHas(closed, prototype);
}
