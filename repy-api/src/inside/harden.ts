import { apply, defineProperty, getPrototypeOf, ownKeys, SafeError } from './primordials.ts';

/**
 * Not for programs: memory that the heap limit does not count (WebAssembly, Intl, Temporal, resizable buffers), a timer
 * and a race (SharedArrayBuffer, Atomics).
 */
const ABSENT = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Intl', 'Temporal', 'console'];
const RESIZING = ['resize', 'resizable', 'maxByteLength', 'transfer', 'transferToFixedLength', 'transferToImmutable'];
const STACK_FRAMES = 20;

/** Runs once, before the program. */
export function harden(): void {
  for (const name of ABSENT) Reflect.deleteProperty(globalThis, name);
  fixBuffers();
  fixLengths();
  refuseCodeFromStrings();
  withoutLocales();
  defineProperty(SafeError, 'stackTraceLimit', { value: STACK_FRAMES, writable: false, configurable: false });
}

/** Buffers of one size only: `maxByteLength` is not passed on, whichever way the constructor is called. */
function fixBuffers(): void {
  const Original = ArrayBuffer;
  const { construct } = Reflect;
  function Fixed(this: unknown, length: unknown): unknown {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
    return construct(Original, [length], new.target);
  }
  for (const key of ownKeys(Original)) {
    if (key === 'length') continue;
    const descriptor = Object.getOwnPropertyDescriptor(Original, key);
    if (descriptor !== undefined) defineProperty(Fixed, key, descriptor);
  }
  defineProperty(Original.prototype, 'constructor', { value: Fixed, writable: true, configurable: true });
  defineProperty(globalThis, 'ArrayBuffer', { value: Fixed, writable: true, configurable: true });
  for (const name of RESIZING) Reflect.deleteProperty(Original.prototype, name);
}

/**
 * `apply` asks a typed array for its length, and the code around a program gives it arrays of these classes. Each gets
 * the getter as its own: a program could otherwise put another one before it.
 */
function fixLengths(): void {
  const getter = Object.getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'length')?.get as () => number;
  for (const { prototype } of [Uint8Array, Uint16Array]) {
    defineProperty(prototype, 'length', { get: getter, configurable: false });
  }
}

/** What runs is what was uploaded: `eval` and all four kinds of function constructors refuse. */
function refuseCodeFromStrings(): void {
  const refuse = () => {
    throw new EvalError('expected code that was uploaded, got code in a string: it is refused in a vessel');
  };
  const kinds = [() => {}, async () => {}, function* () {}, async function* () {}];
  for (const sample of kinds) {
    const prototype = getPrototypeOf(sample);
    const { name } = prototype.constructor as { name: string };
    function Refusing() {
      return refuse();
    }
    defineProperty(Refusing, 'name', { value: name });
    defineProperty(Refusing, 'prototype', { value: prototype });
    const writable = name === 'Function';
    defineProperty(prototype, 'constructor', { value: Refusing, writable, configurable: true });
    if (writable) defineProperty(globalThis, 'Function', { value: Refusing, writable, configurable: true });
  }
  defineProperty(globalThis, 'eval', { value: refuse, writable: true, configurable: true });
}

/** Locale calls keep memory that the heap limit does not count; they answer here as if there were one locale. */
function withoutLocales(): void {
  const replace = (target: object, from: string, to: string) => {
    const original = (target as Record<string, unknown>)[to] as (...args: unknown[]) => unknown;
    const method = {
      [from](this: unknown) {
        return apply(original, this, []);
      },
    }[from];
    defineProperty(target, from, { value: method, writable: true, configurable: true });
  };
  for (const Class of [Number, BigInt, Array, getPrototypeOf(Uint8Array)]) {
    replace(Class.prototype, 'toLocaleString', 'toString');
  }
  replace(Date.prototype, 'toLocaleString', 'toString');
  replace(Date.prototype, 'toLocaleDateString', 'toDateString');
  replace(Date.prototype, 'toLocaleTimeString', 'toTimeString');
  replace(String.prototype, 'toLocaleUpperCase', 'toUpperCase');
  replace(String.prototype, 'toLocaleLowerCase', 'toLowerCase');
  const localeCompare = (self: unknown, other: unknown) => {
    const left = `${self}`;
    const right = `${other}`;
    return left < right ? -1 : left > right ? 1 : 0;
  };
  const method = {
    localeCompare(this: unknown, other: unknown) {
      return localeCompare(this, other);
    },
  };
  defineProperty(String.prototype, 'localeCompare', {
    value: method.localeCompare,
    writable: true,
    configurable: true,
  });
}
