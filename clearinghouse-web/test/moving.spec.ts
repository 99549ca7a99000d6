import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { asOperator, type Place } from '../src/operator.ts';
import { statePaths } from '../src/paths.ts';
import { Api } from './support/api.ts';
import { obeyed, outcome, start } from './support/command.ts';
import { Peer } from './support/peer.ts';
import { PostgresServer } from './support/postgres.ts';
import { accountOf } from './support/rows.ts';
import { eventually, temporaryDirectory } from './support/site.ts';

/** `clearinghouse run`, killed when the test is over. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly address: { url: string; gateway: Parameters<Peer['advertise']>[0] };

  private constructor(child: ChildProcess, address: Running['address']) {
    this.#child = child;
    this.address = address;
  }

  static async begin({ state, database }: Place): Promise<Running> {
    const where = database === undefined ? [] : ['--database', database];
    const { child, words } = start('run', '--state', state, '--port', '0', '--gateway-port', '0', ...where);
    assert.ok(child.stdout);
    const said = once(createInterface(child.stdout), 'line');
    const ended = once(child, 'exit').then(() => assert.fail(`expected it to run, got: ${words()}`));
    ended.catch(() => undefined);
    await Promise.race([said, ended]);
    return new Running(child, JSON.parse(readFileSync(join(state, 'address.json'), 'utf8')));
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

describe('the command lines of backups', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let state: string;
  let file: string;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    state = join(directory.path, 'state');
    file = join(directory.path, 'move.backup');
  });
  afterEach(async () => await directory[Symbol.asyncDispose]());

  async function backedUp(): Promise<void> {
    await using site = await Running.begin({ state });
    await site.stop();
    await asOperator({ state }, async (store) => await accountOf(store, 'anna'));
    assert.match(
      await obeyed('backup', file, '--state', state),
      /^clearinghouse: \d+ rows of a stopped clearinghouse are in /,
    );
  }

  it('move a clearinghouse from SQLite to PostgreSQL as the documentation says it, leases and log-ins included', async function () {
    await using server = await PostgresServer.start();
    if (server === undefined) return this.skip();
    const database = await server.createDatabase();
    await using old = await Running.begin({ state });
    const user = await new Api(old.address.url).join('user');
    const account = async (place: Place) =>
      await asOperator(place, async (store) => await store.accounts.byUsername('user'));
    const donorKey = await eventually(async () => (await account({ state }))?.donor_key);
    await using peer = await new Peer(donorKey, 2).listen();
    await peer.advertise(old.address.gateway);
    await eventually(async () => ((await user.get('/')).body.free === 2 ? true : undefined));
    assert.equal((await user.post('/vessels/acquire', { count: 1 })).status, 201);
    const held = (await user.get('/vessels')).body.vessels.map(({ handle }) => handle);
    await peer.hangUp();
    await old.stop();
    const before = peer.done.length;

    const moved = { state: join(directory.path, 'new'), database };
    const there = ['--state', moved.state, '--database', database];
    await obeyed('backup', file, '--state', state);
    assert.match(await obeyed('restore', file, '--moved', ...there), /rows of .* are restored\n$/);
    assert.equal(await obeyed('check', ...there), 'clearinghouse: the ledger adds up\n');
    await using site = await Running.begin(moved);
    const again = await new Api(site.address.url).open();
    assert.equal((await again.login('user')).status, 200);
    const same = new Api(site.address.url);
    same.cookie = user.cookie;
    assert.deepEqual(
      (await same.get('/vessels')).body.vessels.map(({ handle }) => handle),
      held,
      'his log-in goes on',
    );
    await peer.advertise(site.address.gateway);
    assert.equal((await again.post('/vessels/release', { all: true })).status, 200);
    await eventually(async () => ((await again.get('/')).body.free === 2 ? true : undefined));
    const [, name] = held[0]?.split(':') ?? [];
    assert.ok(peer.done.slice(before).includes(`ResetVessel ${name}`));
    assert.equal(peer.done.slice(before).includes(`ChangeUsers ${name}`), true, 'the holder is taken off');
    assert.equal((await new Api(site.address.url).join('newcomer')).cookie === '', false, 'and numbers go on');
    await peer.hangUp();
    await site.stop();
    assert.equal(await obeyed('check', ...there), 'clearinghouse: the ledger adds up\n');
    assert.equal(existsSync(statePaths(moved.state).database), false);
  });

  it('say what they expected when they are wrong, with exit code 2, and touch nothing', async () => {
    for (const args of [
      ['backup', '--state', state],
      ['backup', file],
      ['backup', file, 'more', '--state', state],
      ['backup', file, '--state', state, '--database', 'mysql://user:secret@host/x'],
      ['restore', file, '--state', state, '--move'],
      ['restore', file, '--state', state, '--keys-database', '/var/lib/keys'],
    ]) {
      const { code, sentence } = await outcome(...args);
      assert.equal(code, 2, sentence);
      assert.match(sentence, /^clearinghouse: .*expected /);
      assert.doesNotMatch(sentence, /secret@/);
    }
    assert.deepEqual([existsSync(state), existsSync(file)], [false, false]);
  });

  it('refuse with exit code 1 and one sentence', async () => {
    const refusal = async (expected: RegExp, ...args: string[]): Promise<void> => {
      const { code, sentence } = await outcome(...args);
      assert.equal(code, 1, sentence);
      assert.match(sentence, expected);
    };
    await refusal(/expected the state directory of a clearinghouse/, 'backup', file, '--state', state);
    await backedUp();
    await refusal(/^clearinghouse: expected /, 'backup', file, '--state', state);
    await refusal(/expected an empty state directory/, 'restore', file, '--state', state);
    const target = join(directory.path, 'target');
    await refusal(/^clearinghouse: expected /, 'restore', join(directory.path, 'none'), '--state', target);
    const away = 'postgres://potluck:secret@/potluck?host=/nowhere/at/all';
    await refusal(
      /expected a PostgreSQL server .*potluck:\.\.\.@/,
      'restore',
      file,
      '--state',
      target,
      '--database',
      away,
    );
    const broken = join(directory.path, 'broken');
    await writeFile(broken, readFileSync(file).subarray(0, 200), { mode: 0o600 });
    await refusal(/a whole file/, 'restore', broken, '--state', target);
    await chmod(file, 0o644);
    await refusal(/^clearinghouse: expected /, 'restore', file, '--state', target);
    await chmod(file, 0o600);
    assert.match(await obeyed('restore', file, '--state', target), /All leases and log-ins have ended/);
  });

  it('are for a running clearinghouse too, whose backup is none to move', async () => {
    await using site = await Running.begin({ state });
    await new Api(site.address.url).join('anna');
    assert.match(await obeyed('backup', file, '--state', state), /a clearinghouse that may be running/);
    const target = join(directory.path, 'target');
    const moved = await outcome('restore', file, '--state', target, '--moved');
    assert.equal(moved.code, 1);
    assert.match(moved.sentence, /a backup of a stopped clearinghouse/);
    const over = await outcome('restore', file, '--state', state, '--replace');
    assert.equal(over.code, 1);
    assert.match(over.sentence, /expected no other clearinghouse/);
    assert.equal((await new Api(site.address.url).get('/session')).status, 200);
    await obeyed('restore', file, '--state', target);
    assert.match(await obeyed('restore', file, '--state', target, '--replace'), /before-restore-1/);
    await asOperator({ state: target }, async (store) => assert.ok(await store.accounts.byUsername('anna')));
  });
});
