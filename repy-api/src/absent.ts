/** What a program cannot have in a vessel, by its name, and what to do instead. */
interface Absent {
  /** `call`: only calling it is refused. `any`: each use is, but for asking `typeof`. */
  readonly use: 'call' | 'any';
  readonly message: string;
}

const CODE = 'expected code that is uploaded with the program, got code in a string: it is refused in a vessel';
const MEMORY = 'it is not there in a vessel, because its memory could not be counted';
const instead = (name: string, what: string): Absent => ({
  use: 'any',
  message: `expected what a vessel has, got "${name}": ${what}`,
});

export const ABSENT: Readonly<Record<string, Absent>> = {
  eval: { use: 'any', message: CODE },
  Function: { use: 'call', message: CODE },
  WebAssembly: instead('WebAssembly', MEMORY),
  SharedArrayBuffer: instead('SharedArrayBuffer', 'it is not there in a vessel'),
  Atomics: instead('Atomics', 'it is not there in a vessel'),
  Intl: instead('Intl', MEMORY),
  Temporal: instead('Temporal', MEMORY),
  process: instead('process', 'arguments are in callargs, and exitall ends the program'),
  Buffer: instead('Buffer', 'bytes are a Uint8Array, texts become bytes by TextEncoder'),
  fetch: instead('fetch', 'openconn opens a connection'),
  XMLHttpRequest: instead('XMLHttpRequest', 'openconn opens a connection'),
  WebSocket: instead('WebSocket', 'openconn opens a connection'),
  performance: instead('performance', 'getruntime tells the time'),
  setImmediate: instead('setImmediate', 'setTimeout or queueMicrotask call later'),
  window: instead('window', 'globalThis is the world of a program'),
  document: instead('document', 'there is no page in a vessel'),
};

/** Of a file that is not named where it is imported: nothing can be put in its place before the program runs. */
export const UNNAMED = 'expected an import of a file that is named, such as import("./part.js"), got another';
