import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { NAME_LIMITS, NameResolver } from '../src/host/resolver.ts';
import { hostName } from '../src/names.ts';
import { removeRuntime } from './helper.ts';
import { type NameServer, nameServer, type Zone } from './name-server.ts';
import { type RunOptions, runProgram, startProgram } from './process-helper.ts';

const OWN = '127.0.6.1';
const PEER = '127.0.6.2';
const SERVER = '127.0.6.9';
const ZONE: Zone = {
  'both.example.org': [['2a00:1::7', '8.8.4.4', '8.8.4.5']],
  'six.example.org': [['2a00:1::7']],
  'alias.example.org': [['=second.example.org']],
  'second.example.org': [['=both.example.org']],
  'circle.example.org': [['=circle.example.org']],
  'nas.example.org': [['192.168.1.20', 'fd00::20']],
  'half.example.org': [['192.168.1.20', '8.8.4.4']],
  'mapped.example.org': [['::ffff:127.0.0.1', '::ffff:10.0.0.1']],
  'rebind.example.org': [['8.8.4.4'], ['127.0.0.1']],
  'peer.example.org': [['127.0.6.3', PEER]],
  'many.example.org': [Array.from({ length: 40 }, (_, index) => `8.8.4.${index}`)],
  'late.example.org': [
    [...Array.from({ length: NAME_LIMITS.addresses }, (_, index) => `192.168.1.${index + 1}`), '8.8.4.4', '2a00:1::7'],
  ],
  'empty.example.org': [[]],
  'nas.local': [['8.8.4.4']],
  router: [['8.8.4.4']],
};

