import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as poll } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './helper.ts';

const REPY = fileURLToPath(new URL('../bin/repy.ts', import.meta.url));

/** `repy --watch --json`, read object by object. */
class Watched implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(directory: string, ...args: string[]) {
    const env = { ...process.env, TMPDIR: directory };
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    this.#child = spawn(process.execPath, [REPY, '--watch', '--json', ...args], {
      cwd: directory,
      env,
      stdio: [...stdio],
    });
    assert.ok(this.#child.stdout);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @returns the next objects, by what tells them apart. */
  async next(count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) {
      const { value, done } = await this.#lines.next();
      if (done) break;
      const { type, text, message, file } = JSON.parse(value) as Record<string, string>;
      found.push([type, text ?? message ?? file].filter((part) => part !== undefined).join(' '));
    }
    return found;
  }

  async stop(): Promise<number | null> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    const [code] = await closed;
    return code as number | null;
  }

  /** Also after a test that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop();
  }
}

describe('repy --watch', () => {
  it('ends the program and runs it again when a file of it changes, and waits a broken edit out', async () => {
    await using directory = await temporaryDirectory();
    const path = (name: string) => join(directory.path, name);
    await mkdir(path('lib'));
    await writeFile(path('main.ts'), "import { name } from './lib/part.ts';\nlog(name, '\\n');\nsettimer(1e6, log);\n");
    await writeFile(path('lib/part.ts'), "export const name: string = 'one';\n");
    await using watched = new Watched(directory.path, 'main.ts');
    assert.deepEqual(await watched.next(2), ['start', 'log one ']);
    await writeFile(path('lib/part.ts'), "export const name: string = 'two';\n");
    assert.deepEqual(await watched.next(3), ['end lib/part.ts changed', 'start', 'log two ']);
    await writeFile(path('lib/part.ts'), 'export const name = ;\n');
    assert.deepEqual(await watched.next(2), ['end lib/part.ts changed', 'problem Unexpected ";"']);
    // As editors do it: another file takes its place.
    await writeFile(path('lib/part.ts~'), "export const name = 'three';\n");
    await rename(path('lib/part.ts~'), path('lib/part.ts'));
    const [change, ...after] = await watched.next(3);
    assert.match(change ?? '', /^change lib\/part\.ts~?$/);
    assert.deepEqual(after, ['start', 'log three ']);
    assert.equal(await watched.stop(), 130);
    assert.deepEqual(await watched.next(2), ['end stopped by SIGINT']);
  });

  it('runs again what has ended, and waits for a file that is missing', async () => {
    await using directory = await temporaryDirectory();
    const path = (name: string) => join(directory.path, name);
    await writeFile(path('main.js'), "import './part.js';\n");
    await using watched = new Watched(directory.path, 'main.js');
    assert.deepEqual(await watched.next(1), ['problem Could not resolve "./part.js"']);
    await writeFile(path('part.js'), "log('here\\n');\n");
    assert.deepEqual(await watched.next(4), ['change part.js', 'start', 'log here', 'end the program finished']);
    await writeFile(path('part.js'), "log('there\\n');\n");
    assert.deepEqual(await watched.next(4), ['change part.js', 'start', 'log there', 'end the program finished']);
    assert.equal(await watched.stop(), 130);
  });

  it('does not tell a broken program again because of files beside it, such as its own output', async () => {
    await using directory = await temporaryDirectory();
    const path = (name: string) => join(directory.path, name);
    await writeFile(path('main.js'), 'log(;\n');
    await using output = await open(path('w.out'), 'w');
    const child = spawn(process.execPath, [REPY, '--watch', '--json', 'main.js'], {
      cwd: directory.path,
      env: { ...process.env, TMPDIR: directory.path },
      stdio: ['ignore', output.fd, 'inherit'],
    });
    await using ended = new AsyncDisposableStack();
    ended.defer(async () => {
      const closed = once(child, 'close');
      child.kill('SIGINT');
      await closed;
    });
    const told = async (last: string): Promise<string[]> => {
      for (;;) {
        const lines = (await readFile(path('w.out'), 'utf8')).split('\n').slice(0, -1);
        const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
        if (types.at(-1) === last) return types;
        await poll(10);
      }
    };
    await told('problem');
    // While another one starts, the first has the time to see what it has written itself.
    await using other = new Watched(directory.path, 'main.js');
    assert.deepEqual(await other.next(1), ['problem Unexpected ";"']);
    await writeFile(path('main.js'), "log('mended');\n");
    assert.deepEqual(await told('end'), ['problem', 'change', 'start', 'log', 'end']);
  });

  it('heeds the restrictions file as well', async () => {
    await using directory = await temporaryDirectory();
    const path = (name: string) => join(directory.path, name);
    const limits = (events: number) =>
      `resource cpu 1\nresource memory 60000000\nresource diskused 0\nresource lograte 1000\nresource events ${events}\n`;
    await writeFile(path('main.js'), "log(getresources().limits.events, '\\n');\n");
    await writeFile(path('small'), 'resource cpus 1\n');
    await using watched = new Watched(directory.path, '--restrictions', 'small', 'main.js');
    const [failed = ''] = await watched.next(1);
    assert.match(failed, /^failed small:1: expected one of .*, got "cpus"$/);
    await writeFile(path('small'), limits(3));
    assert.deepEqual(await watched.next(4), ['change small', 'start', 'log 3 ', 'end the program finished']);
    assert.equal(await watched.stop(), 130);
  });
});
