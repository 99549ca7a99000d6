import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeManager } from '@potluck/nodemanager';
import { type GatewayAddress, gatewayAddressSchema, type KeyId } from '@potluck/protocol';
import { type CommandResult, Shell } from '@potluck/seash';

const CLEARINGHOUSE = fileURLToPath(new URL('../../clearinghouse-web/bin/clearinghouse.ts', import.meta.url));
const RESTRICTIONS = 'resource cpu 0.1\nresource memory 50000000\nresource diskused 1000000\n';

describe('seash browse through a real clearinghouse', function () {
  this.timeout(60_000);
  let directory: string;
  let site: ChildProcess;
  let gateway: GatewayAddress;
  let shell: Shell;
  const nodes: NodeManager[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-browse-'));
    const state = join(directory, 'clearinghouse');
    const place = ['--host', '127.0.0.1', '--port', '0', '--gateway-port', '0'];
    site = spawn(process.execPath, [CLEARINGHOUSE, 'run', '--state', state, ...place], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await Promise.race([once(site.stdout ?? assert.fail(), 'data'), once(site, 'close')]);
    assert.ok(Buffer.isBuffer(line), 'expected the clearinghouse to start');
    const address = JSON.parse(await readFile(join(state, 'address.json'), 'utf8'));
    gateway = gatewayAddressSchema.parse(address.gateway);
    shell = new Shell({ directory, clearinghouse: address.url });
  });
  after(async () => {
    await shell.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    const ended = once(site, 'close');
    site.kill();
    await ended;
    await rm(directory, { recursive: true });
  });

  const donate = async (name: string, owner: KeyId, users: KeyId[]): Promise<NodeManager> => {
    const state = join(directory, name);
    await mkdir(state, { mode: 0o700 });
    const config = {
      listen: { host: '127.0.0.1', port: 0 },
      gateway,
      vessels: [{ owner, users, restrictions: RESTRICTIONS }],
    };
    await writeFile(join(state, 'nodemanager.json'), JSON.stringify(config));
    const node = new NodeManager({ state, limits: { poolSize: 0 } });
    nodes.push(node);
    await node.start();
    return node;
  };

  /** Nodes dial in when they can; the site is asked until as many are there. */
  const browse = async (prefix: string, expected: number): Promise<CommandResult> => {
    for (;;) {
      const result = await shell.execute(`${prefix}browse`);
      assert.equal(result.ok, true, JSON.stringify(result));
      if (result.nodes === expected) return result;
    }
  };

  it('finds the vessels of the key, its own and those that it may use, and no other', async () => {
    const alice = (await shell.execute('genkeys alice')).key as KeyId;
    const bob = (await shell.execute('genkeys bob')).key as KeyId;
    const first = await donate('first', alice, []);
    const second = await donate('second', bob, [alice]);
    const found = (await browse('', 2)).vessels as { node: KeyId; owned: boolean; state: string }[];
    assert.deepEqual(
      new Map(found.map(({ node, owned, state }) => [node, [owned, state]])),
      new Map([
        [first.id, [true, 'Fresh']],
        [second.id, [false, 'Fresh']],
      ]),
    );
    const { vessels } = await browse('as bob ', 1);
    assert.equal((vessels as unknown[]).length, 1);
    assert.equal(shell.session.targets.all.length, 2);
    assert.equal((await shell.execute('on browsegood as bob list')).ok, true);
  });

  it('goes on without a node that is away, and says which', async () => {
    const alice = shell.session.identity('alice').id;
    const gone = await donate('third', alice, []);
    const { port } = gone.address;
    await browse('', 3);
    await gone.stop();
    const { ok, vessels, failed } = await shell.execute('browse');
    assert.equal(ok, true);
    assert.equal((vessels as unknown[]).length, 2);
    const reasons = (failed as { code: string; affected: string[] }[]).map(({ code, affected }) => [code, affected]);
    assert.deepEqual(reasons, [['UNREACHABLE', [`127.0.0.1:${port} or relay ${gateway.host}:${gateway.port}`]]]);
    assert.equal(shell.session.targets.resolve('browsefail').length, 1);
  });

  it('finds nothing for a key that no node names', async () => {
    await shell.execute('genkeys carol');
    assert.deepEqual((await browse('as carol ', 0)).vessels, []);
  });
});