describe('names of the network', () => {
  let server: NameServer;
  before(async () => {
    server = await nameServer(SERVER, ZONE);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await removeRuntime();
  });

  const options = (...lines: string[]): RunOptions => ({
    address: OWN,
    network: { resolver: new NameResolver({ servers: [server.place] }) },
    restrictions: ['resource messport 5001', 'resource connport 5001', ...lines].join('\n'),
  });
  const run = async (source: string, ...lines: string[]): Promise<string> =>
    (await runProgram(source, options(...lines))).log;
  /** What `gethostbyname_ex` says of each name, or the code of its error. */
  const lookUp = async (...names: string[]): Promise<unknown[]> => {
    const source = `for (const name of ${JSON.stringify(names)})
      log(await gethostbyname_ex(name).then((found) => JSON.stringify(found), (error) => JSON.stringify(error.code)) + '\\n');`;
    return (await run(source))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };

  it('lead to addresses, IPv4 first on a node of IPv4, with their aliases', async () => {
    assert.deepEqual(await lookUp('both.example.org', 'SIX.Example.org.', 'alias.example.org'), [
      ['both.example.org', [], ['8.8.4.4', '8.8.4.5', '2a00:1::7']],
      ['six.example.org', [], ['2a00:1::7']],
      ['both.example.org', ['alias.example.org', 'second.example.org'], ['8.8.4.4', '8.8.4.5', '2a00:1::7']],
    ]);
    assert.equal(
      await run("log(await gethostbyname('both.example.org'), await gethostbyname('six.example.org'));"),
      '8.8.4.4 2a00:1::7',
    );
    const six = { ...options(), address: '::1' };
    assert.equal((await runProgram("log(await gethostbyname('both.example.org'));", six)).log, '2a00:1::7');
  });

  it('that are addresses are those, in their one spelling, and nobody is asked', async () => {
    const before = server.asked.length;
    assert.deepEqual(await lookUp('0:0::1', '8.8.4.4', '::ffff:10.0.0.1'), [
      ['::1', [], ['::1']],
      ['8.8.4.4', [], ['8.8.4.4']],
      ['10.0.0.1', [], ['10.0.0.1']],
    ]);
    assert.equal(server.asked.length, before);
  });

  it('that lead nowhere, or in a circle, are no addresses', async () => {
    assert.deepEqual(
      await lookUp('none.example.org', 'empty.example.org', 'circle.example.org'),
      Array(3).fill('NETWORK_ADDRESS'),
    );
  });

  it('tell nothing of the addresses that the vessel may not reach, as if they were not there', async () => {
    const source = `const told = [];
      for (const name of ['nas.example.org', 'none.example.org']) await gethostbyname(name).catch((error) => told.push(error.message.replace(name, 'NAME')));
      log(told[0] === told[1], told[0]);`;
    assert.match(await run(source), /^true expected the name of a destination that this vessel may reach, got "NAME"$/);
    const [half, mapped] = await lookUp('half.example.org', 'mapped.example.org');
    assert.deepEqual(
      [half, mapped],
      [
        ['half.example.org', [], ['8.8.4.4']],
        // Of this machine, where the vessel has ports of its own.
        ['mapped.example.org', [], ['127.0.0.1']],
      ],
    );
  });

  it('of the own network and of this machine are never asked for', async () => {
    const before = server.asked.length;
    assert.deepEqual(await lookUp('router', 'nas.local', 'x.home.arpa', 'a.onion'), Array(4).fill('NETWORK_ADDRESS'));
    assert.deepEqual(await lookUp('localhost', 'my.localhost'), [
      ['localhost', [], ['127.0.0.1', '::1']],
      ['my.localhost', [], ['127.0.0.1', '::1']],
    ]);
    assert.equal(server.asked.length, before);
  });

  it('are none when some system could take them for something else', async () => {
    const wrong = [
      '',
      '.',
      'a..org',
      '0x7f.1',
      '2130706433',
      '127.1',
      '1.2.3.4.5',
      'a b.org',
      'a\u0000.org',
      'b\u00fccher.org',
      '-a.org',
      'a-.org',
      'fe80::1%eth0',
      '[::1]',
      'http://a.org',
      `${'a'.repeat(64)}.org`,
      `${'a.'.repeat(127)}a`,
    ];
    for (const text of wrong) assert.equal(hostName(text), undefined, JSON.stringify(text));
    assert.deepEqual(await lookUp(...wrong), Array(wrong.length).fill('NETWORK_ADDRESS'));
    const long = `${'a.'.repeat(126)}a`;
    assert.deepEqual(
      [hostName(long), hostName('_a-1.Org'), hostName(`${'a'.repeat(63)}.org.`)],
      [long, '_a-1.org', `${'a'.repeat(63)}.org`],
    );
    const source = `for (const wrong of [undefined, null, 7, {}, [], 'x'.repeat(256)]) for (const call of [gethostbyname, gethostbyname_ex])
      await call(wrong).then(() => log('taken'), (error) => { if (error.code !== 'ARGUMENT') log(error); }); log('checked');`;
    assert.equal(await run(source), 'checked');
  });

  it('that answer anew lead to what they answered, which is checked by itself', async () => {
    const source = `const ip = await gethostbyname('rebind.example.org'); log(ip, '');
      for (const port of [22, 5001]) await sendmess('rebind.example.org', port, 'x').then((n) => log(n, ''), (error) => log(error.code, ''));
      log(await gethostbyname('rebind.example.org'));`;
    assert.equal(await run(source), '8.8.4.4 RESOURCE_FORBIDDEN 1 127.0.0.1');
  });

  it('stand for destinations of messages and connections, whose addresses the rules decide on', async () => {
    const [udp, tcp] = [createSocket('udp4'), createServer((socket) => socket.end('hello'))];
    udp.bind(0, PEER);
    tcp.listen(0, PEER);
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
    const { port } = tcp.address() as { port: number };
    const source = `log(await sendmess('peer.example.org', ${udp.address().port}, 'hi', getmyip(), 5001), '');
      const sock = await openconn('Peer.example.org', ${port}); log(sock.ip, await sock.recv(9), ''); sock.close();
      for (const call of [() => sendmess('peer.example.org', 9, 'x'), () => openconn('peer.example.org', 9), () => sendmess('nas.example.org', 9, 'x'), () => sendmess('six.example.org', 9, 'x', getmyip(), 5001)])
        await call().catch((error) => log(error.code, ''));`;
    // Its first address is nobody's, and denied.
    const lines = [udp.address().port, port].map((open) => `destination allow ${PEER}/32 ${open}`);
    const heard = once(udp, 'message');
    assert.equal(
      await run(source, ...lines),
      `2 ${PEER} hello RESOURCE_FORBIDDEN RESOURCE_FORBIDDEN NETWORK_ADDRESS NETWORK_ADDRESS `,
    );
    assert.equal(String((await heard)[0]), 'hi');
    udp.close();
    tcp.close();
  });

  it('end nothing when they lead nowhere and nobody awaits it', async () => {
    const { log, ending } = await runProgram(
      "sendmess('none.example.org', 9, 'x'); await sleep(0.2); log('alive');",
      options(),
    );
    assert.deepEqual([log, ending.kind], ['alive', 'finished']);
  });

  it('are no local addresses, and no addresses of the second generation', async () => {
    const source = `for (const call of [() => recvmess('localhost', 5001), () => waitforconn('localhost', 5001), () => sendmess('8.8.4.4', 5001, 'x', 'localhost', 5001),
        () => sendmessage('localhost', 5001, 'x', getmyip(), 5001), () => openconnection('localhost', 5001, getmyip(), 5001, 1)])
      try { await call(); log('taken'); } catch (error) { log(error.code, ''); }`;
    assert.equal(await run(source), 'NETWORK_ADDRESS NETWORK_ADDRESS NETWORK_ADDRESS ARGUMENT ARGUMENT ');
  });

  it('cost 1024 netsend and 4096 netrecv, also when they lead nowhere', async () => {
    const source = `await gethostbyname('none.example.org').catch(() => {}); const { usage } = getresources();
      log(usage.netsend > 1000 && usage.netsend <= 1024, usage.netrecv > 4000 && usage.netrecv <= 4096);`;
    assert.equal(await run(source, 'resource netsend 100', 'resource netrecv 100'), 'true true');
    assert.equal(
      await run("await gethostbyname('both.example.org').catch((error) => log(error.code));", 'resource netrecv 0'),
      'RESOURCE_EXHAUSTED',
    );
  });

  it('are answered up to a number of addresses', async () => {
    const [answer] = (await lookUp('many.example.org')) as [[string, string[], string[]]];
    assert.equal(answer[2].length, NAME_LIMITS.addresses);
    // No others are looked at: of its IPv4 addresses the only one that is open comes too late.
    assert.deepEqual(await lookUp('late.example.org'), [['late.example.org', [], ['2a00:1::7']]]);
  });

  it('of servers that are silent end in time; of one vessel a few wait at once', async () => {
    const most = NAME_LIMITS.atOncePerVessel;
    const source = `const codes = {};
      await Promise.all(Array.from({ length: ${most + 1} }, () => gethostbyname('silent.example.org').catch(({ code, message }) => { codes[code] = (codes[code] ?? 0) + 1; codes[message] = true; })));
      log(await gethostbyname('both.example.org') + JSON.stringify(codes));`;
    const { log } = await runProgram(source, {
      ...options(),
      network: { resolver: new NameResolver({ servers: [server.place], timeoutMs: 500 }) },
    });
    const [address, codes = ''] = log.split(/(?=\{)/);
    assert.deepEqual(JSON.parse(codes), {
      NETWORK_ADDRESS: most,
      RESOURCE_EXHAUSTED: 1,
      'expected an answer of the name servers about "silent.example.org", got none': true,
      [`expected at most ${most} look-ups of names at once, got one more`]: true,
    });
    assert.equal(address, '8.8.4.4');
  });

  it('are given up at the end of a program, and a vessel that has fewer goes before those that have more', async () => {
    const resolver = new NameResolver({ servers: [server.place], timeoutMs: 2 ** 30 });
    const greedy = new AbortController();
    const ended = Array.from({ length: NAME_LIMITS.atOnce - 1 }, (_, n) =>
      resolver.resolve(`silent${n}.org`, greedy.signal),
    );
    const other = new AbortController();
    const first = resolver.resolve('silent.example.org', other.signal);
    const order: string[] = [];
    const note = (text: string) => () => void order.push(text);
    const waiting = ['a', 'b'].map((text) => resolver.resolve('empty.example.org', greedy.signal).catch(note(text)));
    for (const lookup of ended) lookup.catch(note('greedy'));
    const small = resolver.resolve('both.example.org', new AbortController().signal).then(note('small'));
    other.abort();
    await assert.rejects(first, { code: 'NetworkAddressError' });
    await small;
    await Promise.all(waiting);
    assert.equal(order[0], 'small');
    greedy.abort();
    for (const lookup of ended) await assert.rejects(lookup, { code: 'NetworkAddressError' });
    await assert.rejects(resolver.resolve('both.example.org', greedy.signal), { code: 'NetworkAddressError' });
    const most = Array.from({ length: NAME_LIMITS.atOnce }, () =>
      resolver.resolve('both.example.org', new AbortController().signal),
    );
    assert.equal((await Promise.all(most)).length, NAME_LIMITS.atOnce);
  });

  it('of a program that was ended keep no place of the node', async () => {
    const resolver = new NameResolver({ servers: [server.place], timeoutMs: 2 ** 30 });
    const others = new AbortController();
    const held = Array.from({ length: NAME_LIMITS.atOnce - 1 }, (_, n) =>
      resolver.resolve(`silent${n}.org`, others.signal).catch(() => 'those that began before'),
    );
    const { vessel } = await startProgram("await gethostbyname('silent.ended.org');", {
      ...options(),
      network: { resolver },
    });
    while (!server.asked.includes('silent.ended.org A')) await wait(5);
    vessel.kill({ kind: 'stopped', message: 'enough', exitCode: 143 });
    const next = resolver.resolve('both.example.org', new AbortController().signal).then(({ name }) => name);
    assert.equal(await Promise.race([next, ...held]), 'both.example.org');
    others.abort();
    await vessel.ended;
  });

  it('lead nowhere where no resolver is', async () => {
    const { log } = await runProgram("await gethostbyname('both.example.org').catch((error) => log(error.code));", {
      address: OWN,
    });
    assert.equal(log, 'NETWORK_ADDRESS');
  });
});
