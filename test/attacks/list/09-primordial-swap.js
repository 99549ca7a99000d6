/**
 * 9 primordial-swap: replaces what the code around it might use of the language, before any callback comes
 * expected: held
 */
const say = log;
const { parse } = JSON;
const { ip, ports } = parse(callargs[0]);
const port = ports[0];
const evil = () => {
  throw new Error('replaced');
};
const { ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
const { sendmess: send, recvmess: receive, sleep: rest, exitall: leave, stopcomm: stop } = globalThis;
const owners = [
  Array,
  String,
  Promise,
  Function,
  RegExp,
  Map,
  Set,
  Number,
  Object,
  Error,
  Date,
  Uint8Array,
  ArrayBuffer,
];
const each = (list, visit) => {
  for (let at = 0; at < list.length; at++) visit(list[at]);
};
const swap = (target) =>
  each(ownKeys(target), (key) => {
    const { configurable, value } = getOwnPropertyDescriptor(target, key);
    if (key === 'constructor' || !configurable || typeof value !== 'function') return;
    defineProperty(target, key, { value: evil, writable: true, configurable: true });
  });
each(owners, (owner) => {
  swap(owner.prototype);
  swap(owner);
});
each([JSON, Math, Reflect, Symbol], swap);
each(['String', 'Promise', 'Array', 'Error', 'TypeError', 'Uint8Array', 'Map', 'Number', 'JSON', 'Date'], (name) => {
  globalThis[name] = evil;
});
receive(ip, port, (from, at, message, listener) => {
  stop(listener);
  say(message === 'over' && from === ip ? '\nverdict: held\n' : '\nverdict: open: another message\n');
  leave();
});
await rest(0.001);
send(ip, port, 'over');
