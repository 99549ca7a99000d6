import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Shell } from '@potluck/seash';
import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { hashPassword } from '../../clearinghouse-web/src/password.ts';
import { Store } from '../../clearinghouse-web/src/store/store.ts';
import { Api } from '../../clearinghouse-web/test/support/api.ts';
import { BenchError } from '../src/errors.ts';
import { nodeProcesses } from '../src/node-processes.ts';
import { median, type Result, type Row } from '../src/row.ts';
import { donorKeyOf, type Site, startSite } from '../src/site.ts';

const TEACHER = 'teacher';
const PROGRAM = "log('hello', callargs[0]);\n";
const EACH = 1;
/** Their shells share two cores with all the rest here, which they do not in a class. */
const AT_ONCE = 32;
const MEMORY_BYTES = 32 * 2 ** 20;
const LOOK_MS = 50;

export interface ClassInit {
  readonly students: number;
  readonly nodes: number;
  /** Of each node. */
  readonly vessels: number;
  /** The nodes are behind routers: whoever asks them comes through the clearinghouse. */
  readonly relayed: boolean;
}

/** One of the class, with what he has done. */
interface Student extends AsyncDisposable {
  readonly name: string;
  readonly shell: Shell;
}

async function enrol(directory: string, { url }: Site, name: string): Promise<Student> {
  const api = new Api(url);
  await api.open();
  for (const answer of [await api.register(name), await api.login(name)]) {
    if (answer.status >= 300) throw failed(`${name} to have an account`, answer.body.detail);
  }
  const home = join(directory, name);
  await mkdir(home);
  const { privateJwk, publicJwk } = api.identity;
  await writeFile(join(home, `${name}.private.jwk`), JSON.stringify(privateJwk), { mode: 0o600 });
  await writeFile(join(home, `${name}.public.jwk`), JSON.stringify(publicJwk));
  await writeFile(join(home, 'hello.js'), PROGRAM);
  const shell = new Shell({ directory: home, clearinghouse: url });
  await execute({ name, shell }, `loadkeys ${name}`);
  await execute({ name, shell }, `as ${name}`);
  return { name, shell, [Symbol.asyncDispose]: async () => await shell[Symbol.asyncDispose]() };
}

async function execute({ name, shell }: Pick<Student, 'name' | 'shell'>, line: string): Promise<void> {
  const result = await shell.execute(line);
  if (!result.ok) throw failed(`"${line}" of ${name} to go well`, JSON.stringify(result));
}

/** The evening of one: he acquires, runs, reads what his programs say to their ends, and gives back. @returns ms of each. */
async function evening(student: Student): Promise<number[]> {
  const times: number[] = [];
  for (const line of [`get ${EACH} port=any`, `on %all run --follow hello.js ${student.name}`, 'on %all release']) {
    times.push(await timed(async () => await execute(student, line)));
  }
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function failed(expected: string, got: string): BenchError {
  return new BenchError('NO_FIGURE', `expected ${expected}, got ${got}`);
}

export async function measureClass(files: RuntimeFiles, init: ClassInit): Promise<Result[]> {
  const { students: count, nodes, vessels, relayed } = init;
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-class-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const state = join(directory, 'clearinghouse');
  const site = await startSite(stack, state, []);
  await using store = await Store.open(join(state, 'clearinghouse.sqlite'));
  await new Api(site.url).join(TEACHER);
  const donor = await donorKeyOf(store, TEACHER);
  const config = { gateway: site.gateway, ...(relayed && { advertise: [] }) };
  stack.use(await nodeProcesses(files, { nodes, vessels, memoryBytes: MEMORY_BYTES, donor, config }));
  while ((await store.nodes.counts()).free < nodes * vessels) await delay(LOOK_MS);

  const names = Array.from({ length: count }, (_, index) => `student_${index}`);
  const enrolled = await timedAll(names, async (name) => stack.use(await enrol(directory, site, name)));
  const hashes = await timedAll([...names, ...names], hashPassword);
  const [alone] = enrolled.results;
  if (alone === undefined) throw failed('a class', 'nobody');
  const [single, all] = [await evening(alone), await timedAll(enrolled.results, evening)];
  const what = `${count} students, one address, ${nodes * vessels} vessels ${relayed ? 'behind routers' : 'in the open'}`;
  const of = (index: number) => ({
    potluck: median(all.results.map((times) => times[index] ?? Number.NaN)),
    floor: single[index] ?? Number.NaN,
    ...({ unit: 'ms', better: 'less' } as const),
    counted:
      'all at the same moment, shells and site and nodes on the same cores / one of them alone; the median of all',
  });
  return [
    {
      ...{ row: `${what}: register and log in`, unit: 'ms', better: 'less' },
      ...{ potluck: enrolled.ms, floor: hashes.ms },
      counted: `${AT_ONCE} at the same moment, all of them in all / argon2id alone, one for each of both`,
    },
    { row: `${what}: get ${EACH}`, ...of(0) },
    { row: `${what}: run --follow to the end`, ...of(1) },
    { row: `${what}: release`, ...of(2) },
  ];
}

/** So many at the same moment as there are places; who is done makes room for the next. */
async function timedAll<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<{ ms: number; results: R[] }> {
  const began = performance.now();
  const results: R[] = [];
  const left = items.entries();
  const place = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, place));
  return { ms: performance.now() - began, results };
}

const CLASS = { students: 200, nodes: 8, vessels: 28 };

/** A class on one evening: everybody in the same room, behind one address, does the same at the same moment. */
export const classroom: Row = {
  name: 'class',
  onlyNamed: true,
  run: async (files) => await measureClass(files, { ...CLASS, relayed: false }),
};

/** The same with machines that nobody can dial. */
export const classBehindRouters: Row = {
  name: 'class-behind-routers',
  onlyNamed: true,
  run: async (files) => await measureClass(files, { ...CLASS, relayed: true }),
};
