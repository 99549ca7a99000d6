import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runProgram } from './process-helper.ts';

const PLACE = {
  restrictions: 'resource messport 5001\nresource messport 5002\nresource connport 5001\nresource connport 5002',
  address: '127.0.3.9',
};

/** Runs a program under layers. */
const run = (source: string, ...layers: string[]) => runProgram(source, { ...PLACE, layers });

/** @returns the log of a program under layers, which has to finish. */
async function logOf(source: string, ...layers: string[]): Promise<string> {
  const { log, ending } = await run(source, ...layers);
  assert.equal(ending.kind, 'finished', `${ending.message}; log: ${log}`);
  return log;
}

/** Statements that log what an expression throws, by its name, code and message. */
const caught = (expression: string) =>
  `try { log('accepted', await ${expression}); } catch (error) { log(error.name, error.code, error.message); }`;

describe('a layer', () => {
  after(removeRuntime);

  it('changes a call for the program above it, and what it leaves alone passes through', async () => {
    const layer = `layer.wrap('getmyip', () => '192.0.2.' + getmyip().length);`;
    assert.equal(
      await logOf('log(getmyip(), typeof getruntime(), callfunc, callargs);', layer),
      '192.0.2.9 number initialize []',
    );
  });

  it('stands above the layers that are named before it', async () => {
    const layer = (mark: string) => `layer.wrap('log', (text) => log('${mark}(' + text + ')'));`;
    assert.equal(await logOf("log('x');", layer('a'), layer('b'), layer('c')), 'a(b(c(x)))');
  });

  it('keeps what it needs to itself, and outlives what the program does to the language', async () => {
    const layer = `let sent = 0; const { push } = Array.prototype; globalThis.count = () => sent; mycontext.secret = 1;
      layer.wrap('randomfloat', () => [1, 2].map((x) => (sent += x)).length + sent);`;
    const source = `Array.prototype.map = () => { throw new Error('replaced'); }; Object.prototype.sent = 9;
      log(randomfloat(), randomfloat(), typeof count, typeof sent, typeof layer, Object.keys(mycontext).length);`;
    assert.equal(await logOf(source, layer), '5 8 undefined number undefined 0');
  });

  it('may forbid a call', async () => {
    const source = `${caught('exitall()')} log(' still here');`;
    assert.equal(
      await logOf(source, "layer.forbid('exitall');"),
      'ResourceForbiddenError RESOURCE_FORBIDDEN expected a call that the layer allows, got exitall, with the layer layer-1.js still here',
    );
  });

  it('changes with a call also what JavaScript has for the same', async () => {
    const layer = `layer.wrap('log', (text) => log('<' + text.trim() + '>')); layer.wrap('settimer', (seconds, fn, args) => { log('!', seconds); return settimer(0, fn, args); });`;
    const source = `console.log('a', [1]); setTimeout(() => console.error('late'), 500); let n = 0; const i = setInterval(() => { log('tick'); if (++n === 2) clearInterval(i); }, 400); clearTimeout(setTimeout(() => log('never'), 9)); AbortSignal.timeout(300).onabort = () => log('abort');`;
    const log = await logOf(source, layer);
    assert.deepEqual(
      [
        log.startsWith('<a [1]>! 0.5! 0.4! 0.009! 0.3'),
        log.split('<tick>').length,
        log.includes('<late>'),
        log.includes('<abort>'),
        log.includes('never'),
      ],
      [true, 3, true, true, false],
      log,
    );
  });

  it('closes the other names of a call that it changes, unless it changes them too', async () => {
    const names = [
      ['sendmess', "sendmessage('127.0.3.9', 5002, 'x', '127.0.3.9', 5001)"],
      ['listenformessage', 'recvmess(getmyip(), 5001)'],
      ['openconn', "openconnection('127.0.3.9', 5001, '127.0.3.9', 5002, 1)"],
      ['listenforconnection', 'waitforconn(getmyip(), 5001)'],
      ['getlock', 'createlock()'],
      ['randombytes', 'crypto.randomUUID()'],
      ['randombytes', 'crypto.getRandomValues(new Uint8Array(1))'],
    ] as const;
    for (const [changed, call] of names) {
      const log = await logOf(caught(call), `layer.wrap('${changed}', (...args) => ${changed}(...args));`);
      const other = call.replace(/[.(].*/, '');
      assert.equal(
        log,
        `ResourceForbiddenError RESOURCE_FORBIDDEN expected ${changed}, which the layer has changed, got ${other}, with the layer layer-1.js`,
      );
    }
  });

  it('checks the arguments at each call, and the program is told what was wrong', async () => {
    const layer = `layer.wrap('sleep', () => { log('never'); }, { args: ['number', 'string|null?'] }); layer.wrap('getmyip', (...all) => all.length + '', { args: ['integer...'], returns: 'string' });`;
    const source = `${caught("sleep('1')")} log(' | '); ${caught('sleep(1, 2)')} log(' | '); ${caught('sleep(1, null, 3)')} log(' | ', getmyip(1, 2), ' '); ${caught('getmyip(1, 1.5)')}`;
    const because = (what: string) => `RepyArgumentError ARGUMENT expected ${what}`;
    assert.equal(
      await logOf(source, layer),
      [
        because('number as argument 1 of sleep, with the layer layer-1.js, got "1"'),
        because('string or null as argument 2 of sleep, with the layer layer-1.js, got 2'),
        because('no more as argument 3 of sleep, with the layer layer-1.js, got 3'),
        ` 2  ${because('integer as argument 2 of getmyip, with the layer layer-1.js, got 1.5')}`,
      ].join(' | '),
    );
  });

  it('checks what it returns and throws itself, and it is named as the one at fault', async () => {
    const layer = `layer.wrap('getmyip', () => 5); layer.wrap('sleep', async () => 'x');
      layer.wrap('randomfloat', () => null.x); layer.wrap('getruntime', () => { throw new TimeoutError('mine'); }, { throws: ['TimeoutError'] });
      layer.wrap('getresources', () => { throw new TimeoutError('no'); }, { throws: [] });
      layer.wrap('createlock', () => ({ acquire: async () => 5, release: 7 })); layer.wrap('getlock', () => ({ acquire: async () => 5, release() {} }));
      layer.wrap('getlasterror', () => { throw Object.assign(new Error('own'), { name: 'QuotaError' }); }, { throws: ['QuotaError'] });`;
    const calls = [
      'getmyip()',
      'sleep(0)',
      'randomfloat()',
      'getruntime()',
      'getresources()',
      'createlock()',
      'getlock().acquire()',
      'getlasterror()',
    ];
    const log = await logOf(calls.map((call) => `${caught(call)} log('\\n');`).join('\n'), layer);
    assert.deepEqual(log.trim().split(/ ?\n/), [
      'LayerError LAYER expected the layer layer-1.js to return string for getmyip, got 5',
      'LayerError LAYER expected the layer layer-1.js to return nothing for sleep, got "x"',
      "LayerError LAYER expected the layer layer-1.js to throw an error of the Repy API for randomfloat, got TypeError: Cannot read properties of null (reading 'x') at layer/layer-1.js:2:44",
      'TimeoutError TIMEOUT mine',
      'LayerError LAYER expected the layer layer-1.js to throw nothing for getresources, got TimeoutError: no at layer/layer-1.js:3:48',
      'LayerError LAYER expected the layer layer-1.js to return an object with a function release for createlock, got 7',
      'LayerError LAYER expected the layer layer-1.js to return boolean for getlock.acquire, got 5',
      'QuotaError LAYER own',
    ]);
  });

  it('hands out objects of which only the members of the contract pass', async () => {
    const layer = `class Counter { inner = { secret: 1 }; #n = 0; next(by) { return this.#n += by; } secret() { return this.inner; } }
      layer.wrap('createlock', () => new Counter(), { returns: { next: { args: ['integer'], returns: 'integer' } } });
      layer.wrap('getlock', () => ({ next: (by) => by, hidden: () => 1, size: 3, left: undefined }), { returns: { next: { args: ['integer'] }, size: 'integer', 'left?': {}, 'more?': 'string' } });`;
    const source = `const a = createlock(), b = getlock(); log(Reflect.ownKeys(a), a.next(2), a.next(3), Reflect.ownKeys(b), b.next(7), b.size, ''); ${caught("a.next('x')")}`;
    assert.equal(
      await logOf(source, layer),
      '["next"] 2 5 ["next", "size"] 7 3 RepyArgumentError ARGUMENT expected integer as argument 1 of createlock.next, with the layer layer-1.js, got "x"',
    );
  });

  it('can wrap a listener and a connection that stopcomm still stops', async () => {
    const layer = `const upper = (sock) => ({ ip: sock.ip, port: sock.port, send: (data) => sock.send(data.toUpperCase()), recv: (n) => sock.recv(n), close: () => sock.close() });
      layer.wrap('openconn', async (...args) => upper(await openconn(...args)));
      layer.wrap('recvmess', (ip, port, fn) => { const l = recvmess(ip, port, (from, at, text) => fn(from, at, text + '!', handle)); const handle = { close: () => { log('closed '); return l.close(); } }; return handle; });`;
    const source = `const server = await waitforconn(getmyip(), 5001, async (ip, port, sock) => { log(await sock.recv(9), ''); sock.close(); });
      const sock = await openconn(getmyip(), 5001); await sock.send('tcp'); log(sock.ip, stopcomm(server), '');
      recvmess(getmyip(), 5001, (ip, port, text, handle) => { log(text, ''); log(stopcomm(handle), ''); });
      await sendmess(getmyip(), 5001, 'udp'); await sleep(0.05); log(stopcomm(sock)); sock.close();`;
    const log = await logOf(source, layer);
    assert.deepEqual(
      log.trim().split(/\s+/).sort(),
      ['127.0.3.9', 'TCP', 'closed', 'true', 'true', 'true', 'udp!'].sort(),
      log,
    );
  });

  it('leaves a fault of the network that nobody awaits without consequence', async () => {
    const source = "sendmess('192.0.2.1', 9, 'x'); await sleep(0.05); log('lives');";
    assert.equal(await logOf(source, "layer.wrap('sendmess', async (...args) => await sendmess(...args));"), 'lives');
  });

  it('may hand on a promise that fails, and only who gets it hears of it', async () => {
    const layer =
      "layer.wrap('openconn', (...args) => openconn(...args)); layer.wrap('sleep', async () => openconn('127.0.3.9', 5001), { returns: 'any' });";
    const source = `${caught("openconn('127.0.3.9', 5001)")} log(' '); ${caught('sleep(0)')}`;
    const failure = /^(ConnectionRefusedError CONNECTION_REFUSED .* ?){2}$/;
    assert.match(await logOf(source, layer), failure);
    assert.match(
      (await run("openconn('127.0.3.9', 5001); await sleep(1);", layer)).ending.message,
      /ConnectionRefusedError/,
    );
  });

  it('names the author’s own place in an error, and none of the layer’s', async () => {
    const layer = `layer.wrap('sleep', (seconds) => { throw new RepyArgumentError('no'); });`;
    const { ending, log } = await run('\n  sleep(5);', layer);
    assert.equal(ending.message, 'uncaught RepyArgumentError: no at program.js:2:3');
    assert.ok(!/layer|prelude/.test(log), log);
  });

  for (const [what, source, message] of [
    [
      'does not compile',
      'let = ;',
      /^expected a program that compiles, got Unexpected strict mode reserved word \[layer\/layer-1\.js:1:1\]$/,
    ],
    ['imports', "import './x.js';", /expected a bundle without imports, got one of ".\/x.js"$/],
    ['throws', '\nnull.x;', /^uncaught TypeError: .* at layer\/layer-1\.js:2:6$/],
    [
      'changes what is no call',
      "layer.wrap('nothing', () => {});",
      /RepyArgumentError: expected the name of a call, got "nothing" at layer\/layer-1\.js:1:7$/,
    ],
    ['changes a call to no function', "layer.wrap('log', 5);", /expected what is called instead as a function, got 5/],
    [
      'changes a call twice',
      "layer.forbid('log'); layer.wrap('log', () => {});",
      /expected one change of log in one layer/,
    ],
    [
      'has a contract of an unknown type',
      "layer.wrap('log', () => {}, { args: ['text'] });",
      /expected a type of any, nothing, null.*, got "text"/,
    ],
    [
      'has a contract that is none',
      "layer.wrap('log', () => {}, { returns: { a: { args: 5 } } });",
      /expected the types of the arguments as an array, got 5/,
    ],
    ['changes calls too late', "await sleep(0.01); layer.forbid('log');", /expected changes while the layer begins/],
  ] as const) {
    it(`that ${what} ends the program with the reason`, async () => {
      const { ending, log } = await run("await sleep(1); log('ran');", source);
      assert.match(ending.message, message);
      assert.ok(ending.kind === 'error' || ending.kind === 'refused', ending.kind);
      assert.ok(!log.includes('ran'));
    });
  }
});

describe('a program under a layer that changes nothing', () => {
  after(removeRuntime);

  /** Wraps every call of the API as it is, so that each one has to keep its own contract: `randombytes` would close `crypto`. */
  const SAME = `const taken = new Set(['callargs', 'mycontext', 'layer', 'console', 'randombytes']);
    for (const name of Object.getOwnPropertyNames(globalThis)) { try { if (typeof globalThis[name] === 'function' && !taken.has(name)) { const call = globalThis[name]; layer.wrap(name, (...args) => call(...args)); } } catch (error) { if (!/the name of a call/.test(error.message)) throw error; } }`;

  const PROGRAM = `const me = getmyip(); const out = []; const say = (...all) => out.push(all.map(String).join(' '));
    const udp = recvmess(me, 5001, (ip, port, text, handle) => { say('udp', ip, port, text); sendmess(ip, port, 'back ' + text, me, 5001); });
    const box = listenformessage(me, 5002); say(await sendmess(me, 5001, 'hello', me, 5002)); say(await box.getmessage()); say(udp.close(), udp.close(), stopcomm(udp), box.close());
    const iterated = recvmess(me, 5001, { encoding: 'binary' }); sendmess(me, 5001, Uint8Array.of(1, 255)); for await (const { message } of iterated) { say(message); break; }
    const tcp = await waitforconn(me, 5001, async (ip, port, sock) => { say('tcp', ip, await sock.recv(9)); await sock.send('bye'); sock.close(); });
    const sock = await openconn(me, 5001); say(await sock.send('hi'), await sock.recv(9), sock.ip, sock.port, sock.close(), sock.close(), stopcomm(tcp));
    const second = await listenforconnection(me, 5002); createthread(async () => { const [ip, port, s] = await second.getconnection(); await s.send('second'); s.close(); });
    const other = await openconnection(me, 5002, me, 5001, 2); say(await other.recv(20)); other.close(); second.close();
    const lock = createlock(); say(await lock.acquire(), await lock.acquire(false), lock.release()); try { lock.release(); } catch (error) { say(error.name, error instanceof LockDoubleReleaseError); }
    say(canceltimer(settimer(9, say)), (await randombytes()).length, typeof randomfloat(), Object.keys(getresources()), typeof getruntime(), String(getlasterror()).slice(0, 22));
    settimer(0, (a, b) => say('timer', a, b), [1, 'x']); await sleep(0.02); setTimeout(say, 0, 'timeout'); await sleep(0.02); const bytes = crypto.getRandomValues(new Uint8Array(8)); say(bytes.length, crypto.randomUUID().length);
    say((await createvirtualnamespace('globalThis.x = f(2);').evaluate({ f: (x) => x + 1 })).x);
    for (const bad of [() => recvmess(me, 6000, say), () => openconn(me, 5001), () => sendmess(me, 0, 'x'), () => recvmess('192.0.2.1', 5001)]) { try { await bad(); say('accepted'); } catch (error) { say(error.name, error.code); } }
    try { for await (const { message } of waitforconn(me, 5002)) say(message); } catch (error) { say(error.name); }`;

  it('does what it does without one', async () => {
    const end = "log(out.join('\\n')); exitall();";
    const source = PROGRAM.replace(/\n\s*try \{ for await[^\n]*$/, '');
    const bare = await runProgram(`${source}\n${end}`, { ...PLACE, address: '127.0.3.10' });
    const layered = await runProgram(`${source}\n${end}`, { ...PLACE, address: '127.0.3.10', layers: [SAME, SAME] });
    const tidy = (log: string) => log.replace(/5\d{4}|[34]\d{4}|6\d{4}/g, 'PORT');
    assert.equal(tidy(layered.log), tidy(bare.log), layered.ending.message);
    assert.equal(layered.ending.kind, 'exitall');
    assert.ok(bare.log.split('\n').length > 18, bare.log);
  });

  it('iterates over connections without awaiting the listener first', async () => {
    const source = `setTimeout(() => openconn(getmyip(), 5002), 5); for await (const { sock } of waitforconn(getmyip(), 5002)) { log(typeof sock.close()); break; } exitall();`;
    const { log } = await runProgram(source, { ...PLACE, layers: [SAME] });
    assert.equal(log, 'boolean');
  });
});
