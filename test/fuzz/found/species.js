// Bytes were cut by `subarray`, which let the program's own Symbol.species run in the middle of a call.
// Logs: 3 1,2,3
const { getPrototypeOf, defineProperty } = Object;
const ran = [];
defineProperty(getPrototypeOf(Uint8Array), Symbol.species, { get: () => ran.push('species') });
const server = listenformessage(getmyip(), 28301, { encoding: 'binary' });
const sent = await sendmess(getmyip(), 28301, Uint8Array.of(1, 2, 3));
const [, , message] = await server.getmessage();
log(sent, `${message}${ran}`);
exitall();
