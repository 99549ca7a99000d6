import { CALL_LIMITS, EVENT, OP } from '../ops.ts';
import { AbortController, AbortSignal } from './abort.ts';
import { atob, btoa } from './base64.ts';
import { connect, invoke, type Operation, type Primitive, refuse, settle } from './bridge.ts';
import { structuredClone } from './clone.ts';
import { TextDecoder } from './decoder.ts';
import { describeThrown, ERROR_CLASSES, getlasterror } from './errors.ts';
import { harden } from './harden.ts';
import { textOf } from './inspect.ts';
import {
  getmyip,
  onClosed,
  onConnection,
  onMessage,
  openconn,
  recvmess,
  sendmess,
  stopcomm,
  waitforconn,
} from './network.ts';
import { defineProperty, freeze, slice } from './primordials.ts';
import { crypto, randombytes } from './random.ts';
import { getresources } from './resources.ts';
import { listenforconnection, listenformessage, openconnection, sendmessage } from './second.ts';
import { createlock, createthread, queueMicrotask } from './tasks.ts';
import { TextEncoder } from './text.ts';
import {
  canceltimer,
  clearTimeout,
  fire,
  getruntime,
  randomfloat,
  setInterval,
  setTimeout,
  settimer,
  sleep,
} from './time.ts';

const callargs: string[] = [];

function write(values: unknown[], end: string): void {
  let text = '';
  for (let index = 0; index < values.length; index++) {
    text += index === 0 ? textOf(values[index]) : ` ${textOf(values[index])}`;
    if (text.length > CALL_LIMITS.logLength) break;
  }
  const cut = text.length > CALL_LIMITS.logLength;
  invoke(OP.log, `${cut ? `${slice(text, 0, CALL_LIMITS.logLength)}[cut off]` : text}${end}`);
}

const log = (...values: unknown[]) => write(values, '');
const writeLine = (...values: unknown[]) => write(values, '\n');
const exitall = () => {
  invoke(OP.exitall);
};

const api: Record<string, unknown> = {
  recvmess,
  sendmess,
  stopcomm,
  openconn,
  waitforconn,
  getmyip,
  settimer,
  canceltimer,
  sleep,
  getruntime,
  randomfloat,
  randombytes,
  createlock,
  getlock: createlock,
  createthread,
  getresources,
  getlasterror,
  sendmessage,
  listenformessage,
  openconnection,
  listenforconnection,
  exitall,
  log,
};

/** What authors of JavaScript expect of every place that it runs in. */
const web: Record<string, unknown> = {
  setTimeout,
  setInterval,
  clearTimeout,
  clearInterval: clearTimeout,
  queueMicrotask,
  TextEncoder,
  TextDecoder,
  atob,
  btoa,
  structuredClone,
  AbortController,
  AbortSignal,
  crypto,
};

function publish(): void {
  const define = (name: string, value: unknown) =>
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  for (const table of [api, web]) {
    for (const name of Object.keys(table)) {
      freeze(table[name]);
      define(name, table[name]);
    }
  }
  for (const name of Object.keys(ERROR_CLASSES)) define(name, ERROR_CLASSES[name]);
  define('console', { log: writeLine, info: writeLine, warn: writeLine, error: writeLine });
  define('mycontext', {});
  define('callfunc', 'initialize');
  define('callargs', callargs);
}

type Event = [kind: number, a: Primitive, b: Primitive, c: Primitive, d: Primitive];

function dispatch(...event: Event): void {
  // Not by a pattern: a program may replace what iterates over arrays.
  const kind = event[0];
  const a = event[1];
  const b = event[2];
  const c = event[3];
  const d = event[4];
  if (kind === EVENT.message) onMessage(a as number, b as string, c as string, d as number);
  else if (kind === EVENT.resolve) settle(a as number, b, c, d);
  else if (kind === EVENT.reject) refuse(a as number, b as number, c as string);
  else if (kind === EVENT.timer) fire(a as number);
  else if (kind === EVENT.connection) onConnection(a as number, b as number, c as string, d as number);
  else if (kind === EVENT.closed) onClosed(a as number);
  else if (kind === EVENT.argument) callargs[callargs.length] = a as string;
}

/**
 * Builds the program's world and returns the one way into it. What the program throws does not leave: the answer is ''
 * or the text of the uncaught error.
 */
export function install(operation: Operation): (...event: Event) => string {
  connect(operation);
  harden();
  publish();
  return (...event) => {
    try {
      dispatch(event[0], event[1], event[2], event[3], event[4]);
      return '';
    } catch (error) {
      return `!${describeThrown(error)}`;
    }
  };
}
