/**
 * Taken before the program runs, and used instead of any look-up later: a program may replace what it likes, the code
 * here still does what it did.
 */
export const { apply, ownKeys } = Reflect;
export const { getOwnPropertyDescriptor } = Object;
export const { create, defineProperty, freeze, getPrototypeOf } = Object;
const isArrayHere = Array.isArray;
export const { isInteger } = Number;
export const finite = Number.isFinite;
export const SafePromise = Promise;
export const SafeError = Error;
export const SafeUint8Array = Uint8Array;
export const SafeUint16Array = Uint16Array;
export const SafeArray = Array;
export const SafeDataView = DataView;
export const SafeDate = Date;
export const SafeMap = Map;
export const SafeSet = Set;
export const SafeWeakMap = WeakMap;
export const SafeWeakSet = WeakSet;
export const SafeRangeError = RangeError;
export const { isError } = Error as unknown as { isError(value: unknown): boolean };
export const { iterator } = Symbol;
export const asyncIterator: typeof Symbol.asyncIterator = Symbol.asyncIterator;
export const ObjectPrototype = Object.prototype;
const ArrayPrototype = Array.prototype;
export const parseJson = JSON.parse;
export const SafeString = String;

const { bind, call } = Function.prototype;
/** `f.call` as a function: what it calls is fixed now. */
const uncurry = bind.bind(call) as <T, A extends unknown[], R>(
  method: (this: T, ...args: A) => R,
) => (self: T, ...args: A) => R;

export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const indexOf = uncurry(String.prototype.indexOf);
export const slice = uncurry(String.prototype.slice);
export const includes = uncurry(String.prototype.includes) as (text: string, part: string) => boolean;
export const toWellFormed = uncurry(String.prototype.toWellFormed);
export const promiseThen = uncurry(Promise.prototype.then as (this: unknown, a: unknown, b: unknown) => unknown);
const execute = uncurry(RegExp.prototype.exec as (this: unknown, text: string) => unknown);
/** Not by `test`, which asks for a method that a program may replace. */
export const matches = (pattern: RegExp, text: string): boolean => execute(pattern, text) !== null;
export const { fromCharCode } = String;

const typedArray = getPrototypeOf(Uint8Array.prototype);
const getterOf = (name: string | symbol, prototype: object = typedArray) =>
  uncurry(getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown);
/** The name of a typed array's class, undefined for anything else; not to be fooled by a proxy or a subclass. */
export const typedArrayName = getterOf(Symbol.toStringTag);
export const typedArrayLength = getterOf('length') as (self: unknown) => number;

/** Many times faster than a character for each byte, where there are many. */
export const toBase64 = uncurry(Uint8Array.prototype.toBase64 as (this: Uint8Array) => string);
export const setFromBase64 = uncurry(Uint8Array.prototype.setFromBase64 as (this: Uint8Array, text: string) => unknown);

/** Where the bytes of a typed array, a buffer or a view are; each throws for what it is not of. */
export const typedArrayBuffer = getterOf('buffer') as (self: unknown) => ArrayBuffer;
export const typedArrayOffset = getterOf('byteOffset') as (self: unknown) => number;
export const typedArrayBytes = getterOf('byteLength') as (self: unknown) => number;
export const typedArraySet = uncurry(typedArray.set as (this: Uint8Array, from: Uint8Array) => void);
export const bufferBytes = getterOf('byteLength', ArrayBuffer.prototype) as (self: unknown) => number;
export const viewBuffer = getterOf('buffer', DataView.prototype) as (self: unknown) => ArrayBuffer;
export const viewOffset = getterOf('byteOffset', DataView.prototype) as (self: unknown) => number;
export const viewBytes = getterOf('byteLength', DataView.prototype) as (self: unknown) => number;

export const mapSize = getterOf('size', Map.prototype);
export const mapGet = uncurry(Map.prototype.get as (this: unknown, key: unknown) => unknown);
export const mapSet = uncurry(Map.prototype.set as (this: unknown, key: unknown, value: unknown) => unknown);
export const mapHas = uncurry(Map.prototype.has as (this: unknown, key: unknown) => boolean);
export const mapDelete = uncurry(Map.prototype.delete as (this: unknown, key: unknown) => boolean);
type Each = (value: unknown, key: unknown) => void;
export const mapForEach = uncurry(Map.prototype.forEach as (this: unknown, fn: Each) => void);
export const setSize = getterOf('size', Set.prototype);
export const setAdd = uncurry(Set.prototype.add as (this: unknown, value: unknown) => unknown);
export const setForEach = uncurry(Set.prototype.forEach as (this: unknown, fn: Each) => void);
export const weakGet = uncurry(WeakMap.prototype.get as (this: unknown, key: object) => unknown);
export const weakSet = uncurry(WeakMap.prototype.set as (this: unknown, key: object, value: unknown) => unknown);
export const weakHas = uncurry(WeakSet.prototype.has as (this: unknown, value: object) => boolean);
export const weakAdd = uncurry(WeakSet.prototype.add as (this: unknown, value: object) => unknown);
export const dateTime = uncurry(Date.prototype.getTime as (this: unknown) => number);
export const isEnumerable = uncurry(
  Object.prototype.propertyIsEnumerable as (this: unknown, key: PropertyKey) => boolean,
);

/** Whether a getter or method from above takes a value: its class as the engine knows it, whatever the program did. */
export function takes(method: (self: unknown) => unknown, value: unknown): boolean {
  try {
    method(value);
    return true;
  } catch {
    return false;
  }
}

/** Of a revoked proxy nobody can tell: it is none. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return isArrayHere(value);
  } catch {
    return false;
  }
}

/** A table with integer keys and no prototype to fall through to. */
export type Table<T> = { [key: number]: T | undefined };
export const table = <T>(): Table<T> => create(null) as Table<T>;

/** The classes of typed arrays by their names. */
export const typedArrayClasses = create(null) as { [name: string]: unknown };
for (const Class of [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float16Array,
  Float32Array,
  Float64Array,
]) {
  typedArrayClasses[Class.name] = Class;
}

/** The language's own classes of errors by their names. */
export const builtinErrors = create(null) as { [name: string]: (new (message: string) => Error) | undefined };
for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  builtinErrors[Class.name] = Class;
}

/** What the web raises where Repy has no say. */
const SafeTypeError = TypeError;
export const typeError = (message: string): TypeError => new SafeTypeError(message);

/** A property as an assignment makes it where no prototype has a setter or a constant of that name. */
export function setData(target: object, key: PropertyKey, value: unknown): void {
  // The program may have given arrays another prototype, which may be a proxy; that of all objects cannot be changed.
  const changed = getPrototypeOf(ArrayPrototype) !== ObjectPrototype;
  if (changed || key in ArrayPrototype) defineData(target, key, value);
  else (target as Record<PropertyKey, unknown>)[key] = value;
}

/** A property as an assignment makes it, whatever setters there are; its descriptor has nothing to fall through to. */
export function defineData(target: object, key: PropertyKey, value: unknown): void {
  const descriptor = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
  defineProperty(target, key, descriptor as PropertyDescriptor);
}

/** The same, not to be seen when the object is listed. */
export function defineHidden(target: object, key: PropertyKey, value: unknown): void {
  const descriptor = { __proto__: null, value, writable: true, enumerable: false, configurable: true };
  defineProperty(target, key, descriptor as PropertyDescriptor);
}
