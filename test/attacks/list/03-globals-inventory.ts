/**
 * 3 globals-inventory: lists what a program finds in its world, and what hangs on each call of the API
 * expected: held
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Drive } from '../scene.ts';

const API = join(import.meta.dirname, '../../../repy-api');

/** Of the language itself, as the engine has it; whatever is new in another engine has to be looked at first. */
const LANGUAGE =
  `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise
  RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError
  globalThis JSON Math ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float16Array
  Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set Iterator WeakMap WeakSet
  WeakRef Proxy Reflect FinalizationRegistry decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval
  isFinite isNaN DisposableStack AsyncDisposableStack`.split(/\s+/);

/** What a function of the API may carry beside its name and length: a class has a prototype, and both are documented. */
const PROGRAM = `
  const own = (value) => Reflect.ownKeys(value).map(String);
  const api = Object.getOwnPropertyNames(globalThis).filter((name) => !JSON.parse(callargs[1]).includes(name));
  const carried = api.flatMap((name) => typeof globalThis[name] === 'function'
    ? own(globalThis[name]).filter((key) => !['length', 'name', 'prototype'].includes(key)).map((key) => name + '.' + key) : []);
  log(JSON.stringify({ globals: own(globalThis), carried }));
  exitall();`;

export const run: Drive = async (scene) => {
  await scene.perform(PROGRAM, JSON.stringify(LANGUAGE));
  await scene.ended();
  const { globals, carried } = JSON.parse(await scene.log()) as Record<'globals' | 'carried', string[]>;
  const documented = new Set([...LANGUAGE, ...declared()]);
  const unknown = globals.filter((name) => !documented.has(name));
  const surplus = carried.filter((path) => !isDocumented(path));
  const found = [...unknown, ...surplus];
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};

function types(): string {
  const names = readdirSync(API).filter((name) => name.endsWith('.d.ts'));
  return names.map((name) => readFileSync(join(API, name), 'utf8')).join('\n');
}

function declared(): string[] {
  const matches = types().matchAll(
    /^\s*(?:export )?(?:declare )?(?:abstract )?(?:function|const|let|var|class) (\w+)/gm,
  );
  return [...matches].map(([, name = '']) => name);
}

/** A static member of a documented class. */
function isDocumented(path: string): boolean {
  const [name = '', member = ''] = path.split('.');
  const body = new RegExp(`class ${name}\\b[^]*?^}`, 'm').exec(types())?.[0] ?? '';
  return new RegExp(`static ${member}\\b`).test(body);
}
