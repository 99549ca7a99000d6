import type { Contract, Shape } from './contracts.ts';

/** The calls of the API as contracts: what a layer that says nothing else has to keep to. */
const DATA = 'string|bytes';
const close: Contract = { args: [], returns: 'boolean' };
const iterate = { 'asyncIterator?': {} };

/** What calls hand out. */
export const SHAPES: { readonly [name: string]: Shape } = {
  listener: { ip: 'string?', port: 'integer?', close, ...iterate },
  socket: {
    ip: 'string?',
    port: 'integer?',
    send: { args: [DATA], returns: 'integer' },
    recv: { args: ['integer'], returns: DATA },
    'willblock?': { args: [], returns: 'array' },
    close,
  },
  messageserver: { getmessage: { args: [], returns: 'array' }, close },
  connectionserver: { getconnection: { args: [], returns: 'array' }, close },
  lock: { acquire: { args: ['boolean?'], returns: 'boolean' }, release: { args: [], returns: 'nothing' } },
  file: {
    readat: { args: ['integer|null', 'integer'], returns: DATA },
    writeat: { args: [DATA, 'integer'], returns: 'nothing' },
    close: { args: [], returns: 'nothing' },
  },
  stream: {
    read: { args: ['integer|null?'], returns: DATA },
    readline: { args: ['integer|null?'], returns: DATA },
    readlines: { args: ['integer|null?'], returns: 'array' },
    next: { args: [], returns: 'object' },
    seek: { args: ['integer', 'integer?'], returns: 'nothing' },
    write: { args: [DATA], returns: 'nothing' },
    writelines: { args: ['array'], returns: 'nothing' },
    flush: { args: [], returns: 'nothing' },
    close: { args: [], returns: 'nothing' },
    ...iterate,
  },
  namespace: { evaluate: { args: ['object?'], returns: 'object' } },
  timer: {},
};

const listen = ['string', 'integer', 'function|object?', 'object?'];
const open: Contract = { args: ['string', 'string?'], returns: 'stream' };
const list: Contract = { args: [], returns: 'array' };
const lock: Contract = { args: [], returns: 'lock' };

export const CALLS: { readonly [name: string]: Contract | undefined } = {
  recvmess: { args: listen, returns: 'listener' },
  sendmess: { args: ['string', 'integer', DATA, 'string?', 'integer?'], returns: 'integer' },
  stopcomm: { args: ['object'], returns: 'boolean' },
  openconn: {
    args: ['string', 'integer', 'string|object?', 'integer?', 'number?', 'object?'],
    returns: 'socket',
  },
  waitforconn: { args: listen, returns: 'listener' },
  getmyip: { args: [], returns: 'string' },
  settimer: { args: ['number', 'function', 'array?'], returns: 'timer' },
  canceltimer: { args: ['object'], returns: 'boolean' },
  sleep: { args: ['number'], returns: 'nothing' },
  getruntime: { args: [], returns: 'number' },
  randomfloat: { args: [], returns: 'number' },
  randombytes: { args: [], returns: 'bytes' },
  createlock: lock,
  getlock: lock,
  createthread: { args: ['function'], returns: 'nothing' },
  getresources: { args: [], returns: 'object' },
  getlasterror: { args: [], returns: 'string|null' },
  createvirtualnamespace: { args: ['string', 'string?'], returns: 'namespace' },
  sendmessage: { args: ['string', 'integer', DATA, 'string', 'integer'], returns: 'integer' },
  listenformessage: { args: ['string', 'integer', 'object?'], returns: 'messageserver' },
  openconnection: { args: ['string', 'integer', 'string', 'integer', 'number', 'object?'], returns: 'socket' },
  listenforconnection: { args: ['string', 'integer', 'object?'], returns: 'connectionserver' },
  gethostbyname: { args: ['string'], returns: 'string' },
  gethostbyname_ex: { args: ['string'], returns: 'array' },
  openfile: { args: ['string', 'boolean', 'object?'], returns: 'file' },
  open,
  file: open,
  listfiles: list,
  listdir: list,
  removefile: { args: ['string'], returns: 'nothing' },
  exitall: { args: [], returns: 'nothing' },
  onstop: { args: ['function'], returns: 'nothing' },
  log: { args: ['any...'], returns: 'nothing' },
};

/** Calls that reach the same: a layer that changes one of them has to say what becomes of the others. */
export const FAMILIES: readonly (readonly string[])[] = [
  ['sendmess', 'sendmessage'],
  ['recvmess', 'listenformessage'],
  ['openconn', 'openconnection'],
  ['waitforconn', 'listenforconnection'],
  ['openfile', 'open', 'file'],
  ['listfiles', 'listdir'],
  ['createlock', 'getlock'],
  ['gethostbyname', 'gethostbyname_ex'],
];
