/**
 * Programs that take memory without end, each in a way of its own; every one of them passes any vessel's limit unless
 * something ends it.
 */
export interface Bomb {
  readonly name: string;
  readonly source: string;
  /** What it asks for is refused to it, and it goes on within its limit, if it can. */
  readonly held?: boolean;
}

const keep = (body: string) => `const all = []; for (let i = 0; ; i++) { ${body} }`;
/** Catches what can be caught and goes on, fifty times. */
const insist = (body: string) =>
  `const all = []; for (let i = 0; i < 50; i++) { try { ${body} } catch { all.length >>= 1; } }\nexitall();`;

export const BOMBS: readonly Bomb[] = [
  { name: 'heap objects', source: keep('all.push({ i, next: all[i - 1] });') },
  { name: 'array spread', source: 'let all = [1, 2, 3]; for (;;) all = [...all, ...all];' },
  { name: 'strings', source: keep("all.push('x'.repeat(50) + i);") },
  { name: 'flat strings', source: keep("all.push(('x'.repeat(1e6) + i).split(''));") },
  { name: 'Map', source: 'const all = new Map(); for (let i = 0; ; i++) all.set(i, i);' },
  { name: 'properties', source: "const all = {}; for (let i = 0; ; i++) all['p' + i] = i;" },
  { name: 'Symbol.for', source: "for (let i = 0; ; i++) Symbol.for('s' + i);" },
  { name: 'array fill', source: 'const all = new Array(3e8).fill(1);' },
  { name: 'arrays of doubles', source: keep('all.push(new Array(1000).fill(1.5));') },
  { name: 'closures', source: keep('all.push(() => i + all.length);') },
  { name: 'promises', source: keep('all.push(new Promise((r) => all.push(r)).then(() => i));') },
  { name: 'WeakRefs', source: keep('all.push(new WeakRef({ i }));') },
  { name: 'generators', source: keep('const g = (function* () { yield i; })(); g.next(); all.push(g);') },
  {
    name: 'error stacks',
    source:
      'const all = []; const deep = (n) => (n > 0 ? deep(n - 1) : all.push(new Error("deep")));\nfor (;;) { deep(1000); all.at(-1).stack; }',
  },
  { name: 'typed arrays', source: insist('all.push(new Uint8Array(1e6).fill(1));'), held: true },
  { name: 'small typed arrays', source: keep('all.push(new Uint8Array(100).fill(1));') },
  { name: 'one huge buffer', source: insist('all.push(new ArrayBuffer(2 ** 30));'), held: true },
  {
    name: 'resizable buffers',
    source: insist(
      'const b = new ArrayBuffer(1, { maxByteLength: 2 ** 30 }); b.resize?.(2 ** 29); all.push(new Uint8Array(b).fill(1));',
    ),
    held: true,
  },
  { name: 'BigInt', source: 'let n = 3n; for (;;) n *= n;' },
  { name: 'many BigInts', source: keep('all.push(2n ** 100000n + BigInt(i));') },
  { name: 'JSON.parse, nested', source: "const text = '['.repeat(5e6); for (;;) try { JSON.parse(text); } catch {}" },
  { name: 'JSON.parse, wide', source: "JSON.parse('[' + '1,'.repeat(2e7) + '1]');" },
  {
    name: 'JSON.stringify',
    source:
      "const all = Array(1e6).fill({ a: 'x'.repeat(100) }); for (const kept = []; ; ) kept.push(JSON.stringify(all));",
  },
  {
    name: 'regular expression',
    source:
      "for (const all = []; ; ) try { const r = new RegExp('(a|b)'.repeat(20000) + all.length); r.test('ab'.repeat(99)); all.push(r); } catch (e) { all.push(e); }",
  },
  { name: 'matches', source: "const text = 'ab'.repeat(1e6); for (const all = []; ; ) all.push(text.match(/a/g));" },
  {
    name: 'replace',
    source:
      "let text = 'a'; for (const all = []; ; ) { text = text.replace(/a/g, 'aa'); if (text.length > 1e6) { all.push(text); text = 'a'; } }",
  },
  { name: 'split', source: "const text = 'a,'.repeat(1e6); for (const all = []; ; ) all.push(text.split(','));" },
  {
    name: 'sorting',
    source: 'const all = []; for (;;) { for (let i = 0; i < 1e5; i++) all.push(String(i)); all.sort(); }',
  },
  {
    name: 'toLocaleString',
    source: keep("all.push((i * 1.1).toLocaleString('de'), new Date(i).toLocaleString('ja'), 'x'.localeCompare('y'));"),
  },
  { name: 'normalize', source: keep("all.push(('\\u00e9'.repeat(1e4) + i).normalize('NFD'));") },
  {
    name: 'huge log',
    source: "const text = 'x'.repeat(4e8); for (let i = 0; i < 5; i++) log(text); exitall();",
    held: true,
  },
  {
    name: 'huge message',
    source:
      "const text = 'x'.repeat(4e8); for (let i = 0; i < 50; i++) try { sendmess('127.0.0.1', 54321, text).catch(() => {}); } catch {}\nexitall();",
    held: true,
  },
  { name: 'huge error', source: "throw new Error('x'.repeat(3e8));", held: true },
  {
    name: 'TextEncoder',
    source: insist("all.push(new TextEncoder().encode('x'.repeat(1e6)));"),
    held: true,
  },
  { name: 'structuredClone', source: 'let all = [[1]]; for (;;) all = [structuredClone(all), structuredClone(all)];' },
  { name: 'random bytes', source: 'const all = []; for (;;) all.push(crypto.getRandomValues(new Uint8Array(65536)));' },
  { name: 'unhandled tasks', source: 'const go = () => { queueMicrotask(go); queueMicrotask(go); }; go();' },
];
