import assert from 'node:assert/strict';
import { removeRuntime } from './helper.ts';
import { runProgram } from './process-helper.ts';

/** Runs the same code here and in a vessel: what Node answers is right. */
async function agrees(code: string): Promise<void> {
  const here = await import(
    `data:text/javascript,${encodeURIComponent(`export const result = await (async () => { ${code} })();`)}`
  );
  const { log, ending } = await runProgram(`log(await (async () => { ${code} })());`);
  assert.equal(log, here.result, ending.message);
}

const MEMBERS = `['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']`;

const HOSTILE = `[undefined, null, 1, 'x', true, Symbol('x'), 1n, () => {}, {}, [], [1], [[1]], [[1, 2, 3]], [['a', 'b']], { a: 1 }, new Map([['a', 'b']]), new Proxy({}, { get() { throw new TypeError('trap'); } }),
  new Proxy({}, { ownKeys() { throw new TypeError('trap'); } }), (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })(), { toString() { throw new TypeError('mine'); } },
  { [Symbol.iterator]() { throw new TypeError('mine'); } }, { [Symbol.iterator]: 1 }, Object.create(URL.prototype), new Proxy(new URL('a:b'), {})]`;

describe('URL in a vessel', () => {
  after(removeRuntime);

  it('is parsed as everywhere: hosts, ports, paths, escapes, bases', async () => {
    await agrees(`const texts = ['http://example.org', 'HTTP://EXAMPLE.org:80/../a/./b/%2e%2E/c?d=e f#g h', 'https://u:p@h:444/', 'http://münchen.example/ü?ü#ü', 'http://0x7f.1/', 'http://[::1]:8/', 'http://[1::2:0:0:0:3]',
        'http://1.2.3.4.5', 'http://a b/', 'http://%41/', 'http://a%00b/', 'http://\\u{1F600}.la/', 'http://xn--/', 'file:///C|/x/../y', 'file://host/x', 'mailto:ada@example.org', 'data:,x%20y z', 'javascript:1', 'blob:https://example.org/1', 'a:b?c#d', 'a://b:0/', 'a:///x',
        '//x/y', '/x', '?x', '#x', '', ' \\t\\nhttp://a/ ', 'http:/a', 'http:a', 'http://', 'http://a:99999', 'http://a:b', 'http://@/', 'http://:8/', '\\ud800', 'non-special://\\u00e9/x y', 'http://a/\\\\b', 'ws://a:80', 'wss://a:443/', 'ftp://a:21/x;y=z'];
      const bases = [undefined, 'http://u@base.example:81/d/e?f#g', 'a:b', 'file:///x/y', 'nope'];
      const all = [];
      for (const text of texts) for (const base of bases) {
        const can = base === undefined ? URL.canParse(text) : URL.canParse(text, base);
        try { const url = base === undefined ? new URL(text) : new URL(text, base); all.push(can, ...${MEMBERS}.map((name) => url[name]), url.toString(), JSON.stringify(url)); }
        catch (error) { all.push(can, URL.parse(text, base), error instanceof TypeError); }
      }
      return JSON.stringify(all);`);
  });

  it('is changed part by part as everywhere, and what cannot be is let be', async () => {
    await agrees(`const values = ['', 'x', 'http', 'https:', 'mailto', 'a b', 'a:b@c', '8080', '80', '99999', '12x', 'h.example:99', '[::1]', '[x', '?q=1', '#f', '/p/../r', '\\\\', 'ü', '\\ud800', '%zz', 'a/b?c#d', null, 12];
      const urls = ['http://u:p@example.org:81/a?b#c', 'mailto:x', 'file:///a/b', 'a://b', 'https://[::1]/'];
      const all = [];
      for (const text of urls) for (const name of ${MEMBERS}.filter((name) => name !== 'href' && name !== 'origin')) for (const value of values) { const url = new URL(text); url[name] = value; all.push(url.href); }
      const url = new URL('http://a/'); url.href = 'http://b/c'; try { url.href = 'none'; } catch (error) { all.push(error instanceof TypeError, url.href); }
      try { 'use strict'; url.origin = 'x'; } catch (error) { all.push(error instanceof TypeError); }
      return JSON.stringify(all);`);
  });

  it('and its searchParams follow each other', async () => {
    await agrees(`const url = new URL('http://a/?x=1&y=%20+2#z'); const { searchParams } = url; const all = [searchParams === url.searchParams, [...searchParams].join()];
      searchParams.append('ü&=', 'a b~*'); all.push(url.href); url.search = '?n=1&n=2'; all.push([...searchParams].join(';'));
      searchParams.delete('n', '1'); all.push(url.href); searchParams.set('n', '#?'); all.push(url.href, url.search, url.hash); searchParams.delete('n'); all.push(url.href, searchParams.size);
      url.search = '??x=1'; all.push([...searchParams].join(), url.href); url.href = 'http://b/?p=q'; all.push([...searchParams].join()); searchParams.sort(); all.push(url.href);
      const mail = new URL('mailto:x?to=a%20b'); mail.searchParams.append('cc', 'c d'); all.push(mail.href);
      return all.join(' ');`);
  });

  it('has lists of names and values as everywhere', async () => {
    await agrees(`const all = []; const show = (params) => all.push(params.toString(), JSON.stringify([...params]), params.size);
      for (const text of ['', '?', '?a=1', '??a', 'a', '=', '=b', 'a=', 'a=b=c', '&&a=1&&', 'a+b=c+d', 'a%20b=%zz%', 'a=%C3%BC', 'a=%C3', 'a=\\u{1F600}&\\ud800=1', 'a=1;b=2', '%EF%BB%BFa=1', 'a=%00', "a=!'()*-._~"]) show(new URLSearchParams(text));
      for (const init of [{ a: 1, 'b c': 'ü' }, [['a', 'b'], ['a', 'c']], new Map([['x', 'y']]), new URLSearchParams('q=1'), undefined, null, 12, [], {}, new Set([['s', 't']]), Object.assign(() => {}, { f: 1 })]) show(new URLSearchParams(init));
      for (const init of [[['a']], [['a', 'b', 'c']], [1], [null], ['a'], { [Symbol('x')]: 1 }, { [Symbol.iterator]: 1 }, Symbol('x')]) try { show(new URLSearchParams(init)); } catch (error) { all.push(error instanceof TypeError); }
      const p = new URLSearchParams('a=1&b=2&a=3&c=&a=1');
      all.push(p.get('a'), p.get('z'), p.getAll('a').join(), p.has('a', '3'), p.has('a', '9'), p.has('a', undefined), [...p.keys()].join(), [...p.values()].join(), [...p.entries()].join());
      p.set('a', 'x'); show(p); p.set('new', 'y'); show(p); p.delete('b'); show(p); p.append(null, undefined); show(p); p.forEach(function (value, name, list) { all.push(value, name, list === p, this.me); }, { me: 7 });
      let seed = 1; const next = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
      for (let size = 0; size < 40; size++) { const q = new URLSearchParams(Array.from({ length: size }, (_, i) => [['b', 'a', 'ab', '\\uffff', '\\u{10000}', ''][next(6)], String(i)])); q.sort(); all.push(q.toString()); }
      for (const call of [() => p.append('a'), () => p.get(), () => p.has(), () => p.delete(), () => p.set('a'), () => p.getAll(), () => p.forEach(1), () => new URL(), () => URL.canParse(), () => URLSearchParams(), () => URL('a:'), () => p.append(Symbol(), 1)]) try { call(); all.push('accepted'); } catch (error) { all.push(error instanceof TypeError); }
      all.push(String(p), Object.prototype.toString.call(p), Object.prototype.toString.call(new URL('a:')), URL.length, p[Symbol.iterator] === p.entries);
      const during = new URLSearchParams('a=1&b=2&c=3'); for (const [name] of during) { all.push(name); if (name === 'a') during.delete('b'); }
      return JSON.stringify(all.slice(0, -6)) + all.slice(-3);`);
  });

  it('is refused when it is too long, and costs no more than it may', async () => {
    const source = `const most = 65536; const long = 'a:' + 'x'.repeat(most); const url = new URL('http://a/' + 'x'.repeat(most - 9)); const refused = [];
      for (const call of [() => new URL(long), () => new URL('x', long), () => { url.hash = 'x'.repeat(most + 1); }, () => { new URL('a:').href = long; }]) try { call(); refused.push('accepted'); } catch (error) { refused.push(error instanceof TypeError); }
      const grown = new URL('http://a/'); grown.pathname = '\\u{1F600}'.repeat(most / 2); refused.push(grown.href.length);
      for (const call of [() => { grown.port = '8'; }, () => grown.searchParams.append('a', 'b'), () => { grown.href = 'a:'; grown.port = 1; }]) try { call(); refused.push('done'); } catch (error) { refused.push(error instanceof TypeError); }
      log(URL.canParse(long), URL.parse(long), url.href.length, refused, grown.href);`;
    assert.equal(
      (await runProgram(source)).log,
      'false null 65536 [true, true, true, true, 393225, true, true, "done"] a:',
    );
  });

  it('is refused as a TypeError when it is something else', async () => {
    const source = `const bad = ${HOSTILE}; const url = () => new URL('http://a/?b=c'), list = () => new URLSearchParams('a=1');
      const calls = [(v) => new URL(v), (v) => new URL('x', v), (v) => URL.canParse(v, v), (v) => URL.parse(v), (v) => new URLSearchParams(v), ...${MEMBERS}.map((name) => (v) => { url()[name] = v; }), ...['append', 'delete', 'get', 'getAll', 'has', 'set', 'forEach'].map((name) => (v) => list()[name](v, v)),
        (v) => URL.prototype.toString.call(v), (v) => URLSearchParams.prototype.append.call(v, 1, 2), (v) => Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call(v), (v) => [...URLSearchParams.prototype.entries.call(v)]];
      let count = 0; for (const call of calls) for (const value of bad) { count++; try { call(value); } catch (error) { if (!(error instanceof TypeError)) log(error); } }
      log(count === calls.length * bad.length);`;
    assert.equal((await runProgram(source)).log, 'true');
  });

  it('are shown as their text by log', async () => {
    const source = "const url = new URL('https://example.org/a?b=c d'); log(url, url.searchParams, [url]);";
    const text = 'https://example.org/a?b=c%20d';
    assert.equal((await runProgram(source)).log, `${text} b=c+d [${text}]`);
  });
});

