import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeRuntime, temporaryDirectory } from './helper.ts';
import { type RunOptions, runProgram, startProgram } from './process-helper.ts';

const REPY = fileURLToPath(new URL('../bin/repy.ts', import.meta.url));

/** Ports that nobody has on ::1, for a vessel there. */
async function place(...lines: string[]): Promise<RunOptions & { readonly ports: readonly [number, number] }> {
  const sockets = [createSocket('udp6'), createSocket('udp6')] as const;
  for (const socket of sockets) socket.bind(0, '::1');
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  const ports = [sockets[0].address().port, sockets[1].address().port] as const;
  for (const socket of sockets) socket.close();
  const own = ports.flatMap((port) => [`resource messport ${port}`, `resource connport ${port}`]);
  return { address: '::1', restrictions: [...own, ...lines].join('\n'), ports };
}

describe('IPv6', () => {
  before(function () {
    if (spawnSync('ip', ['-6', 'addr', 'show', 'dev', 'lo', 'to', '::1']).stdout?.length === 0) this.skip();
  });
  after(removeRuntime);

  it('carries messages of both generations, on the long way and the short one, up to 65507 bytes', async () => {
    const { ports, ...options } = await place();
    const source = `const me = getmyip(); const [one, two] = ${JSON.stringify(ports)}; let left = 5;
      recvmess(me, one, (ip, port, mess, handle) => { sendmess(ip, port, mess.length > 99 ? mess.length + '' : mess, me, one); if (--left === 0) stopcomm(handle); });
      const server = listenformessage('0:0::1', two);
      for (const text of ['a', 'b', 'c', 'x'.repeat(9216)]) { await sendmessage('0:0:0::1', one, text, me, two); log(await server.getmessage(), ''); }
      await sendmess(me, one, 'x'.repeat(65507), me, two); log((await server.getmessage())[2]); server.close();`;
    const { log, ending } = await runProgram(source, options);
    const answer = (text: string) => `["::1", ${ports[0]}, "${text}"] `;
    assert.equal(log, `${['a', 'b', 'c', '9216'].map(answer).join('')}65507`);
    assert.equal(ending.kind, 'finished');
  });

  it('carries connections of both generations', async () => {
    const { ports, ...options } = await place();
    const source = `const me = getmyip(); const [one, two] = ${JSON.stringify(ports)};
      const listener = await waitforconn('0::1', one, async (ip, port, sock) => { await sock.send(ip + ' ' + (await sock.recv(9))); stopcomm(sock); });
      const sock = await openconn('0:0::1', one); log(listener.ip, sock.ip, sock.port === one, await sock.send('hi'), await sock.recv(99), '');
      stopcomm(sock); stopcomm(listener);
      const server = await listenforconnection(me, two); const first = await openconnection('::1', two, me, one, 5);
      log((await server.getconnection()).slice(0, 2)); exitall();`;
    assert.equal((await runProgram(source, options)).log, `::1 ::1 true 2 ::1 hi ["::1", ${ports[0]}]`);
  });

  it('is told apart from the network as loopback is, and so is what comes', async () => {
    const { ports, ...options } = await place('resource looprecv 200', 'resource loopsend 200');
    const source = `const server = recvmess(getmyip(), ${ports[0]}); await sendmess('::1', ${ports[0]}, 'x'.repeat(100));
      for await (const message of server) break;
      const { usage } = getresources(); log(usage.loopsend > 0, usage.looprecv > 0, usage.netsend, usage.netrecv);`;
    assert.equal((await runProgram(source, options)).log, 'true true 0 0');
  });

  it('reaches on loopback its own ports and no others, each for its kind', async () => {
    const { ports, address = '' } = await place();
    const [one, two] = ports;
    const restrictions = `resource messport ${one}\nresource connport ${two}`;
    const source = `for (const ip of ['::1', '127.0.0.1', '::ffff:127.0.0.1']) for (const port of [${one}, ${two}]) {
        log(await sendmess(ip, port, 'x').then(() => 'sent', (error) => error.code), await openconn(ip, port).then(() => 'connected', (error) => error.code), '\\n'); }
      exitall();`;
    const { log } = await runProgram(source, { address, restrictions });
    const forbidden = 'RESOURCE_FORBIDDEN';
    assert.equal(log, `sent ${forbidden} \n${forbidden} CONNECTION_REFUSED \n`.repeat(3));
  });

  it('and IPv4 do not meet in one message', async () => {
    const { ports, ...options } = await place();
    const source = `const code = (error) => log(error.code, '');
      for (const [to, from] of [['::1', '127.0.0.1'], ['127.0.0.1', '::1']]) { await sendmess(to, ${ports[0]}, 'x', from, ${ports[1]}).catch(code); await openconn(to, ${ports[0]}, from, ${ports[1]}).catch(code); }`;
    assert.equal((await runProgram(source, options)).log, 'ARGUMENT '.repeat(4));
  });

  it('is the network of a machine of its own: its address, its neighbours, and no spelling that leads back', async function () {
    if (spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).status !== 0) this.skip();
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'program.js');
    const source = `const me = getmyip(); const server = recvmess(me, 54321);
      log(await sendmess(me, 54321, 'own'), ''); for await (const { ip, message } of server) { log(ip, message, '\\n'); break; }
      for (const [ip, port] of [['8.8.4.7', 54321], ['2a00:1::8', 54321], ['2a00:1::7', 22], ['fd00:ec2::254', 80], ['fe80::1', 54321], ['64:ff9b::7f00:1', 22], ['2002:804:407::1', 54321], ['ff02::1', 54321], ['2a00:9::1', 54321], ['64:ff9b::909:909', 54321]])
        log(ip, await sendmess(ip, port, 'x').then((n) => 'sent ' + n, (error) => error.code), '\\n');
      const { usage } = getresources(); log(usage.netsend > 0, usage.loopsend > 0);`;
    await writeFile(path, source);
    const limits = join(directory.path, 'limits');
    const rates = [
      'cpu 1',
      'memory 1e8',
      'diskused 0',
      'events 9',
      'insockets 9',
      'lograte 1e6',
      'netsend 200',
      'loopsend 50',
      'looprecv 1e6',
      'messport 54321',
    ];
    await writeFile(limits, rates.map((line) => `resource ${line}\n`).join(''));
    // 2a00:1::7 and ::8 are this machine's; the rest of the world is behind a route that leads nowhere.
    const commands = [
      'link set lo up',
      'addr add 8.8.4.7/24 dev lo',
      'addr add 2a00:1::7/64 dev lo',
      'addr add 2a00:1::8/64 dev lo',
      'addr add fd00:ec2::254/128 dev lo',
      '-6 route add default dev lo',
    ];
    const shell = `${commands.map((command) => `ip ${command}`).join('\n')}\nexec "$@"`;
    const child = spawn(
      'unshare',
      ['-rn', 'sh', '-ec', shell, 'sh', process.execPath, REPY, '--ip', '2a00:1::7', '--restrictions', limits, path],
      {
        env: { ...process.env, TMPDIR: directory.path },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk;
    });
    await once(child, 'close');
    const closed = [
      '8.8.4.7',
      '2a00:1::8',
      '2a00:1::7',
      'fd00:ec2::254',
      'fe80::1',
      '64:ff9b::7f00:1',
      '2002:804:407::1',
      'ff02::1',
    ];
    const lines = [
      '3 2a00:1::7 own ',
      ...closed.map((ip) => `${ip} RESOURCE_FORBIDDEN `),
      '2a00:9::1 sent 1 ',
      '64:ff9b::909:909 sent 1 ',
      'true true',
    ];
    assert.deepEqual(log.trim().split('\n'), lines);
  });
});

