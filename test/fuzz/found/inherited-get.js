// A `get` on Object.prototype became part of a descriptor: waitforconn failed, and its listener stayed for ever.
// Logs: RepyListener 1 iterated
const { defineProperty } = Object;
defineProperty(Object.prototype, 'get', { configurable: true, value: () => undefined });
const pending = waitforconn(getmyip(), 28301);
const listener = await pending;
const iterated = typeof pending[Symbol.asyncIterator] === 'function' ? 'iterated' : 'not iterated';
log('RepyListener', getresources().usage.insockets, iterated);
listener.close();
exitall();
