import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { removeRuntime } from '../helper.ts';
import { runProgram, startProgram } from '../process-helper.ts';
import { newPlace, precedence, WRONG } from './place.ts';

const run = async (source: string, place = newPlace()): Promise<string> => (await runProgram(source, place)).log;
const code = "(error) => log(error.code, '')";

/** A place where somebody listens and takes no connection: the system has no room for one more. */
async function blackHole(address: string): Promise<AsyncDisposable & { readonly port: number }> {
  const script = `const server = require('node:net').createServer(); server.listen({ port: 0, host: '${address}', backlog: 1 }, () => { console.log(server.address().port); });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  child.kill('SIGSTOP');
  const waiting = Array.from({ length: 4 }, () => connect(port, address).on('error', () => {}));
  await Promise.all(waiting.slice(0, 2).map((socket) => once(socket, 'connect')));
  const close = async () => {
    for (const socket of waiting) socket.destroy();
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { port, [Symbol.asyncDispose]: close };
}

describe('Seattle 9 to 18: connections', () => {
  after(removeRuntime);

  it('Seattle 9: listenforconnection on a foreign IP is AddressBindingError, on an unlisted port ResourceForbiddenError, of a bad type RepyArgumentError; one holds one insocket', async () => {
    const source = `for (const [ip, port] of [['8.8.4.4', 5001], [getmyip(), 6000], [7, 5001], [getmyip(), '5001']]) await listenforconnection(ip, port).catch((error) => log(error.name, ''));
      const server = await listenforconnection(getmyip(), 5001); log(getresources().usage.insockets); server.close();`;
    assert.equal(await run(source), 'AddressBindingError ResourceForbiddenError RepyArgumentError RepyArgumentError 1');
  });

  // Where Seattle's raised SocketWouldBlockError and was called again, these promises wait.
  it('Seattle 10: getconnection with nobody there waits', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001); let got = 'waits';
      const waiting = server.getconnection().then(([ip, port, sock]) => { got = ip === me && port; sock.close(); });
      await sleep(0.02); log(got, ''); const sock = await openconnection(me, 5001, me, 5002, 5); await waiting; log(got);
      sock.close(); server.close();`;
    assert.equal(await run(source), 'waits 5002');
  });

  it('Seattle 11: openconnection to nobody is ConnectionRefusedError, to a black hole TimeoutError in about the time said', async () => {
    const place = newPlace();
    await using hole = await blackHole('127.0.7.1');
    const source = `const me = getmyip(); await openconnection(me, 5002, me, 5001, 5).catch((error) => log(error.name, ''));
      const start = getruntime(); await openconnection('127.0.7.1', ${hole.port}, me, 5001, 0.4).catch((error) => log(error.name, ''));
      log(getruntime() - start >= 0.4, getresources().usage.outsockets);`;
    const opened = `${place.restrictions}\ndestination allow 127.0.7.1/32 ${hole.port}`;
    assert.equal(await run(source, { ...place, restrictions: opened }), 'ConnectionRefusedError TimeoutError true 0');
  });

  it('Seattle 12: a timeout of 0, below or none, a destination that is not one machine, and no port are RepyArgumentError', async () => {
    const source = `const me = getmyip();
      for (const timeout of ${WRONG.timeout}) await openconnection(me, 5002, me, 5001, timeout).catch((error) => { if (error.code !== 'ARGUMENT') log(timeout, error); });
      for (const ip of [...${WRONG.machine}, 'foo.com', '0.1.2.3', '234.1.2.3']) await openconnection(ip, 5002, me, 5001, 1).catch((error) => { if (error.code !== 'ARGUMENT') log(ip, error); });
      for (const port of [0, 65536]) await openconnection(me, port, me, 5001, 1).catch(${code});`;
    assert.equal(await run(source), 'ARGUMENT ARGUMENT ');
  });

  it('Seattle 13: the same two ends twice are DuplicateTupleError; from a port that listens it is AlreadyListeningError', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001); await listenforconnection(me, 5003);
      const first = await openconnection(me, 5001, me, 5002, 5);
      for (const to of [me, '::ffff:' + me]) await openconnection(to, 5001, me, 5002, 5).catch((error) => log(error.name, ''));
      await openconnection(me, 5001, me, 5003, 5).catch((error) => log(error.name, ''));
      // Both are true of this one.
      await openconnection(me, 5002, me, 5001, 5).catch((error) => log(error.name)); exitall();`;
    assert.equal(
      await run(source),
      'DuplicateTupleError DuplicateTupleError AlreadyListeningError DuplicateTupleError',
    );
  });

  it('Seattle 13: two ends that were just parted are CleanupInProgressError, until the system has forgotten them', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const first = await openconnection(me, 5001, me, 5002, 5); first.close();
      await openconnection(me, 5001, me, 5002, 5).catch((error) => log(error.name, ''));
      (await server.getconnection())[2].close();
      for (;;) { try { (await openconnection(me, 5001, me, 5002, 5)).close(); break; } catch (error) { if (!(error instanceof CleanupInProgressError)) throw error; await sleep(0.05); } }
      log('forgotten'); exitall();`;
    assert.equal(await run(source), 'CleanupInProgressError forgotten');
  });

  it('Seattle 14: closing the server socket leaves accepted connections usable; it can listen again at once', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const sock = await openconnection(me, 5001, me, 5002, 5); const [, , other] = await server.getconnection();
      log(server.close(), ''); const again = await listenforconnection(me, 5001);
      await sock.send('there'); log(await other.recv(9), ''); await other.send('back'); log(await sock.recv(9)); exitall();`;
    assert.equal(await run(source), 'true there back');
  });

  it('Seattle 15: recv after the remote close gives what came, then SocketClosedRemote; send too; after the local close SocketClosedLocal', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const sock = await openconnection(me, 5001, me, 5002, 5); const [, , other] = await server.getconnection();
      await other.send('last words'); other.close();
      log(await sock.recv(4), '|', await sock.recv(99), ''); await sock.recv(1).catch((error) => log(error.name, ''));
      await sock.send('x').catch((error) => log(error.name, '')); sock.close();
      for (const call of [() => sock.send('x'), () => sock.recv(1), async () => sock.willblock()]) await call().catch((error) => log(error.name, '')); exitall();`;
    const local = 'SocketClosedLocalError '.repeat(3);
    assert.equal(await run(source), `last |  words SocketClosedRemoteError SocketClosedRemoteError ${local}`);
  });

  it('Seattle 16: recv on an idle connection waits; a send that nobody reads waits, and the peer gets exactly what was counted as sent', async () => {
    const place = newPlace('resource loopsend 1e9', 'resource looprecv 1e9');
    let got = 0;
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.7.2');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const source = `const sock = await openconn('127.0.7.2', ${port}, { timeout: 5 }); let read = 'waits'; sock.recv(1).then((data) => { read = data; }, () => {});
      let sent = 0; let waits = false; const block = 'x'.repeat(1 << 18);
      while (!waits) { const done = sock.send(block); await Promise.race([done, sleep(0.2)]); waits = sock.willblock()[1]; if (!waits) sent += await done; else done.then((n) => { log('sent', sent + n, ''); sock.close(); }); }
      log(read, sock.willblock(), 'full ');`;
    const opened = { ...place, restrictions: `${place.restrictions}\ndestination allow 127.0.7.2/32 ${port}` };
    const accepted = once(server, 'connection');
    const { vessel, log } = await startProgram(source, opened);
    const [socket] = await accepted;
    await log.until('full');
    assert.match(log.text(), /^waits \[true, true\] full /);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    socket.on('end', () => socket.end());
    socket.resume();
    await vessel.ended;
    assert.equal(Number(/sent (\d+)/.exec(log.text())?.[1]), got);
    server.close();
  });

  it('Seattle 17: close returns true once, then false', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const sock = await openconnection(me, 5001, me, 5002, 5); const [, , other] = await server.getconnection();
      for (const each of [sock, other, server]) log(each.close(), each.close(), '');
      const listener = await waitforconn(me, 5003, () => {}); log(stopcomm(listener), stopcomm(listener), listener.close()); exitall();`;
    assert.equal(await run(source), 'true false true false true false true false false');
  });

  it('Seattle 18: two clients can be connected to one server at a time', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const clients = await Promise.all([5002, 5003].map((port) => openconnection(me, 5001, me, port, 5)));
      for (let i = 0; i < 2; i++) { const [, port, sock] = await server.getconnection(); await sock.send('to ' + port); }
      for (const sock of clients) log(await sock.recv(9), ''); exitall();`;
    assert.equal(await run(source), 'to 5002 to 5003 ');
  });

  it('the first generation says what would block: idle, with data, at its end', async () => {
    const source = `const me = getmyip(); let other; const listener = await waitforconn(me, 5001, (ip, port, sock) => { other = sock; });
      const sock = await openconn(me, 5001); while (other === undefined) await sleep(0.001);
      log(sock.willblock(), ''); await other.send('x'); while (sock.willblock()[0]) await sleep(0.001); log(sock.willblock(), '');
      await sock.recv(1); other.close(); while (sock.willblock()[0]) await sleep(0.001); log(sock.willblock()); exitall();`;
    assert.equal(await run(source), '[true, false] [false, false] [false, false]');
  });
});

describe('Seattle: the errors of calls for connections', () => {
  after(removeRuntime);

  /** Somebody else listens on port 5003. */
  const checked = async (source: string, ...lines: string[]): Promise<void> => {
    const place = newPlace(...lines);
    const other = createServer((socket) => socket.destroy());
    other.listen(5003, place.address);
    await once(other, 'listening');
    assert.equal(await run(source, place), 'checked');
    other.close();
  };
  const bad = "['', '0x7f.1', '1.2.3.256', '[::1]', '2130706433', 'a..b']";

  for (const [name, addresses] of [
    ['openconnection', `['ARGUMENT', [[0, ${WRONG.machine}]]], ['ARGUMENT', [[2, ${WRONG.machine}]]]`],
    ['openconn', `['NETWORK_ADDRESS', [[0, ${bad}]]], ['NETWORK_ADDRESS', [[2, [...${bad}, 'localhost']]]]`],
  ] as const) {
    it(`come in their order from ${name}`, async () => {
      const arguments_ = `['ARGUMENT', [[0, ${WRONG.address}]]], ['ARGUMENT', [[1, ${WRONG.port}]]], ['ARGUMENT', [[2, ${WRONG.address}.slice(1).filter((value) => ${name === 'openconn' ? "typeof value !== 'object'" : 'true'})]]],
        ['ARGUMENT', [[3, ${WRONG.port}]]], ['ARGUMENT', [[4, ${WRONG.timeout}.slice(1)]]]`;
      const faults = `[${arguments_}, ${addresses}, ['ARGUMENT', [[0, [me]], [1, [5001]], [2, [me]], [3, [5001]]]],
        ['RESOURCE_FORBIDDEN', [[3, [6000]]]], ['RESOURCE_FORBIDDEN', [[0, ['10.0.0.1', '127.0.0.2']]]], ['RESOURCE_FORBIDDEN', [[1, [22]]]],
        ['DUPLICATE_TUPLE', [[0, [me]], [1, [5002]], [2, [me]], [3, [5001]]]], ['ALREADY_LISTENING', [[2, [me]], [3, [5002]]]],
        ['ADDRESS_BINDING', [[2, ['8.8.4.4', '127.0.0.2']]]], ['CONNECTION_REFUSED', [[1, [5001]], [3, [5099]]]]]`;
      const setup = `const server = await listenforconnection(me, 5002); const first = await openconnection(me, 5002, me, 5001, 5);`;
      const source = precedence({ setup, call: name, right: '[me, 5098, me, 5099, 5]', faults });
      await checked(source, 'resource connport 5098', 'resource connport 5099');
    });
  }

  for (const [name, wrong] of [
    ['listenforconnection', `['ARGUMENT', [[0, ${WRONG.machine}]]]`],
    ['waitforconn', `['NETWORK_ADDRESS', [[0, [...${bad}, 'localhost']]]]`],
  ] as const) {
    it(`come in their order from ${name}, that of no insocket last`, async () => {
      const faults = `[['ARGUMENT', [[0, ${WRONG.address}]]], ['ARGUMENT', [[1, ${WRONG.port}]]], ${wrong},
        ['RESOURCE_FORBIDDEN', [[1, [6000, 22]]]], ['ALREADY_LISTENING', [[0, [me, '::ffff:' + me]], [1, [5002]]]], ['DUPLICATE_TUPLE', [[0, [me]], [1, [5003]]]],
        ['ADDRESS_BINDING', [[0, ['8.8.4.4', '2a00:1::7', '127.0.0.2']]]], ['RESOURCE_EXHAUSTED', [[1, [5001]]]]]`;
      const setup = 'await listenforconnection(me, 5002);';
      await checked(precedence({ setup, call: name, right: '[me, 5001]', faults }), 'resource insockets 1');
    });
  }

  it('of a connection come in their order: arguments, closed here, closed there', async () => {
    const source = `const me = getmyip(); const server = await listenforconnection(me, 5001);
      const sock = await openconnection(me, 5001, me, 5002, 5); (await server.getconnection())[2].close();
      const all = async () => { for (const call of [() => sock.send(7), () => sock.send('x'.repeat((1 << 20) + 1)), () => sock.recv(0), () => sock.recv('1'), () => sock.recv(1.5), () => sock.recv((1 << 20) + 1), () => sock.recv(1), () => sock.send('x')]) await call().catch(${code}); };
      await all(); sock.close(); await all(); exitall();`;
    const wrong = 'ARGUMENT '.repeat(6);
    assert.equal(
      await run(source),
      `${wrong}${'SOCKET_CLOSED_REMOTE '.repeat(2)}${wrong}${'SOCKET_CLOSED_LOCAL '.repeat(2)}`,
    );
  });

  // Both ends are in one program, so each side of a connection is charged to the same rates.
  it('Seattle 34: each call of a connection is charged as in its table, whoever of the two asked', async () => {
    const source = `const me = getmyip(), start = getruntime(), most = {}, wrong = [];
      const charged = (what, send, recv) => {
        most.loopsend = (most.loopsend ?? 0) + send; most.looprecv = (most.looprecv ?? 0) + recv;
        const drained = (getruntime() - start) * 2000 + 1;
        for (const name of ['loopsend', 'looprecv']) {
          const used = getresources().usage[name] ?? 0;
          if (used > most[name] || used < most[name] - drained) wrong.push([what, name, used, most[name], drained]);
        }
      };
      const server = await listenforconnection(me, 5001);
      const accepting = server.getconnection(); const sock = await openconnection(me, 5001, me, 5002, 5);
      const [, , other] = await accepting; charged('open and accept', 128 + 64, 64 + 128);
      await sock.send('0123456789'); charged('send', 64 + 10, 64);
      await other.recv(100); charged('recv', 64, 64 + 10);
      sock.close(); charged('close', 128, 64); other.close(); charged('close', 128, 64); server.close();
      log(JSON.stringify(wrong));`;
    assert.equal(await run(source, newPlace('resource loopsend 2000', 'resource looprecv 2000')), '[]');
  });
});
