import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type Finding, generateIdentity } from '@potluck/protocol';
import { examine } from '../src/doctor.ts';
import { statePaths } from '../src/index.ts';
import { runCli } from './daemon.ts';
import { RESTRICTIONS, TemporaryDirectory, TestNode } from './support.ts';

const found = (findings: readonly Finding[], what: string): Finding =>
  findings.find((finding) => finding.what === what) ?? assert.fail(`expected a word about the ${what}`);
const wrongs = (findings: readonly Finding[]): string[] =>
  findings.filter(({ state }) => state === 'wrong').map(({ what }) => what);

describe('nodemanager doctor', () => {
  it('finds nothing wrong with a node that runs, and says so in plain words', async () => {
    await using node = await TestNode.start();
    const findings = await examine(node.paths);
    assert.deepEqual(wrongs(findings), []);
    assert.match(found(findings, 'key').text, new RegExp(node.id));
    assert.match(found(findings, 'node manager').text, /answers on 127\.0\.0\.1 port \d+; 0 of 1 vessels run/);
    assert.match(found(findings, 'walls').text, /isolate/);
    assert.equal(found(findings, 'clearinghouse').state, 'warning');
    assert.deepEqual([found(findings, 'clock').state, found(findings, 'files').state], ['well', 'well']);
    assert.match(found(findings, 'user').text, process.getuid?.() === 0 ? /it runs as root: start it/ : /as user \d+$/);
    const status = await runCli(['status', '--state', node.directory.path, '--json']);
    assert.equal(JSON.parse(status.stdout).vessels[0].state, 'Fresh');
    const { code, stdout } = await runCli(['doctor', '--state', node.directory.path]);
    assert.equal(code, 0);
    assert.match(stdout, /^well {4}database: .* is whole$/m);
    const json: unknown = JSON.parse((await runCli(['doctor', '--state', node.directory.path, '--json'])).stdout);
    assert.deepEqual(
      (json as Finding[]).map(({ what }) => what),
      findings.map(({ what }) => what),
    );
  });

  it('changes nothing where no node has been', async () => {
    await using directory = await TemporaryDirectory.make();
    const paths = statePaths(directory.path);
    assert.deepEqual(wrongs(await examine(statePaths(`${directory.path}/nowhere`))), ['state directory']);
    assert.deepEqual(wrongs(await examine(paths)), ['configuration']);
    const { code, stdout } = await runCli(['doctor', '--state', directory.path]);
    assert.equal(code, 1);
    assert.match(stdout, /^WRONG {3}configuration: expected a node manager's configuration in /m);
    for (const path of [paths.database, paths.identity, paths.lock]) {
      await assert.rejects(stat(path), { code: 'ENOENT' });
    }
  });

  it('tells a port that another program has from one that is free', async () => {
    await using node = await TestNode.start();
    await node.manager.stop();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const vessel = { owner: node.owner.id, users: [], restrictions: RESTRICTIONS };
    const config = { listen: { host: '127.0.0.1', port }, vessels: [vessel] };
    await writeFile(node.paths.config, JSON.stringify(config));
    assert.match(
      found(await examine(node.paths), 'node manager').text,
      new RegExp(`process ${process.pid} \\(.+\\) has it$`),
    );
    await new Promise((resolve) => other.close(resolve));
    const free = found(await examine(node.paths), 'node manager');
    assert.deepEqual([free.state, /is free for it/.test(free.text)], ['warning', true]);
  });

  it('names a clearinghouse that is away, and one that is somebody else', async () => {
    await using node = await TestNode.start();
    const vessel = { owner: node.owner.id, users: [], restrictions: RESTRICTIONS };
    const withGateway = async (port: number): Promise<Finding> => {
      const gateway = { host: '127.0.0.1', port, key: generateIdentity().id };
      const config = { listen: { host: '127.0.0.1', port: 0 }, gateway, vessels: [vessel] };
      await writeFile(node.paths.config, JSON.stringify(config));
      return found(await examine(node.paths), 'clearinghouse');
    };
    const stranger = await withGateway(node.address.port);
    assert.deepEqual([stranger.state, /somebody else answers/.test(stranger.text)], ['wrong', true]);
    const clock = found(await examine(node.paths), 'clock');
    assert.deepEqual([clock.state, /^[012] s (behind|ahead of) the clearinghouse's$/.test(clock.text)], ['well', true]);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const away = await withGateway(port);
    assert.deepEqual([away.state, /cannot be reached/.test(away.text)], ['wrong', true]);
  });

  it('sees a damaged database, a key that others may read, an open directory, and too little room', async () => {
    await using node = await TestNode.start();
    await node.manager.stop();
    await chmod(node.paths.directory, 0o755);
    await chmod(node.paths.identity, 0o644);
    const { size } = await stat(node.paths.database);
    await truncate(node.paths.database, Math.floor(size / 2));
    await rm(`${node.paths.database}-wal`, { force: true });
    const huge = RESTRICTIONS.replace(/diskused \d+/, 'diskused 9007199254740991');
    const vessel = { owner: node.owner.id, users: [], restrictions: huge };
    await writeFile(node.paths.config, JSON.stringify({ listen: { host: '127.0.0.1', port: 0 }, vessels: [vessel] }));
    const future = new Date(Date.now() + 3_600_000);
    await utimes(node.paths.identity, future, future);
    const findings = await examine(node.paths);
    assert.deepEqual(wrongs(findings).sort(), ['clock', 'database', 'key']);
    assert.match(
      found(findings, 'clock').text,
      /3\d{3} s further when this node last wrote: requests of users are refused/,
    );
    assert.match(found(findings, 'files').text, /^others may read .*node\.jwk/);
    assert.equal(found(findings, 'state directory').state, 'warning');
    assert.equal(found(findings, 'disk').state, 'warning');
  });
});
