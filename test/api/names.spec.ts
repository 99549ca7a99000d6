import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { FAILURES } from '@potluck/repy-api';
import { declarations, errorClasses, values } from './declared.ts';
import { removeBuilt, run } from './vessel.ts';

/** What the language itself has. */
const LANGUAGE = new Set<string>(
  runInNewContext('Reflect.ownKeys(globalThis).filter((key) => typeof key === "string")'),
);

/** What a value of an interface is got by. */
const SAMPLES: Readonly<Record<string, string>> = {
  RepyListener: 'recvmess(getmyip(), 54321, () => {})',
  RepyMessages: 'recvmess(getmyip(), 54321)',
  RepyMessageServer: 'listenformessage(getmyip(), 54321)',
  RepySocket: '(await waitforconn(getmyip(), 63100, () => {}), await openconn(getmyip(), 63100))',
  RepyConnectionServer: 'await listenforconnection(getmyip(), 63100)',
  RepyFile: "await openfile('a', true)",
  RepyStream: "await open('a', 'w')",
  RepyLock: 'createlock()',
  RepyNamespace: "createvirtualnamespace('1')",
  RepyResources: 'getresources()',
  RepySubtle: 'crypto.subtle',
};

/** A program that is no layer has no value of it. */
const ELSEWHERE = ['RepyLayer'];

/** Programs log JSON here. */
async function ask(source: string): Promise<unknown> {
  const { log, ending } = await run(`log(JSON.stringify(${source})); exitall();`);
  assert.equal(ending.kind, 'exitall', ending.message);
  return JSON.parse(log);
}

/** What hangs on a value and on its class, but not on every object or function. */
const MEMBERS = `((value) => {
  const plain = ['constructor', 'prototype', 'length', 'name'];
  const keys = new Set();
  for (let at = value; at !== null && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at))
    for (const key of Reflect.ownKeys(at)) if (typeof key === 'string' && !plain.includes(key)) keys.add(key);
  return [...keys].sort();
})`;

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('repy.d.ts and the world of a program', () => {
  after(removeBuilt);

  it('have the same names', async () => {
    const found = (await ask('Reflect.ownKeys(globalThis).filter((key) => typeof key === "string")')) as string[];
    const declared = values.map(({ name }) => name);
    assert.deepEqual(
      sorted(found.filter((name) => !LANGUAGE.has(name))),
      sorted(declared.filter((name) => !LANGUAGE.has(name))),
    );
    assert.deepEqual(
      declared.filter((name) => !found.includes(name)),
      [],
    );
  });

  it('have of the language all but what the first of them says', async () => {
    const found = (await ask('Reflect.ownKeys(globalThis).filter((key) => typeof key === "string")')) as string[];
    assert.deepEqual(sorted([...LANGUAGE].filter((name) => !found.includes(name))), [
      'Atomics',
      'Intl',
      'SharedArrayBuffer',
      'Temporal',
      'WebAssembly',
    ]);
  });

  for (const { name, kind, members } of values.filter(
    (value) => value.members.length > 0 && !errorClasses.includes(value),
  )) {
    it(`have the same members of ${name}`, async () => {
      if (name === 'RepyError') return;
      const own = kind === 'class' ? members.filter((member) => member.static) : members;
      assert.deepEqual(await ask(`${MEMBERS}(${name})`), sorted(own.map((member) => member.name)));
      if (kind !== 'class') return;
      const made = members.filter((member) => !member.static && member.kind !== 'constructor');
      const samples = { AbortSignal: 'new AbortController().signal', URL: "new URL('a:')" };
      const sample = new Map(Object.entries(samples)).get(name) ?? `new ${name}()`;
      assert.deepEqual(await ask(`${MEMBERS}(${sample})`), sorted(made.map((member) => member.name)));
    });
  }

  for (const { name, members } of declarations.filter((each) => each.name in SAMPLES)) {
    it(`have the same members of ${name}`, async () => {
      const inherited = name === 'RepyMessages' ? ['ip', 'port', 'close'] : [];
      assert.deepEqual(
        await ask(`${MEMBERS}(${SAMPLES[name]})`),
        sorted([...inherited, ...members.map((member) => member.name)]),
      );
    });
  }

  it('know a value of each interface that has methods', () => {
    const without = declarations
      .filter(({ kind, members }) => kind === 'interface' && members.some((member) => member.kind === 'method'))
      .filter(({ name }) => !(name in SAMPLES) && !ELSEWHERE.includes(name));
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
    );
  });

  it('have the same errors, with the same codes', async () => {
    const said = errorClasses.map(({ name, doc }) => [name, /Code `(\w+)`\.$/.exec(doc.text)?.[1]]);
    assert.deepEqual(said.toSorted(), FAILURES.map((failure) => [...failure]).toSorted());
    const found = await ask(`Object.fromEntries(${JSON.stringify(FAILURES)}.map(([name]) => {
      const error = new globalThis[name]('x'); return [name, [error.code, error.name, error instanceof RepyError, error.message]];
    }))`);
    assert.deepEqual(found, Object.fromEntries(FAILURES.map(([name, code]) => [name, [code, name, true, 'x']])));
  });
});
