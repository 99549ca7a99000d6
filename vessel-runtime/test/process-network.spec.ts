import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { removeRuntime } from './helper.ts';
import { runCaught, runProgram, startProgram } from './process-helper.ts';

const OWN = '127.0.2.1';
const PORTS = ['messport 5001', 'messport 5002', 'connport 5003', 'connport 5004'].map((port) => `resource ${port}`);
const AT = { address: OWN, restrictions: PORTS.join('\n') };
const withLines = (...lines: string[]) => ({ ...AT, restrictions: [...PORTS, ...lines].join('\n') });

describe('messages of a program', () => {
  after(removeRuntime);

  it('go out and come back, from a port that listens, with the number of bytes', async () => {
    const { log } = await runProgram(
      `const me = getmyip();
      recvmess(me, 5001, (ip, port, mess, handle) => { sendmess(ip, port, mess, me, 5001); stopcomm(handle); });
      recvmess(me, 5002, (ip, port, mess, handle) => { log(mess, ip, port); stopcomm(handle); });
      log(await sendmess(me, 5001, 'h\u00e9\u{1F600}', me, 5002), '');`,
      AT,
    );
    assert.equal(log, `7 h\u00e9\u{1F600} ${OWN} 5001`);
  });

  it('are refused on a port of somebody else, with the first ports of the vessel and how many more there are', async () => {
    const source = 'try { recvmess(getmyip(), 6000, () => {}); } catch (error) { log(error.message); }';
    const more = Array.from({ length: 11 }, (_, index) => `resource messport ${5010 + index}`);
    const ports = '5001, 5002, 5010, 5011, 5012, 5013, 5014, 5015, 5016, 5017, 5018, 5019';
    const expected = (text: string) => `expected a messport of this vessel (${text}), got 6000`;
    assert.equal((await runProgram(source, withLines(...more.slice(0, 10)))).log, expected(ports));
    assert.equal((await runProgram(source, withLines(...more))).log, expected(`${ports} and 1 more`));
  });

  it('are iterated when no function is given, until the listener is closed', async () => {
    const { log, ending } = await runProgram(
      `const listener = recvmess(getmyip(), 5001);
      for (const text of ['a', 'b', 'c']) await sendmess(getmyip(), 5001, text);
      for await (const { ip, message } of listener) { log(ip, message, ''); if (message === 'c') break; }
      log(listener.close());`,
      AT,
    );
    assert.equal(log, `${OWN} a ${OWN} b ${OWN} c false`);
    assert.equal(ending.kind, 'finished');
  });

  it('are bytes both ways when asked for', async () => {
    const { log } = await runProgram(
      `recvmess(getmyip(), 5001, (ip, port, mess, handle) => { log(mess instanceof Uint8Array, mess); stopcomm(handle); }, { encoding: 'binary' });
      sendmess(getmyip(), 5001, Uint8Array.of(0, 128, 255));`,
      AT,
    );
    assert.equal(log, 'true <0, 128, 255>');
  });

  it('reach and leave the vessel like any other packet, up to 65507 bytes', async () => {
    const source = 'recvmess(getmyip(), 5001, (ip, port, mess) => sendmess(ip, port, mess)); log("up");';
    const peer = createSocket('udp4');
    peer.bind(0, '127.0.2.9');
    await once(peer, 'listening');
    const { port } = peer.address();
    const { vessel, log } = await startProgram(source, withLines(`destination allow 127.0.2.9/32 ${port}`));
    await log.until('up');
    for (const size of [0, 1, 65507]) {
      peer.send(Buffer.alloc(size, 'x'), 5001, OWN);
      const [data, from] = await once(peer, 'message');
      assert.equal(data.length, size);
      assert.equal(from.address, OWN);
    }
    // Bytes that are no UTF-8 would be too long as text: the echo is lost, the program lives.
    peer.send(Buffer.alloc(60_000, 0xff), 5001, OWN);
    peer.send('still there', 5001, OWN);
    const [data] = await once(peer, 'message');
    assert.equal(String(data), 'still there');
    peer.close();
    vessel.kill({ kind: 'stopped', message: 'end of test', exitCode: 1 });
    await vessel.ended;
  });

  for (const [what, body, code] of [
    ['a port that is not its own', 'recvmess(getmyip(), 5999, () => {})', 'RESOURCE_FORBIDDEN'],
    [
      'a sender port that is not its own',
      "await sendmess(getmyip(), 5001, 'x', getmyip(), 5999)",
      'RESOURCE_FORBIDDEN',
    ],
    ['an address that is not its own', "recvmess('8.8.4.4', 5001, () => {})", 'ADDRESS_BINDING'],
    ['every address at once', "recvmess('0.0.0.0', 5001, () => {})", 'ADDRESS_BINDING'],
    [
      'a second listener',
      'recvmess(getmyip(), 5001, () => {}); recvmess(getmyip(), 5001, () => {})',
      'ALREADY_LISTENING',
    ],
    ['a name instead of an address', "await sendmess('localhost', 5001, 'x')", 'NETWORK_ADDRESS'],
    ['another writing of 127.0.0.1', "await sendmess('0x7f.1', 5001, 'x')", 'NETWORK_ADDRESS'],
    ['the sender as destination', "await sendmess(getmyip(), 5001, 'x', getmyip(), 5001)", 'ARGUMENT'],
    ['port 0', "await sendmess(getmyip(), 0, 'x')", 'ARGUMENT'],
    ['port 65536', "await sendmess(getmyip(), 65536, 'x')", 'ARGUMENT'],
    ['a port in words', "await sendmess(getmyip(), '80', 'x')", 'ARGUMENT'],
    ['an object as message', 'await sendmess(getmyip(), 5001, { toString() { return "x"; } })', 'ARGUMENT'],
    ['a message of 65508 bytes', "await sendmess(getmyip(), 5001, 'x'.repeat(65508))", 'ARGUMENT'],
    ['half of a local address', "await sendmess(getmyip(), 5001, 'x', getmyip())", 'ARGUMENT'],
  ] as const) {
    it(`refuse ${what} with ${code}`, async () => {
      assert.match(await runCaught(`${body};`, AT), new RegExp(`^\\w+Error ${code} expected `));
    });
  }

  it('refuse a port that somebody else has, and one listener too many', async () => {
    const peer = createSocket('udp4');
    peer.bind(5002, OWN);
    await once(peer, 'listening');
    assert.match(await runCaught('recvmess(getmyip(), 5002, () => {});', AT), / DUPLICATE_TUPLE /);
    peer.close();
    const twice = 'recvmess(getmyip(), 5001, () => {}); recvmess(getmyip(), 5002, () => {});';
    assert.match(
      await runCaught(twice, withLines('resource insockets 1')),
      / RESOURCE_EXHAUSTED expected at most 1 insockets/,
    );
  });

  it('reach no other place of this machine or the donor\u2019s network unless a rule says so', async () => {
    const denied = [
      '127.0.0.1',
      '127.1.2.3',
      '0.0.0.0',
      '::1',
      '::ffff:127.0.0.1',
      '10.1.2.3',
      '192.168.0.1',
      '172.16.0.1',
      '169.254.169.254',
      'fd00:ec2::254',
      'fe80::1',
      '100.64.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ];
    const source = `for (const ip of ${JSON.stringify(denied)}) for (const call of [() => sendmess(ip, 22, 'x'), () => openconn(ip, 22)]) {
      try { await call(); log('reached', ip, ''); } catch (error) { if (error.code !== 'RESOURCE_FORBIDDEN') log(ip, error.code, ''); } }
      log(await sendmess(getmyip(), 5001, 'own'));`;
    assert.equal((await runProgram(source, AT)).log, '3');
    const rules = ['destination deny 127.0.0.1/32 5999', 'destination allow 127.0.0.0/8 5000-6000'];
    const opened = `log(await sendmess('127.9.9.9', 5500, 'x')); await sendmess('127.0.0.1', 5999, 'x').catch((e) => log('', e.code));`;
    assert.equal((await runProgram(opened, withLines(...rules))).log, '1 RESOURCE_FORBIDDEN');
  });

  it('wait when they are faster than loopsend, in order; a flood that nobody awaits is refused', async () => {
    const timed = `const t = getruntime(); for (let i = 0; i < 5; i++) await sendmess(getmyip(), 5001, 'x'.repeat(936)); log(getruntime() - t > 0.9);`;
    assert.equal((await runProgram(timed, withLines('resource loopsend 2000'))).log, 'true');
    const flood = `let refused = 0; for (let i = 0; i < 3000; i++) sendmess(getmyip(), 5001, 'x').catch((e) => { if (e.code === 'RESOURCE_EXHAUSTED') refused++; });
      await sleep(0.1); log(refused > 1000); exitall();`;
    assert.equal((await runProgram(flood, withLines('resource loopsend 2000'))).log, 'true');
  });

  it('never end a program by a fault of the network that nobody awaits', async () => {
    const source =
      "for (let i = 0; i < 5; i++) { sendmess('127.3.3.3', 9, 'x'); sendmess('10.0.0.1', 9, 'x'); } await sleep(0.05); log('alive');";
    const { log, ending } = await runProgram(source, withLines('destination allow 127.3.3.3/32'));
    assert.deepEqual([log, ending.kind], ['alive', 'finished']);
  });
});

describe('connections of a program', () => {
  after(removeRuntime);

  it('carry text both ways and tell each end of the close', async () => {
    const { log, ending } = await runProgram(
      `const listener = await waitforconn(getmyip(), 5003, async (ip, port, sock, commhandle, listenhandle) => {
        log(ip, commhandle === sock, listenhandle === listener, '');
        try { for (;;) await sock.send((await sock.recv(1000)).toUpperCase()); } catch (error) { log(error.code); }
        log('', stopcomm(listener), stopcomm(listener), stopcomm(sock), sock.close());
      });
      const sock = await openconn(getmyip(), 5003);
      log(sock.port, await sock.send('h\u00e9'), await sock.recv(100), '');
      sock.close();
      try { await sock.recv(1); } catch (error) { log(error.code, ''); }`,
      AT,
    );
    assert.equal(log, `${OWN} true true 5003 3 H\u00c9 SOCKET_CLOSED_LOCAL SOCKET_CLOSED_REMOTE true false true false`);
    assert.equal(ending.kind, 'finished');
  });

  it('can be iterated, awaited or not', async () => {
    const { log } = await runProgram(
      `openlater(); async function openlater() { await sleep(0.02); for (const port of [5003, 5004]) { const s = await openconn(getmyip(), port); log(await s.recv(9)); s.close(); } }
      for await (const { ip, sock } of waitforconn(getmyip(), 5003)) { await sock.send(ip); sock.close(); break; }
      for await (const { sock } of await waitforconn(getmyip(), 5004)) { await sock.send(' second'); sock.close(); break; }`,
      AT,
    );
    assert.equal(log, `${OWN} second`);
  });

  it('break no character across recv, and keep every byte when binary', async () => {
    const server = createServer((socket) => {
      const bytes = Buffer.from('\u20ac\u{1F600}');
      let at = 0;
      const next = () =>
        at < bytes.length ? socket.write(bytes.subarray(at, ++at), () => setTimeout(next, 5)) : socket.end();
      next();
    });
    server.listen(0, '127.0.2.8');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const read = `let all = []; try { for (;;) all.push(await sock.recv(100)); } catch (error) { log(error.code, ''); }`;
    const open = withLines(`destination allow 127.0.2.8/32 ${port}`);
    const text = await runProgram(`const sock = await openconn('127.0.2.8', ${port}); ${read} log(all);`, open);
    assert.equal(text.log, 'SOCKET_CLOSED_REMOTE ["\u20ac", "\u{1F600}"]');
    const binary = await runProgram(
      `const sock = await openconn('127.0.2.8', ${port}, { encoding: 'binary' }); ${read} log(all.flatMap((bytes) => [...bytes]));`,
      open,
    );
    assert.equal(binary.log, `SOCKET_CLOSED_REMOTE [${[...Buffer.from('\u20ac\u{1F600}')].join(', ')}]`);
    server.close();
  });

  it('make a sender wait for a reader: a flood that nobody reads is bounded', async () => {
    const source = `const listener = await waitforconn(getmyip(), 5003, () => {});
      const sock = await openconn(getmyip(), 5003);
      let sent = 0, refused; const data = 'x'.repeat(1 << 20);
      for (let i = 0; i < 40; i++) sock.send(data).then((n) => { sent += n; }, (error) => { refused = error.code; });
      await sleep(0.3); log(refused, sent < 30 << 20); exitall();`;
    assert.equal((await runProgram(source, withLines('resource loopsend 1e9'))).log, 'RESOURCE_EXHAUSTED true');
  });

  it('move megabytes unharmed', async () => {
    const source = `let got = 0; const total = 4 << 20;
      const listener = await waitforconn(getmyip(), 5003, async (ip, port, sock) => {
        let sum = 0;
        try { for (;;) for (const byte of await sock.recv(1 << 16)) { sum = (sum * 31 + byte) % 65521; got++; } } catch (error) { log(got === total, sum); }
        exitall();
      }, { encoding: 'binary' });
      const sock = await openconn(getmyip(), 5003); let sum = 0;
      const block = new Uint8Array(1 << 18).map((_, i) => i * 7);
      for (let at = 0; at < total; at += block.length) { for (const byte of block) sum = (sum * 31 + byte) % 65521; await sock.send(block); }
      log(sum, ''); sock.close();`;
    const { log } = await runProgram(source, withLines('resource loopsend 1e9', 'resource looprecv 1e9'));
    const [sent, whole, received] = log.split(' ');
    assert.deepEqual([whole, received], ['true', sent]);
  });

  it('are refused beyond outsockets, on both sides', async () => {
    const source = `await waitforconn(getmyip(), 5003, () => {});
      const first = await openconn(getmyip(), 5003);
      try { await openconn(getmyip(), 5003); } catch (error) { log(error.code, ''); }
      try { await first.recv(1); } catch (error) { log(error.code); } exitall();`;
    assert.equal(
      (await runProgram(source, withLines('resource outsockets 1'))).log,
      'RESOURCE_EXHAUSTED SOCKET_CLOSED_REMOTE',
    );
  });

  it('that a peer resets end in an error of that connection alone', async () => {
    const source = `await waitforconn(getmyip(), 5003, async (ip, port, sock) => {
      try { for (;;) await sock.send(await sock.recv(10)); } catch (error) { log(error.code); } exitall(); }); log('up ');`;
    const { vessel, log } = await startProgram(source, AT);
    await log.until('up');
    const peer = connect(5003, OWN);
    // One that is reset before it is accepted is never heard of.
    peer.write('x');
    await once(peer, 'data');
    peer.resetAndDestroy();
    assert.equal((await vessel.ended).kind, 'exitall');
    assert.equal(log.text(), 'up SOCKET_CLOSED_REMOTE');
  });

  for (const [what, body, code] of [
    ['nobody there', 'await openconn(getmyip(), 5003)', 'CONNECTION_REFUSED'],
    ['a port that is not its own', 'await waitforconn(getmyip(), 5999, () => {})', 'RESOURCE_FORBIDDEN'],
    ['an address that is not its own', "await waitforconn('8.8.4.4', 5003, () => {})", 'ADDRESS_BINDING'],
    ['a local port that is not its own', 'await openconn(getmyip(), 5003, getmyip(), 5999)', 'RESOURCE_FORBIDDEN'],
    ['a timeout of 0', 'await openconn(getmyip(), 5003, { timeout: 0 })', 'ARGUMENT'],
    ['a timeout below 0', 'await openconn(getmyip(), 5003, { timeout: -1 })', 'ARGUMENT'],
    ['an unknown encoding', "await openconn(getmyip(), 5003, { encoding: 'latin9' })", 'ARGUMENT'],
    [
      'a second listener',
      'await waitforconn(getmyip(), 5003); await waitforconn(getmyip(), 5003)',
      'ALREADY_LISTENING',
    ],
    [
      'a port that listens as the sender',
      'await waitforconn(getmyip(), 5003); await openconn(getmyip(), 5004, getmyip(), 5003)',
      'ALREADY_LISTENING',
    ],
    [
      '0 bytes',
      'await waitforconn(getmyip(), 5003, () => {}); await (await openconn(getmyip(), 5003)).recv(0)',
      'ARGUMENT',
    ],
  ] as const) {
    it(`refuse ${what} with ${code}`, async () => {
      assert.match(await runCaught(`${body};`, AT), new RegExp(`^\\w+Error ${code} expected `));
    });
  }
});
