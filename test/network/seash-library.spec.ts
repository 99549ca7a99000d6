import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generateIdentity, type Identity, saveIdentity } from '@potluck/protocol';
import { type LogEnd, Seash, type StateChange } from '@potluck/seash';
import { donate, emptyPayload, offered } from '../browser/donor.ts';
import { type Daemon, stop, World } from '../browser/world.ts';
import { PortalClient } from '../demo/portal-client.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { signal: never } = new AbortController();
const run = promisify(execFile);

describe('seash from code', function () {
  this.timeout(120_000);
  let world: World;
  let url: string;
  let session: Seash;
  let node: Daemon;
  const identity: Identity = generateIdentity();

  before(async () => {
    world = await World.create();
    ({ url } = await world.clearinghouse('--payload', await emptyPayload(world.directory)));
    await donate(world, url, { name: 'one', vessels: 2 });
    node = await donate(world, url, { name: 'two', vessels: 2 });
    const portal = new PortalClient(url, never);
    await portal.register({ username: 'alice', password: 'secret of alice' }, identity);
    const inDirectory = async (name: string, text: string) => await writeFile(join(world.directory, name), text);
    await inDirectory('forever.js', "log('up\\n');\nsettimer(1e6, () => undefined);\n");
    await inDirectory(
      'count.ts',
      'for (let i = 0; i < 3; i += 1) { log(callargs[0], i, "\\n"); await sleep(0.05); }\n',
    );
    await inDirectory('throw.js', "log('before');\nthrow new Error('on purpose');\n");
  });
  after(async () => await world[Symbol.asyncDispose]());
  beforeEach(async () => {
    session = await Seash.open({ identity, clearinghouse: url, directory: world.directory });
  });
  afterEach(async () => {
    const held = await session.browse();
    if (held.size > 0) await held.release();
    await session.close();
    await offered(url, 4);
  });

  it('acquires, runs TypeScript, follows all logs to their ends, and tells how the programs ended', async () => {
    const vessels = await session.acquire(4);
    assert.equal(vessels.size, 4);
    const runs = (await vessels.run('count.ts', ['round'])).orThrow();
    const lines: { id: string; text: string }[] = [];
    const ends: LogEnd[] = [];
    const onEnd = (end: LogEnd): void => void ends.push(end);
    for await (const { id, text } of runs.follow({ onEnd })) lines.push({ id, text });
    const byVessel = Map.groupBy(lines, ({ id }) => id);
    assert.equal(byVessel.size, 4);
    for (const own of byVessel.values()) {
      assert.deepEqual(
        own.map(({ text }) => text.trim()),
        ['round 0', 'round 1', 'round 2'],
      );
    }
    assert.deepEqual(
      ends.map(({ ending }) => ending?.exitCode),
      [0, 0, 0, 0],
    );
    const ended = await runs.ended();
    assert.deepEqual(
      ended.map(({ state, ending }) => [state, ending?.kind]),
      Array(4).fill(['Terminated', 'finished']),
    );
  });

  it('follows only what the started program says, also its last line without an end', async () => {
    const vessels = await session.acquire(1);
    await (await vessels.run('count.ts', ['first'])).ended({ everyMs: 20 });
    const runs = await vessels.run('throw.js');
    const texts: string[] = [];
    for await (const { text } of runs.follow()) texts.push(text);
    assert.match(texts[0] ?? '', /^before/);
    assert.match(texts.join('\n'), /on purpose/);
    assert.doesNotMatch(texts.join('\n'), /first/);
    const [end] = await runs.ended();
    assert.equal(end?.ending?.kind, 'error');
    assert.notEqual(end?.ending?.exitCode, 0);
  });

  it('copies files in and out, and tells of each vessel that fails and of the others', async () => {
    const vessels = await session.acquire(2);
    const [first] = vessels;
    await vessels.filter(({ id }) => id === first?.id).upload('throw.js', { as: 'here.js' });
    const read = await vessels.read('here.js');
    assert.match([...read][0]?.text ?? '', /on purpose/);
    assert.deepEqual(
      read.failed.map(({ code, affected }) => [code, affected.length]),
      [['NO_SUCH_FILE', 1]],
    );
    assert.equal(read.good.size, 1);
    assert.equal(read.bad.size, 1);
    assert.throws(() => read.orThrow(), { code: 'SOME_FAILED' });
    assert.equal((await read.bad.upload('throw.js', { as: 'here.js' })).ok, true);
    assert.equal((await vessels.read('here.js')).orThrow().results.length, 2);
    await assert.rejects(vessels.upload('nowhere'), { code: 'FILE_MISSING' });
    await assert.rejects(vessels.filter(() => false).list(), { code: 'NO_TARGET' });
  });

  it('gives vessels back, and knows why none can be had', async () => {
    await assert.rejects(session.acquire(5), { code: 'UNABLE_TO_ACQUIRE' });
    await assert.rejects(session.acquire(11), { code: 'NOT_ENOUGH_CREDITS' });
    const vessels = await session.acquire(2, { type: 'lan', idempotencyKey: 'mine' });
    const again = await session.acquire(2, { type: 'lan', idempotencyKey: 'mine' });
    assert.deepEqual([...again].map(({ id }) => id).sort(), [...vessels].map(({ id }) => id).sort());
    (await vessels.renew()).orThrow();
    (await vessels.release()).orThrow();
    assert.equal((await session.account()).credits.used, 0);
    assert.equal(session.vessels.size, 0);
    assert.equal((await vessels.release()).ok, false, 'they are not held any more');
  });

  it('ends every wait by its signal', async () => {
    const vessels = await session.acquire(1);
    const runs = await vessels.run('forever.js');
    const cancel = new AbortController();
    await assert.rejects(
      async () => {
        for await (const { text } of runs.follow({ signal: cancel.signal })) if (text === 'up') cancel.abort();
      },
      { code: 'CANCELLED' },
    );
    await assert.rejects(runs.ended({ signal: AbortSignal.abort() }), { code: 'CANCELLED' });
    await assert.rejects(session.acquire(1, { signal: AbortSignal.abort() }), { code: 'CANCELLED' });
    await assert.rejects(session.browse({ signal: AbortSignal.abort() }), { code: 'CANCELLED' });
    assert.deepEqual((await vessels.list({ signal: AbortSignal.abort() })).failed[0]?.code, 'CANCELLED');
    for await (const _ of runs.follow()) break; // Whoever stops reading leaves nothing behind.
    await vessels.stop();
  });

  it('watches states, vessels that are somebody else’s by now, and nodes that go away and come back', async () => {
    const vessels = await session.acquire(4);
    const seen: StateChange[] = [];
    const changes = vessels.watch({ everyMs: 20 })[Symbol.asyncIterator]();
    const until = async (done: (last: Record<string, string>) => boolean): Promise<void> => {
      for (;;) {
        const last = Object.fromEntries(seen.map(({ id, to }) => [id, to]));
        if (done(last)) return;
        const next = await changes.next();
        if (!next.done) seen.push(next.value);
      }
    };
    const count = (last: Record<string, string>, state: string): number =>
      Object.values(last).filter((to) => to === state).length;
    await until((last) => count(last, 'Fresh') === 4);
    await stop(node, 'SIGKILL');
    await until((last) => count(last, 'NODE_UNREACHABLE') === 2);
    node = await world.startNode('two');
    const away = seen.filter(({ to }) => to === 'NODE_UNREACHABLE').map(({ id }) => id);
    // It is at another port now, of which the session hears by `browse`.
    await eventually(async () => (await session.browse()).filter(({ id }) => away.includes(id)).size === 2);
    await until((last) => count(last, 'Fresh') === 4);
    await vessels.filter(({ id }) => id === away[0]).release();
    await until((last) => count(last, 'NO_SUCH_VESSEL') === 1);
    await changes.return?.();
  });

  describe('docs/seash-library.md', () => {
    const block = (text: string, language: string): string[] =>
      [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code = '']) => code);
    let programs: string[];
    let outputs: string[];
    let directory: string;

    before(async () => {
      const page = await readFile(join(ROOT, 'docs', 'seash-library.md'), 'utf8');
      [programs, outputs] = [block(page, 'ts'), block(page, 'text')];
      directory = join(world.directory, 'page');
      await mkdir(directory);
      await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
      await saveIdentity(join(directory, 'alice.private.jwk'), identity);
      await writeFile(join(directory, 'hello.js'), block(page, 'js').join(''));
      await writeFile(join(directory, 'forever.js'), 'settimer(1e6, () => undefined);\n');
      for (const [index, code] of programs.entries()) await writeFile(join(directory, `example${index}.ts`), code);
      const config = { extends: join(ROOT, 'tsconfig.json'), include: ['example*.ts'] };
      await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
      await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    });

    it('has examples that compile', async () => {
      assert.ok(programs.length >= 3);
      assert.equal(outputs.length, programs.length);
      const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
      await run(tsc, ['--project', directory]).catch((error: { stdout: string }) => assert.fail(error.stdout));
    });

    for (const index of [0, 1, 2]) {
      it(`has an example ${index + 1} that says what stands below it`, async () => {
        const env = { ...process.env, POTLUCK_CLEARINGHOUSE: url, NO_COLOR: '1' };
        const { stdout } = await run(process.execPath, [`example${index}.ts`], { cwd: directory, env });
        assert.equal(stdout, outputs[index]);
      });
    }
  });
});

/** Asks until it is so; the test's own time limit ends it. */
async function eventually(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, 20));
}