describe('peers that begin', () => {
  const OWN = '127.0.8.1';
  const options = { address: OWN, restrictions: 'resource messport 5001\nresource connport 5001' };
  after(removeRuntime);

  it('are heard from everywhere; a message is answered only where the rules allow one: its sender may be anybody', async () => {
    const source = `recvmess(getmyip(), 5001, (ip, port, mess) => sendmess(ip, port, mess).then(() => log('answered'), (error) => log(mess, ip, error.code))); log('up ');`;
    const peer = createSocket('udp4');
    peer.bind(0, '127.0.8.9');
    await once(peer, 'listening');
    const { vessel, log } = await startProgram(source, options);
    await log.until('up');
    peer.send('hello', 5001, OWN);
    await log.until('FORBIDDEN');
    assert.equal(log.text(), 'up hello 127.0.8.9 RESOURCE_FORBIDDEN');
    peer.close();
    vessel.kill({ kind: 'stopped', message: 'end of test', exitCode: 1 });
    await vessel.ended;
  });

  it('may connect from everywhere and are answered: who connects is who is said', async () => {
    const source = `await waitforconn(getmyip(), 5001, async (ip, port, sock) => { await sock.send('for ' + ip); sock.close(); exitall(); }); log('up');`;
    const { vessel, log } = await startProgram(source, options);
    await log.until('up');
    const peer = connect({ host: OWN, port: 5001, localAddress: '127.0.8.9' });
    const [data] = await once(peer, 'data');
    assert.equal(String(data), 'for 127.0.8.9');
    await vessel.ended;
  });
});
