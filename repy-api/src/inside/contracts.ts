import { isBytes, lengthOf } from './data.ts';
import { argumentError, ERROR_CLASSES, errorOf, kindOf } from './errors.ts';
import { isPlain, isPromise } from './kinds.ts';
import { CALLS, SHAPES } from './shapes.ts';

/**
 * What a layer promises of a call that it changes, checked at each call. This runs where no program does, between the
 * layer and the program above it, so neither can have a part in it.
 */
export interface Contract {
  /** A type for each argument; `?` after the last ones that may be left out, `...` after one of which there may be more. */
  readonly args?: readonly string[];
  /** Of what is returned, or of what the promise resolves with: a type, or the members of an object. */
  readonly returns?: string | Shape;
  /** Names of the errors that may come out; those of the Repy API unless said. */
  readonly throws?: readonly string[];
}
export interface Shape {
  /** By a member's name, with `?` after it if it may be missing: the contract of a method, or the type of a value. */
  readonly [member: string]: Contract | string;
}

type Test = (value: unknown) => boolean;
const isObject: Test = (value) => typeof value === 'object' && value !== null;
const TESTS: { readonly [type: string]: Test | undefined } = {
  any: () => true,
  nothing: (value) => value === undefined,
  null: (value) => value === null,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  bytes: (value) => isBytes(value) && lengthOf(value) >= 0,
  array: Array.isArray,
  object: isObject,
  function: (value) => typeof value === 'function',
};

interface Type {
  readonly text: string;
  readonly names: readonly string[];
  readonly optional: boolean;
  readonly rest: boolean;
}

function typeOf(text: unknown): Type {
  if (typeof text !== 'string') throw argumentError('a type as a text such as "string" or "number|null"', text);
  const rest = text.endsWith('...');
  const optional = rest || text.endsWith('?');
  const names = text.replace(/\?$|\.\.\.$/, '').split('|');
  for (const name of names) {
    if (Object.hasOwn(TESTS, name) || Object.hasOwn(SHAPES, name)) continue;
    throw argumentError(`a type of ${[...Object.keys(TESTS), ...Object.keys(SHAPES)].join(', ')}`, name);
  }
  return { text: names.join(' or '), names, optional, rest };
}

function fits({ names, optional }: Type, value: unknown): boolean {
  if (value === undefined && optional) return true;
  return names.some((name) => (Object.hasOwn(TESTS, name) ? TESTS[name]?.(value) : isObject(value)));
}

/** Whose call it is, for errors: `what` is its name as the program says it. */
export interface Place {
  readonly layer: string;
  readonly what: string;
}

type Calling = (...args: unknown[]) => unknown;
type Check = (value: unknown, place: Place) => unknown;

/** @returns a function that checks what comes in and goes out. @throws RepyArgumentError the contract is none */
export function checked(place: Place, target: Calling, contract: Contract | undefined): Calling {
  const { args, returns, throws } = (contract ?? CALLS[place.what] ?? {}) as Record<string, unknown>;
  const types = needList(args ?? ['any...'], 'the types of the arguments as an array').map(typeOf);
  const check = checkOf(returns ?? 'any');
  const errors = throws === undefined ? undefined : needErrors(throws);
  return (...given) => {
    checkArguments(given, types, place);
    let result: unknown;
    try {
      result = target(...given);
    } catch (error) {
      throw thrownBy(error, errors, place);
    }
    if (!isObject(result) || !isPromise(result as object)) return check(result, place);
    const settled = (result as Promise<unknown>).then(
      (value) => check(value, place),
      (error: unknown) => {
        throw thrownBy(error, errors, place);
      },
    );
    return settled;
  };
}

function needList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw argumentError(what, value);
  return value;
}

function needErrors(value: unknown): readonly string[] {
  return needList(value, 'the names of errors as an array').map((name) => {
    if (typeof name !== 'string') throw argumentError('the name of an error as a text', name);
    return name;
  });
}

