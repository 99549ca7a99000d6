import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { NodeManager } from '@potluck/nodemanager';
import type { KeyId } from '@potluck/protocol';
import { Shell } from '@potluck/seash';
import { type Bulk, startNode } from './shells.ts';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'seash/bin/seash.ts');
const RESTRICTIONS = `
resource cpu 0.5
resource memory 50000000
resource diskused 1000000
resource events 50
resource insockets 10
resource outsockets 10
resource lograte 100000
resource netsend 100000
resource netrecv 100000
resource loopsend 100000
resource looprecv 100000
`;

describe('deployments on the command line', function () {
  this.timeout(300_000);
  let directory: string;
  let shell: Shell;
  let node: NodeManager;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-deploy-cli-'));
    shell = new Shell({ directory });
    const owner = (await shell.execute('genkeys alice')).key as KeyId;
    const vessels = [63101, 63102, 63103].map((port) => {
      const ports = `resource messport ${port}\nresource connport ${port}\ndestination allow 127.0.0.1 63101-63103\n`;
      return { restrictions: RESTRICTIONS + ports, owner, users: [] };
    });
    node = await startNode(join(directory, 'node'), vessels);
    await shell.execute(`contact 127.0.0.1:${node.address.port}`);
  });
  after(async () => {
    await shell.stop();
    await node.stop();
    await rm(directory, { recursive: true });
  });
  afterEach(async () => await shell.execute('on %all reset'));

  const seash = (args: string[]) => {
    const child = spawn(process.execPath, [BIN, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = once(child, 'close');
    const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(([out, err, [code]]) => {
      return { out, err, code: code as number | null };
    });
    return { child, ended };
  };
  const run = async (...args: string[]) => await seash(args).ended;
  const declare = async (more: object): Promise<void> => {
    const facts = { name: 'work', identity: 'alice', nodes: [`127.0.0.1:${node.address.port}`], ...more };
    await writeFile(join(directory, 'd.yaml'), JSON.stringify(facts));
  };

  it('the example of the page is the one in examples/, and runs', async () => {
    const page = await readFile(join(ROOT, 'docs/deployments.md'), 'utf8');
    const example = await readFile(join(ROOT, 'examples/deployments/all-pairs-ping.yaml'), 'utf8');
    assert.equal(/```yaml\n([\s\S]*?)```/.exec(page)?.[1], example);
    const here = example
      .replace('../all-pairs-ping', join(ROOT, 'examples/all-pairs-ping'))
      .replace('10.0.0.7:1224', `127.0.0.1:${node.address.port}`)
      .replaceAll(/ {2}- 10\..*\n/g, '');
    await writeFile(join(directory, 'd.yaml'), `identity: alice\n${here}`);
    const { code, out, err } = await run('apply', 'd.yaml', '--yes');
    assert.deepEqual([code, err], [0, ''], out);
    assert.match(out, /^(\+ create .*\n){3}all-pairs-ping [0-9a-f]{12}: 3 created\.\n$/);
    for (;;) {
      const logs = ((await shell.execute('show log')) as Bulk).vessels.map((vessel) => String(vessel.text));
      if (logs.every((log) => log.includes('matrix complete'))) return;
    }
  });

  it('diff ends with 0 for nothing, 2 for something, 1 when it cannot be told; --json prints it', async () => {
    await writeFile(join(directory, 'worker.js'), 'settimer(1e6, () => undefined);\n');
    await declare({ program: 'worker.js', rollout: { healthyAfter: '1ms' } });
    const before = await run('diff', 'd.yaml');
    assert.deepEqual([before.code, before.err], [2, '']);
    assert.match(before.out, /^work [0-9a-f]{12}:\n(\+ create {2}127\.0\.0\.1:\d+:v[123] {2}it is free\n){3}$/);
    const applied = JSON.parse((await run('apply', '--json', 'd.yaml')).out);
    assert.deepEqual([applied.command, applied.ok, applied.changes.length], ['apply', true, 3]);
    const after = await run('diff', 'd.yaml');
    assert.deepEqual([after.code, after.out], [0, `work ${applied.version}: nothing to do.\n`]);
    await writeFile(join(directory, 'broken.yaml'), 'name: work\nprogam: worker.js\n');
    const broken = await run('diff', 'broken.yaml');
    assert.equal(broken.code, 1);
    assert.match(broken.err, /^seash: broken\.yaml:1:1: .*broken\.yaml:2:1: .*did you mean "program"/);
    assert.deepEqual([(await run('diff')).code, (await run('apply', '--wach', 'd.yaml')).code], [2, 2]);
    const destroyed = await run('destroy', 'd.yaml');
    assert.deepEqual([destroyed.code, destroyed.out.split('\n').at(-2)], [0, 'work: 3 removed.']);
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    it(`an apply that is ended by ${signal} in the middle is completed by the next one`, async () => {
      await writeFile(join(directory, 'worker.js'), `log('${signal}');settimer(1e6, () => undefined);\n`);
      await declare({ program: 'worker.js', rollout: { healthyAfter: '1h' } });
      const { child, ended } = seash(['apply', 'd.yaml']);
      for (;;) {
        const { vessels } = (await shell.execute('list')) as Bulk;
        if (vessels.some(({ state }) => state === 'Started')) break;
        assert.equal(child.exitCode, null, 'it has ended before it began');
      }
      child.kill(signal);
      await ended;
      await declare({ program: 'worker.js', rollout: { healthyAfter: '1ms' } });
      assert.equal((await run('apply', 'd.yaml')).code, 0);
      const { vessels } = (await shell.execute('list')) as Bulk;
      assert.deepEqual(
        vessels.map(({ state }) => state),
        Array(3).fill('Started'),
      );
      assert.match((await run('apply', 'd.yaml')).out, /is as declared, nothing was to be done\.\n$/);
    });
  }
});
