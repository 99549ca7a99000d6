import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type FileName, generateIdentity, NodeClient, type VesselName } from '@potluck/protocol';
import { detectWalls } from '@potluck/vessel-runtime';
import { statePaths } from '../src/index.ts';
import { Daemon, runCli } from './daemon.ts';
import { RESTRICTIONS, TemporaryDirectory } from './support.ts';

const v1 = 'v1' as VesselName;
const PROBE = fileURLToPath(new URL('./own-user-probe.ts', import.meta.url));
const owner = generateIdentity();
const CONFIG = {
  listen: { host: '127.0.0.1', port: 0 },
  vessels: [{ owner: owner.id, users: [], restrictions: RESTRICTIONS }],
};
const OWN = 60_000;

const usersOf = async (pid: number): Promise<number[]> => {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return /^Uid:(.*)$/m.exec(status)?.[1]?.trim().split('\t').map(Number) ?? [];
};

/** @returns each path below, and the directory itself. */
async function walk(path: string): Promise<string[]> {
  if (!(await lstat(path)).isDirectory()) return [path];
  const inner = await Promise.all((await readdir(path)).map((name) => walk(join(path, name))));
  return [path, ...inner.flat()];
}

/** In a clone that only root can reach there is nobody else to become. */
const reaches = (): boolean =>
  spawnSync('setpriv', ['--reuid', `${OWN}`, '--regid', `${OWN}`, '--clear-groups', 'test', '-r', PROBE]).status === 0;

/** Without a user of that name the number is taken; with one, these tests would want its number. */
const canRun = process.getuid?.() === 0 && spawnSync('id', ['-u', 'potluck']).status !== 0 && reaches();

describe('a node manager that is started as root', () => {
  let directory: TemporaryDirectory;
  const paths = () => statePaths(directory.path);
  before(function () {
    if (!canRun) this.skip();
  });
  beforeEach(async () => {
    directory = await TemporaryDirectory.make();
    await writeFile(paths().config, JSON.stringify(CONFIG), { mode: 0o600 });
  });
  afterEach(async () => {
    await directory?.[Symbol.asyncDispose]();
  });

  it('goes on as a user of its own, in the same process, with every wall that root has', async () => {
    await using daemon = await Daemon.start(directory.path);
    assert.deepEqual(await usersOf(daemon.pid), [OWN, OWN, OWN, OWN]);
    const { address } = daemon;
    await using client = await NodeClient.connect({ address, node: address.node, identity: owner });
    const { walls } = (await client.call('GetVessels', {})).result;
    assert.deepEqual(walls.up, (await detectWalls()).up);
    const params = { vessel: v1, name: 'program.js' as FileName };
    await client.call('AddFileToVessel', params, {
      attachment: Buffer.from("log('runs'); setInterval(() => {}, 1000);"),
    });
    await client.call('StartVessel', { vessel: v1, program: params.name, args: [] });
    const inside = await vesselUsers(daemon.pid);
    // Beside vessels there may be helpers of the node manager's own.
    assert.equal(
      inside.some((uid) => uid > OWN),
      walls.up.includes('own user'),
      `${inside}`,
    );
    assert.deepEqual((await client.call('StopVessel', { vessel: v1 })).result, { state: 'Stopped' });
  });

  it('owns all of its state then, and starts again after a SIGKILL and a stop', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using daemon = await Daemon.start(directory.path);
      const owners = await Promise.all((await walk(directory.path)).map(async (path) => (await stat(path)).uid));
      assert.deepEqual([...new Set(owners)], [OWN]);
      await daemon.end(signal);
    }
  });

  it('can become a user of a vessel, and nobody else: not root, not another, in no way', async () => {
    const victim = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(victim, 'spawn');
    const { stdout, stderr } = spawnSync(process.execPath, [PROBE, directory.path, `${victim.pid}`], {
      encoding: 'utf8',
    });
    victim.kill('SIGKILL');
    assert.notEqual(stdout, '', stderr);
    const { escalated, users, ...tried } = JSON.parse(stdout);
    const isNamespaced = users.includes('60001');
    const refused = (count: number): string[] => Array.from({ length: count }, () => 'refused');
    assert.deepEqual(users, isNamespaced ? [...refused(4), '60001', '61000', 'refused'] : refused(7));
    assert.notEqual(escalated, 0);
    assert.deepEqual(tried, {
      shadow: 'EACCES',
      victim: 'EPERM',
      setuid: isNamespaced ? 'EINVAL' : 'EPERM',
      groups: [OWN],
    });
  });

  it('stays root where its user cannot get, and says so; or when it is told to', async () => {
    const state = join(directory.path, 'closed', 'state');
    await mkdir(state, { recursive: true });
    await chmod(join(directory.path, 'closed'), 0o700);
    await writeFile(statePaths(state).config, JSON.stringify(CONFIG));
    {
      await using daemon = await Daemon.start(state);
      assert.deepEqual(await usersOf(daemon.pid), [0, 0, 0, 0]);
      const { stdout } = await runCli(['doctor', '--state', state]);
      assert.match(stdout, /^note {4}user: it runs as root/m);
      const { address } = daemon;
      await using client = await NodeClient.connect({ address, node: address.node, identity: owner });
      const params = { vessel: v1, name: 'program.js' as FileName };
      await client.call('AddFileToVessel', params, { attachment: Buffer.from("log('runs');") });
      await client.call('StartVessel', { vessel: v1, program: params.name, args: [] });
    }
    await using daemon = await Daemon.start(directory.path, { more: ['--user', 'root'] });
    assert.deepEqual(await usersOf(daemon.pid), [0, 0, 0, 0]);
  });

  it('takes the user that it is told, by name or number, and no user of vessels', async () => {
    {
      await using daemon = await Daemon.start(directory.path, { more: ['--user', 'nobody'] });
      assert.deepEqual(new Set(await usersOf(daemon.pid)), new Set([65_534]));
    }
    for (const user of ['no-such-user', '60001', '-1']) {
      const { code, stderr } = await runCli(['run', '--state', directory.path, `--user=${user}`]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^nodemanager: expected a user of this machine that is neither root nor one of 60001 to 61000/,
      );
    }
  });

  it('gives away nothing that is elsewhere: no link is followed, and no second name of a file', async () => {
    await using elsewhere = await TemporaryDirectory.make();
    const file = join(elsewhere.path, 'of-root');
    await writeFile(file, '');
    await link(file, join(directory.path, 'second-name'));
    await symlink(file, join(directory.path, 'link'));
    await symlink(elsewhere.path, join(directory.path, 'directory'));
    await using _daemon = await Daemon.start(directory.path);
    assert.deepEqual([(await stat(file)).uid, (await stat(elsewhere.path)).uid], [0, 0]);
  });
});

/** @returns the users of the vessel processes below a node manager, once there are some. */
async function vesselUsers(pid: number): Promise<number[]> {
  for (;;) {
    const lines = spawnSync('ps', ['-eo', 'pid=,ppid=,uid='], { encoding: 'utf8' }).stdout.trim().split('\n');
    const users = lines.map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid);
    if (users.length > 0) return users.map(([, , uid = 0]) => uid);
    await delay(10);
  }
}