describe('crypto.subtle.digest in a vessel', () => {
  after(removeRuntime);

  it('gives the digests of all four algorithms, of bytes of any kind and length', async () => {
    await agrees(`const hex = async (name, data) => new Uint8Array(await crypto.subtle.digest(name, data)).toHex(); const all = [];
      const bytes = Uint8Array.from({ length: 300000 }, (_, i) => (i * 31) % 251);
      for (const name of ['SHA-1', 'SHA-256', 'sha-384', { name: 'SHA-512' }]) for (const length of [0, 1, 55, 64, 1000, 262143, 262144, 262145, 300000]) all.push(await hex(name, bytes.subarray(0, length)));
      for (const data of [bytes.buffer, new DataView(bytes.buffer, 3, 5), new Uint16Array(bytes.buffer, 2, 9), new Float64Array(3)]) all.push(await hex('SHA-256', data));
      const copied = bytes.slice(0, 10); const first = crypto.subtle.digest('SHA-1', copied); copied.fill(0); all.push(new Uint8Array(await first).toHex(), (await first) instanceof ArrayBuffer);
      return all.join();`);
  });

  it('rejects what is no algorithm, no bytes, or too many', async () => {
    const source = `const bad = ${HOSTILE}; let count = 0;
      for (const value of bad) for (const args of [[value, new Uint8Array(1)], ['SHA-256', value], [{ name: value }, new Uint8Array(1)], [value, value]]) { count++; const made = crypto.subtle.digest(...args); try { await made; log('accepted', args[0]); } catch (error) { if (error.code !== 'ARGUMENT' && error.message !== 'trap' && !(error instanceof TypeError)) log(error); } }
      for (const name of ['MD5', 'sha256', 'SHA-256 ', 'x'.repeat(1e6), '__proto__']) await crypto.subtle.digest(name, new Uint8Array(1)).then(() => log('accepted', name), (error) => { if (error.code !== 'ARGUMENT') log(error); });
      log(count === bad.length * 4, '');
      const most = new Uint8Array(64 * 1024 * 1024 + 1); await crypto.subtle.digest('SHA-1', most).catch((error) => log(error.code, ''));
      log(new Uint8Array(await crypto.subtle.digest('SHA-1', most.subarray(1))).length);`;
    const { log, ending } = await runProgram(source, { restrictions: 'resource memory 500000000' });
    assert.equal(log, 'true ARGUMENT 20', ending.message);
  });
});
