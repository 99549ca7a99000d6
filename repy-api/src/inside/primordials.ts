/**
 * Taken before the program runs, and used instead of any look-up later: a program may replace what it likes, the code
 * here still does what it did.
 */
export const { apply, ownKeys } = Reflect;
const { getOwnPropertyDescriptor } = Object;
export const { create, defineProperty, freeze, getPrototypeOf } = Object;
export const { isArray } = Array;
export const { isInteger } = Number;
export const finite = Number.isFinite;
export const SafePromise = Promise;
export const SafeError = Error;
export const SafeUint8Array = Uint8Array;
export const SafeString = String;

const { bind, call } = Function.prototype;
/** `f.call` as a function: what it calls is fixed now. */
const uncurry = bind.bind(call) as <T, A extends unknown[], R>(
  method: (this: T, ...args: A) => R,
) => (self: T, ...args: A) => R;

export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const slice = uncurry(String.prototype.slice);
export const promiseThen = uncurry(Promise.prototype.then as (this: unknown, a: unknown, b: unknown) => unknown);
export const { fromCharCode } = String;

const typedArray = getPrototypeOf(Uint8Array.prototype);
const getterOf = (name: string | symbol) =>
  uncurry(getOwnPropertyDescriptor(typedArray, name)?.get as (this: unknown) => unknown);
/** The name of a typed array's class, undefined for anything else; not to be fooled by a proxy or a subclass. */
export const typedArrayName = getterOf(Symbol.toStringTag);
export const typedArrayLength = getterOf('length') as (self: unknown) => number;
export const subarray = uncurry(typedArray.subarray as (this: Uint8Array, from: number, to: number) => Uint8Array);

/** A table with integer keys and no prototype to fall through to. */
export type Table<T> = { [key: number]: T | undefined };
export const table = <T>(): Table<T> => create(null) as Table<T>;
