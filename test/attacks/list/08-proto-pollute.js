/**
 * 8 proto-pollute: puts getters and setters on the prototypes of all objects and arrays, then uses the API
 * expected: held
 */
const facts = JSON.parse(callargs[0]);
const { ip } = facts;
const [port] = facts.ports;
const wrong = [];
let armed = true;
const NAMES = [
  'then',
  'toJSON',
  'get',
  'set',
  'value',
  'encoding',
  'ip',
  'port',
  'stack',
  'message',
  'code',
  'type',
  'fn',
  'resolve',
  'reject',
  'map',
  'localip',
  'timeout',
  'writable',
  'configurable',
  'enumerable',
  '0',
  '1',
  '2',
  'binary',
];
for (const prototype of [Object.prototype, Array.prototype]) {
  for (const name of NAMES) {
    const get = () => undefined;
    const set = () => {
      if (armed) throw new Error(`setter ${name}`);
    };
    Reflect.defineProperty(prototype, name, Object.assign(Object.create(null), { get, set, configurable: true }));
  }
}
const expect = (name, truth) => {
  if (!truth) wrong[wrong.length] = name;
};
armed = false;
recvmess(ip, port, (from, at, message, listener) => {
  expect('message', message === 'over' && from === ip);
  stopcomm(listener);
  armed = false;
  log(wrong.length === 0 ? '\nverdict: held\n' : `\nverdict: open: ${wrong.join(' ')}\n`);
  exitall();
});
expect('address', getmyip() === ip);
expect('clock', typeof getruntime() === 'number');
let code = '';
try {
  recvmess(ip, 1);
} catch (error) {
  code = error.name;
}
expect('an error', code === 'ResourceForbiddenError');
expect('bytes', new TextEncoder().encode('ab').length === 2);
await sleep(0.001);
expect('sent', (await sendmess(ip, port, 'over')) === 4);