function checkArguments(given: readonly unknown[], types: readonly Type[], { layer, what }: Place): void {
  const last = types.at(-1);
  const most = Math.max(given.length, types.length);
  for (let index = 0; index < most; index++) {
    const type = types[index] ?? (last?.rest === true ? last : undefined);
    if (type !== undefined && fits(type, given[index])) continue;
    const expected = type === undefined ? 'no more' : type.text;
    throw argumentError(`${expected} as argument ${index + 1} of ${what}, with the layer ${layer}`, given[index]);
  }
}

function checkOf(returns: unknown): Check {
  if (isObject(returns)) return shapeCheck(returns as Shape, 'an object');
  const type = typeOf(returns);
  const shapes = type.names.filter((name) => Object.hasOwn(SHAPES, name));
  const [shape] = shapes;
  const object = shape === undefined ? undefined : shapeCheck(SHAPES[shape] as Shape, shape);
  return (value, place) => {
    if (!fits(type, value)) throw broken(place, `to return ${type.text}`, value);
    return object !== undefined && isObject(value) ? object(value, place) : value;
  };
}

/** An object of the API passes as it is; of any other only the members that are named do. */
function shapeCheck(shape: Shape, name: string): Check {
  const members = Object.entries(shape).map(([key, member]) => {
    const contract = typeof member === 'string' ? undefined : member;
    // Compiled now, so that a wrong contract is told where it is given.
    if (contract !== undefined) checked({ layer: '', what: '' }, () => {}, contract);
    const type = typeof member === 'string' ? typeOf(member) : undefined;
    return { key: key.replace(/\?$/, ''), optional: key.endsWith('?'), contract, type };
  });
  return (value, place) => {
    if (!isObject(value)) throw broken(place, `to return ${name}`, value);
    if (!isPlain(value as object)) return value;
    const result: Record<PropertyKey, unknown> = {};
    for (const { key, optional, contract, type } of members) {
      const key2 = key === 'asyncIterator' ? Symbol.asyncIterator : key;
      const member = (value as Record<PropertyKey, unknown>)[key2];
      if (member === undefined && (optional || type?.optional === true)) continue;
      const what = `${place.what}.${key}`;
      if (contract === undefined) {
        if (type !== undefined && !fits(type, member)) throw broken({ ...place, what }, `to give ${type.text}`, member);
        result[key2] = member;
      } else {
        if (typeof member !== 'function') throw broken(place, `to return an object with a function ${key}`, member);
        result[key2] = checked({ ...place, what }, member as Calling, contract);
      }
    }
    return result;
  };
}

/** It is the layer's fault, not the program's. */
function broken({ layer, what }: Place, expected: string, got: unknown): Error {
  return errorOf('LayerError', `expected the layer ${layer} ${expected} for ${what}, got ${kindOf(got)}`);
}

/** @returns the error for the program: without the layer's own place, unless it was not meant to come out. */
function thrownBy(error: unknown, allowed: readonly string[] | undefined, place: Place): Error {
  const { name, message, stack } = (isObject(error) ? error : {}) as Record<string, unknown>;
  const known = typeof name === 'string' && Object.hasOwn(ERROR_CLASSES, name);
  const expected = allowed === undefined ? known : typeof name === 'string' && allowed.includes(name);
  if (expected && known) return errorOf(name as never, String(message));
  if (expected) return Object.assign(errorOf('LayerError', String(message)), { name });
  const where = /[^\s(]+:\d+:\d+/.exec(typeof stack === 'string' ? stack : '')?.[0];
  const got = Error.isError(error) ? `${name}: ${message}${where === undefined ? '' : ` at ${where}`}` : kindOf(error);
  const list = allowed === undefined ? 'an error of the Repy API' : allowed.join(', ') || 'nothing';
  return errorOf('LayerError', `expected the layer ${place.layer} to throw ${list} for ${place.what}, got ${got}`);
}
