import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', 'demo', 'main.ts');

class Run {
  output = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(args: string[]) {
    this.child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves when the output matches; fails with the output when the program ends before. */
  async says(pattern: RegExp): Promise<void> {
    const closed = this.ended.then(() => assert.match(this.output, pattern));
    while (!pattern.test(this.output)) {
      await Promise.race([closed, once(this.child.stdout ?? this.child, 'data')]);
    }
  }
}

/** The command lines of all processes that name this directory. */
async function processesOf(directory: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(directory));
}

describe('the demonstration', function () {
  this.timeout(300_000);
  let parent: string;
  let directory: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'potluck-demonstration-'));
    directory = join(parent, 'demo');
  });
  afterEach(async () => {
    assert.deepEqual(await processesOf(parent), [], 'no process stays behind');
    await rm(parent, { recursive: true });
  });

  it('plays from registration to the matrix, ends by itself, and leaves nothing behind', async () => {
    const run = new Run(['--once', '--directory', directory]);
    assert.equal(await run.ended, 0, run.output);
    assert.match(run.output, /\[ 9\/9\] Every vessel has pinged every other eight times .*\(\d+\.\d s\)/);
    const times = run.output.match(/\d+\.\d\d ms/g) ?? [];
    assert.equal(times.length, 6, run.output);
    await assert.rejects(access(directory), { code: 'ENOENT' });
  });

  it('works with three node managers on one address, then stays up until Ctrl-C', async () => {
    const run = new Run(['--one-address', '--directory', directory]);
    await run.says(/Ctrl-C ends all of it/);
    const page = /Matrix\S*\s+(\S+)/.exec(run.output)?.[1] ?? '';
    const portal = /Portal\S*\s+(\S+)/.exec(run.output)?.[1] ?? '';
    assert.match(await (await fetch(page)).text(), /<table/);
    assert.match(await (await fetch(portal)).text(), /Potluck/);
    const second = new Run(['--once', '--directory', directory]);
    assert.equal(await second.ended, 1);
    assert.match(second.output, /expected no other demonstration in/);
    run.child.kill('SIGINT');
    assert.equal(await run.ended, 0, run.output);
    await assert.rejects(access(directory), { code: 'ENOENT' });
  });

  it('ends what an earlier one left behind that was killed', async () => {
    const killed = new Run(['--directory', directory]);
    await killed.says(/\[ 6\/9\]/);
    killed.child.kill('SIGKILL');
    await killed.ended;
    assert.notDeepEqual(await processesOf(directory), []);
    const next = new Run(['--once', '--directory', directory]);
    assert.equal(await next.ended, 0, next.output);
  });

  it('says in one sentence what is wrong with its directory, without a stack', async () => {
    await writeFile(join(parent, 'file'), '');
    const run = new Run(['--once', '--directory', join(parent, 'file', 'demo')]);
    assert.equal(await run.ended, 2);
    assert.match(run.output, /^npm start: expected a directory that can be made/m);
    assert.doesNotMatch(run.output, /\n {4}at /, 'no stack for people');
  });

  it('names the step that failed and why, and ends with a code that is not 0', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const run = new Run(['--once', '--directory', directory, '--portal-port', `${port}`]);
    const code = await run.ended;
    taken.close();
    assert.equal(code, 1, run.output);
    assert.match(run.output, /^npm start: step 2, "The clearinghouse starts .*failed: .*port/m);
  });

  it('refuses a word that it does not know', async () => {
    const run = new Run(['--twice']);
    assert.equal(await run.ended, 2);
    assert.match(run.output, /expected "npm start -- \[--once\]/);
  });
});
