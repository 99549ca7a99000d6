/**
 * 10 api-overwrite: replaces and deletes the calls of the API, and then has events come
 * expected: held
 */
const facts = JSON.parse(callargs[0]);
const { ip } = facts;
const [port, other] = facts.ports;
const kept = { log, exitall, recvmess, waitforconn, sendmess, openconn, settimer };
const got = [];
const see = (what) => {
  got.push(what);
  if (got.length === 3) {
    kept.log('\nverdict: held\n');
    kept.exitall();
  }
};
recvmess(ip, port, () => see('message'));
await waitforconn(ip, other, () => see('connection'));
settimer(0.01, () => see('timer'));
for (const name of Object.getOwnPropertyNames(globalThis)) {
  try {
    globalThis[name] = () => {
      throw new Error('mine');
    };
    delete globalThis[name];
  } catch {}
}
kept.sendmess(ip, port, 'x');
kept.openconn(ip, other);
