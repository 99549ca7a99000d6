import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { Api } from './support/api.ts';
import { outcome, start } from './support/command.ts';
import { eventually, temporaryDirectory } from './support/site.ts';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the command clearinghouse', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let state: string;
  let running: ChildProcess | undefined;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    state = join(directory.path, 'state');
  });
  afterEach(async () => {
    if (running !== undefined && running.exitCode === null && running.signalCode === null) {
      const exited = once(running, 'exit');
      running.kill('SIGKILL');
      await exited;
    }
    running = undefined;
    await directory[Symbol.asyncDispose]();
  });

  async function run(...more: string[]) {
    const { child, words } = start('run', '--state', state, '--port', '0', '--gateway-port', '0', ...more);
    running = child;
    assert.ok(child.stdout);
    const [line] = await once(createInterface(child.stdout), 'line');
    const address = JSON.parse(readFileSync(join(state, 'address.json'), 'utf8'));
    return { child, line: String(line), address, words };
  }

  it('warns of a password in the command line of a site, without saying it', async () => {
    const { child, words } = start('run', '--state', state, '--database', 'postgres://u:sesame@127.0.0.1:1/d');
    await once(child, 'close'); // Nobody listens there.
    assert.match(words(), /everybody on this machine can see the password in --database/);
    assert.doesNotMatch(words(), /sesame/);
  });

  it('says what it expected when the command line is wrong, with exit code 2', async () => {
    for (const args of [
      [],
      ['run'],
      ['walk', '--state', 'x'],
      ['run', '--stat', 'x'],
      ['run', '--state', 'x', '--port', 'y'],
    ]) {
      const { code, sentence } = await outcome(...args);
      assert.equal(code, 2);
      assert.match(sentence, /^clearinghouse: expected /);
    }
  });

  it('says where it is in one line and in address.json', async () => {
    const { line, address, child } = await run();
    assert.match(line, /^clearinghouse: portal at http:\/\/127\.0\.0\.1:\d+, nodes dial 127\.0\.0\.1:\d+$/);
    assert.equal(address.pid, child.pid);
    assert.ok(line.includes(address.url) && line.includes(String(address.gateway.port)));
    assert.equal((await new Api(address.url).get('/session')).status, 200);
  });

  it('says in one sentence that a port is in use, with exit code 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    for (const flags of [
      ['--port', `${port}`, '--gateway-port', '0'],
      ['--port', '0', '--gateway-port', `${port}`],
    ]) {
      const { code, sentence } = await outcome('run', '--state', state, ...flags);
      assert.equal(code, 1);
      assert.match(
        sentence,
        new RegExp(`expected port ${port} on 127.0.0.1 to be free for the (site|gateway), it is in use`),
      );
    }
    other.close();
  });

  it('refuses a second one on the same state, which harms the first in nothing', async () => {
    const { address } = await run();
    const { code, sentence } = await outcome('run', '--state', state, '--port', '0', '--gateway-port', '0');
    assert.equal(code, 1);
    assert.match(sentence, /expected no other clearinghouse/);
    assert.equal((await new Api(address.url).get('/session')).status, 200);
    assert.ok(existsSync(join(state, 'address.json')));
  });

  it('refuses a payload that is not there, and a broken key file', async () => {
    const missing = await outcome(
      'run',
      '--state',
      state,
      '--port',
      '0',
      '--gateway-port',
      '0',
      '--payload',
      '/nowhere',
    );
    assert.equal(missing.code, 1);
    assert.match(missing.sentence, /expected a payload at \/nowhere/);
    await run();
    running?.kill('SIGTERM');
    await once(running as ChildProcess, 'exit');
    await writeFile(join(state, 'gateway.jwk'), '{');
    const broken = await outcome('run', '--state', state, '--port', '0', '--gateway-port', '0');
    assert.equal(broken.code, 1);
    assert.match(broken.sentence, /expected an Ed25519 key as JWK/);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends by ${signal} with exit code 0, its backend too`, async () => {
      const { child } = await run();
      const backend = await backendOf(child);
      child.kill(signal);
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      assert.equal(isAlive(backend), false);
      assert.equal(existsSync(join(state, 'address.json')), false);
    });
  }

  it('leaves no backend behind when it is killed, and starts again on what it left', async () => {
    const { child, address } = await run();
    await (await new Api(address.url).open()).register('before');
    const backend = await backendOf(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually(async () => (isAlive(backend) ? undefined : true));
    const again = await run();
    assert.equal((await (await new Api(again.address.url).open()).login('before')).status, 200);
    assert.equal(again.address.gateway.key, address.gateway.key);
  });

  it('makes an administrator of a user while the site runs, and takes it back', async () => {
    const { address } = await run();
    const api = await new Api(address.url).join('anna');
    assert.equal((await api.get('/admin/audit')).body.code, 'NOT_ADMINISTRATOR');
    const database = new Database(join(state, 'clearinghouse.sqlite'), { readonly: true });
    const kept = database.prepare('SELECT password FROM accounts').pluck().get();
    database.close();
    assert.match(String(kept), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, 'at the full cost of a guess');
    const { child } = start('admin', 'Anna', '--state', state);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.equal((await api.get('/admin/audit')).status, 200);
    assert.deepEqual(await once(start('admin', 'anna', '--state', state, '--revoke').child, 'exit'), [0, null]);
    assert.equal((await api.get('/admin/audit')).body.code, 'NOT_ADMINISTRATOR');
    const nobody = await outcome('admin', 'nobody', '--state', state);
    assert.equal(nobody.code, 1);
    assert.match(nobody.sentence, /expected the username of an account, got "nobody"/);
    const nowhere = await outcome('admin', 'anna', '--state', join(directory.path, 'nowhere'));
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.sentence, /expected the state directory of a clearinghouse/);
    assert.equal(existsSync(join(directory.path, 'nowhere')), false);
  });

  it('checks the ledger: says that it adds up, and whose does not, with exit code 1', async () => {
    const { address, child } = await run();
    await (await new Api(address.url).open()).register('anna');
    child.kill('SIGTERM');
    await once(child, 'exit');
    assert.deepEqual(await once(start('check', '--state', state).child, 'exit'), [0, null]);
    const database = new Database(join(state, 'clearinghouse.sqlite'));
    database.exec(
      `INSERT INTO ledger (account_id, number, at, amount, balance, why)
       SELECT account_id, 2, at, 5, 14, 'policy' FROM ledger`,
    );
    database.close();
    const bad = start('check', '--state', state);
    assert.deepEqual(await once(bad.child, 'close'), [1, null]);
    assert.match(bad.words(), /account \S+: expected a balance of 15, got 14\n/);
    assert.match(bad.words(), /clearinghouse: expected a ledger that adds up, got one that does not\n$/);
  });

  for (const [text, words] of [
    ['{\n  "freeCredits": 10,\n  "renewalHours": 0\n}', /line 3: renewalHours: expected at least a minute/],
    ['{\n  "freeCredits": 100001\n}', /line 2: freeCredits: expected at most 100000/],
    ['{\n  "freeCredits": 10,\n\n  "warnings": 1\n}', /line 4: warnings: /],
  ] as const) {
    it(`refuses the policy ${text.replaceAll(/\s+/g, ' ')}, with the line`, async () => {
      const file = join(directory.path, 'policy.json');
      await writeFile(file, text);
      const { code, sentence } = await outcome('run', '--state', state, '--policy', file);
      assert.equal(code, 1);
      assert.match(sentence, /^clearinghouse: expected a policy in /);
      assert.match(sentence, words);
    });
  }

  it('stops everything from the command line, also while no site runs, and lifts it', async () => {
    const { address, child } = await run();
    await (await new Api(address.url).open()).register('anna');
    child.kill('SIGTERM');
    await once(child, 'exit');
    const stop = start('emergency-stop', '--state', state, '--reason', 'a flood');
    assert.deepEqual(await once(stop.child, 'exit'), [0, null]);
    const again = await run();
    const api = await new Api(again.address.url).open();
    await api.login('anna');
    const refused = await api.post('/vessels/acquire', { count: 1 });
    assert.equal(refused.body.code, 'STOPPED');
    assert.match(refused.body.detail, /a flood/);
    assert.deepEqual(await once(start('emergency-stop', '--state', state, '--lift').child, 'exit'), [0, null]);
    assert.equal((await api.post('/vessels/acquire', { count: 1 })).body.code, 'UNABLE_TO_ACQUIRE');
    assert.equal((await outcome('emergency-stop', '--state', state, '--reason', 'x'.repeat(501))).code, 2);
  });

  it('keeps a donor’s private key in the backend’s directory alone, for its owner’s eyes only', async () => {
    const { address, child } = await run();
    await (await new Api(address.url).open()).register('donor');
    const api = new Api(address.url);
    await api.open();
    await api.login('donor');
    const { downloadUrl } = (await api.get('/donations')).body;
    // Without a payload it says so, but only after the key was made.
    assert.equal((await api.get(downloadUrl)).body.code, 'NO_PAYLOAD');
    assert.ok(filesUnder(join(state, 'backend')).some(holdsPrivateKey), 'the key is looked for in the right way');
    child.kill('SIGTERM');
    await once(child, 'exit');
    for (const path of filesUnder(state)) {
      assert.equal(statSync(path).mode & 0o077, 0, `${path} is for its owner`);
      const isOwn = path === join(state, 'gateway.jwk') || path.startsWith(join(state, 'backend'));
      if (!isOwn) assert.equal(holdsPrivateKey(path), false, path);
    }
    for (const path of [state, join(state, 'backend')]) assert.equal(statSync(path).mode & 0o777, 0o700);
  });
});

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function holdsPrivateKey(path: string): boolean {
  return readFileSync(path).includes('"d":');
}

async function backendOf(child: ChildProcess): Promise<number> {
  return await eventually(async () => {
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('backend/main.ts'));
  });
}
