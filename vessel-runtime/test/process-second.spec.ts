import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runCaught, runProgram } from './process-helper.ts';

const restrictions =
  'resource messport 5001\nresource messport 5002\nresource connport 5001\nresource connport 5002\nresource insockets 2';
let places = 0;

/** An address that no test had before: one that ended a connection between these ports keeps it from the next for a while. */
function here(): { address: string; restrictions: string } {
  places += 1;
  return { address: `127.${64 + (process.pid % 64)}.${(process.pid >> 6) % 256}.${places}`, restrictions };
}

describe("the network by the names of Seattle's second generation", () => {
  after(removeRuntime);

  it('sends and gets messages', async () => {
    const source = `const me = getmyip(); const server = listenformessage(me, 5001);
      log(await sendmessage(me, 5001, 'hello', me, 5002), await server.getmessage(), '');
      log(server.close(), server.close());`;
    const place = here();
    const { log, ending } = await runProgram(source, place);
    assert.deepEqual([log, ending.kind], [`5 ["${place.address}", 5002, "hello"] true false`, 'finished']);
  });

  it('gets bytes when told so', async () => {
    const source = `const me = getmyip(); const server = listenformessage(me, 5001, { encoding: 'binary' });
      await sendmessage(me, 5001, Uint8Array.of(255, 0), me, 5002);
      log((await server.getmessage())[2]); server.close();`;
    assert.equal((await runProgram(source, here())).log, '<255, 0>');
  });

  it('opens and gets connections', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      createthread(async () => { const [ip, port, sock] = await server.getconnection(); log(ip, port, await sock.recv(9), ''); await sock.send('bye'); sock.close(); });
      const sock = await openconnection(me, 5001, me, 5002, 5);
      await sock.send('hello'); log(await sock.recv(9)); sock.close(); server.close();`;
    const place = here();
    assert.equal((await runProgram(source, place)).log, `${place.address} 5002 hello bye`);
  });

  it('ends every wait when the server socket is closed, and keeps nothing for later', async () => {
    const source = `const me = getmyip(); const server = listenformessage(me, 5001);
      const waits = [server.getmessage(), server.getmessage()]; server.close();
      for (const wait of [...waits, server.getmessage()]) await wait.catch((error) => log(error.code, ''));
      const tcp = await listenforconnection(me, 5001); const wait = tcp.getconnection(); tcp.close();
      for (const each of [wait, tcp.getconnection()]) await each.catch((error) => log(error.code, ''));`;
    assert.equal((await runProgram(source, here())).log, 'SOCKET_CLOSED_LOCAL '.repeat(5));
  });

  it('closes the connections that nobody took together with their server socket', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const sock = await openconnection(me, 5001, me, 5002, 5);
      while (getresources().usage.outsockets < 2) await sleep(0.001);
      server.close();
      await sock.recv(1).catch((error) => log(error.code, '')); sock.close();
      while (getresources().usage.outsockets > 0) await sleep(0.001);
      log(getresources().usage.insockets);`;
    assert.equal((await runProgram(source, here())).log, 'SOCKET_CLOSED_REMOTE 0');
  });

  it('raises what the first generation raises', async () => {
    for (const [code, call] of [
      ['RESOURCE_FORBIDDEN', 'listenformessage(getmyip(), 6000)'],
      ['RESOURCE_FORBIDDEN', 'await listenforconnection(getmyip(), 6000)'],
      ['ADDRESS_BINDING', "listenformessage('198.51.100.1', 5001)"],
      ['ALREADY_LISTENING', 'listenformessage(getmyip(), 5001); listenformessage(getmyip(), 5001)'],
      ['CONNECTION_REFUSED', 'await openconnection(getmyip(), 5001, getmyip(), 5002, 5)'],
      [
        'RESOURCE_EXHAUSTED',
        'listenformessage(getmyip(), 5001); listenformessage(getmyip(), 5002); await listenforconnection(getmyip(), 5001)',
      ],
      ['ARGUMENT', "await sendmessage(getmyip(), 5001, 'x', getmyip(), 5001)"],
      ['ARGUMENT', "await sendmessage(getmyip(), 5001, 'x')"],
      ['ARGUMENT', 'await openconnection(getmyip(), 5001, getmyip(), 5002, 0)'],
      ['ARGUMENT', 'await openconnection(getmyip(), 5001, getmyip(), 5002)'],
      ['ARGUMENT', 'await openconnection(getmyip(), 5001, getmyip(), 5001, 5)'],
    ] as const) {
      assert.equal((await runCaught(`${call};`, here())).split(' ')[1], code, call);
    }
  });

  it('refuses every wrong argument', async () => {
    const source = `const bad = [undefined, null, NaN, 1e308, Symbol('x'), 12n, () => {}, {}, [], new Proxy({}, { get() { throw new Error('trap'); } }), { toString() { for (;;); }, valueOf() { for (;;); } }];
      for (const fn of [sendmessage, listenformessage, openconnection, listenforconnection])
        for (const value of bad) for (const args of [[value, value, value, value, value], [getmyip(), value], [value, 5001], [getmyip(), 5001, value === undefined ? 1 : value, value, value]])
          try { const made = await fn(...args); log('accepted', fn.name, value === null ? 'null' : typeof value, args.length, ''); made.close?.(); } catch (error) { if (error.code !== 'ARGUMENT' && error.message !== 'trap') log(error); }
      log('checked');`;
    const { log } = await runProgram(source, here());
    assert.equal(log.replace(/accepted listenfor\w+ object 5 /g, ''), 'checked');
  });

  it('are iterated like listeners: a connection until it is closed, a server until it is', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001); const heard = [];
      const serving = (async () => { for await (const [ip, port, sock] of server) { for await (const piece of sock) heard.push(piece); heard.push('closed', sock.close()); break; } heard.push(server.close()); })();
      const sock = await openconn(me, 5001); await sock.send('one'); await sleep(0.01); sock.close(); await serving; log(heard.join(), '');
      const udp = listenformessage(me, 5001); sendmess(me, 5001, 'hi'); for await (const [, , message] of udp) { log(message, ''); break; } log(udp.close(), '');
      const again = listenformessage(me, 5001); settimer(0.01, () => again.close()); for await (const got of again) log(got); log('over');`;
    assert.equal(
      (
        await runProgram(source, {
          restrictions: 'resource messport 5001\nresource connport 5001',
          address: '127.0.3.77',
        })
      ).log,
      'one,closed,true,false hi false over',
    );
  });

  it('sleep without an event, as many as calls may wait', async () => {
    const source = `const all = []; for (let i = 0; i < 20; i++) all.push(sleep(0.001)); log(getresources().usage.events, ''); await Promise.all(all);
      for (let i = 0; i < 10001; i++) all.push(sleep(9e6)); await all.at(-1).catch((error) => log(error.code)); exitall();`;
    assert.equal((await runProgram(source, { restrictions: 'resource events 1' })).log, '1 RESOURCE_EXHAUSTED');
  });

  it('end with their memory as the reason when a buffer is refused that nobody caught', async () => {
    const { ending } = await runProgram('new Uint8Array(5e8);', { restrictions: 'resource memory 50000000' });
    assert.deepEqual(
      [ending.kind, ending.limit?.resource, ending.limit?.limit],
      ['limit', 'memory', 50_000_000],
      ending.message,
    );
  });
});
