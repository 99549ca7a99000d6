import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeManager } from '@potluck/nodemanager';
import { addressText, type Identity, type KeyId } from '@potluck/protocol';
import { Shell } from '@potluck/seash';
import { type Bulk, wordsTo } from './shells.ts';

const RESTRICTIONS = 'resource cpu 0.1\nresource memory 50000000\nresource diskused 1000000\n';

describe('seash browse through directories, without any clearinghouse', function () {
  this.timeout(60_000);
  let home: string;
  let shell: Shell;
  let me: Identity;
  const nodes: NodeManager[] = [];

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'seash-directories-'));
    shell = new Shell({ directory: home });
    await wordsTo(() => shell).well('genkeys me');
    me = shell.session.identity('me');
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
  });
  after(async () => {
    await shell.stop();
    await rm(home, { recursive: true });
  });

  const start = async (config: object, users: KeyId[] = []): Promise<NodeManager> => {
    const state = await mkdtemp(join(home, 'node-'));
    await mkdir(state, { recursive: true });
    const vessels = [{ owner: me.id, users, restrictions: RESTRICTIONS }];
    const listen = { host: '127.0.0.1', port: 0 };
    await writeFile(join(state, 'nodemanager.json'), JSON.stringify({ listen, vessels, ...config }));
    const node = new NodeManager({ state, limits: { poolSize: 0 } });
    nodes.push(node);
    await node.start();
    return node;
  };

  /** A new shell each time: what one knows, it keeps. */
  const browse = async (directories: string[]): Promise<Bulk & { nodes: number }> => {
    await using other = new Shell({ directory: home, directories });
    await wordsTo(() => other).well('loadkeys me');
    return (await other.execute('browse')) as Bulk & { nodes: number };
  };

  /** Nodes tell directories when they can; the directory is asked until as many are known. */
  const browseFor = async (count: number, directories: string[]): Promise<Bulk & { nodes: number }> => {
    for (;;) {
      const result = await browse(directories);
      if (result.nodes >= count) return result;
    }
  };

  it('finds the vessels of every node that one of the directories knows, each once', async () => {
    const [first, second] = [await start({ directory: true }), await start({ directory: true })];
    const places = [first, second].map(({ id, address }) => ({ ...address, key: id }));
    await start({ directories: places });
    await start({ directories: places.slice(0, 1) });
    await start({ directories: places.slice(1) });
    const asked = [addressText(first.address), `${second.id}@${addressText(second.address)}`];
    const { vessels, failed } = await browseFor(5, asked);
    assert.equal(vessels.length, 5, 'three nodes and the two directories themselves');
    assert.deepEqual(failed, []);
  });

  it('finds them although one directory is away, and says which', async () => {
    const [first, second] = [await start({ directory: true }), await start({ directory: true })];
    await start({ directories: [{ ...first.address, key: first.id }] });
    const away = addressText(second.address);
    await second.stop();
    const { ok, failed } = await browseFor(2, [away, addressText(first.address)]);
    assert.equal(ok, true);
    assert.deepEqual(
      failed.map(({ code, affected }) => [code, affected]),
      [['UNREACHABLE', [away]]],
    );
  });

  it('asks nobody who has another key than was said, and says so', async () => {
    const node = await start({ directory: true });
    const { ok, error } = await browse([`${me.id}@${addressText(node.address)}`]);
    assert.equal(ok, false);
    assert.equal(error?.code, 'WRONG_IDENTITY');
  });

  it('takes no directory that is no address', () => {
    for (const text of ['nowhere', 'short@127.0.0.1:1224', '127.0.0.1:1224:v1', '127.0.0.1:0', '']) {
      assert.throws(() => new Shell({ directories: [text] }), { code: 'USAGE' });
    }
  });
});
