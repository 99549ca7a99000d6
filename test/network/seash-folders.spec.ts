import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeManager } from '@potluck/nodemanager';
import type { KeyId } from '@potluck/protocol';
import { Shell } from '@potluck/seash';
import { type Bulk, startNode, wordsTo } from './shells.ts';

const RESTRICTIONS = `
resource cpu 0.5
resource memory 50000000
resource diskused 1000000
resource events 10
resource lograte 100000
`;

describe('seash with folders, and what it knows of vessels', function () {
  this.timeout(120_000);
  let directory: string;
  let shell: Shell;
  let node: NodeManager;
  const { well, ended } = wordsTo(() => shell);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-folders-'));
    shell = new Shell({ directory });
    const owner = (await shell.execute('genkeys alice')).key as KeyId;
    const vessel = { restrictions: RESTRICTIONS, owner, users: [] };
    node = await startNode(join(directory, 'node'), [vessel, vessel]);
    await well(`contact 127.0.0.1:${node.address.port}`);
    await writeFile(join(directory, 'hello.ts'), "log('hello\\n');\n");
  });
  after(async () => {
    await shell.stop();
    await node.stop();
    await rm(directory, { recursive: true });
  });
  afterEach(async () => await shell.execute('on %all reset'));

  it('uploaddir sends the files of a folder that differ, and cat shows them', async () => {
    const site = join(directory, 'site');
    await mkdir(join(site, 'inner'), { recursive: true });
    await writeFile(join(site, 'index.html'), '<p>hello</p>\n');
    await writeFile(join(site, 'empty.txt'), '');
    await writeFile(join(site, '.hidden'), '');
    const first = await well('on %all uploaddir site');
    assert.deepEqual(
      [first.files, first.skipped],
      [
        ['empty.txt', 'index.html'],
        ['.hidden', 'inner'],
      ],
    );
    assert.deepEqual(new Set(first.vessels.map(({ uploaded }) => uploaded)), new Set([2]));
    await writeFile(join(site, 'index.html'), '<p>bye</p>\n');
    const second = await well('on %all uploaddir site');
    assert.deepEqual(new Set(second.vessels.map(({ uploaded }) => uploaded)), new Set([1]));
    const shown = await well('on %all cat index.html');
    assert.deepEqual(new Set(shown.vessels.map(({ text }) => text)), new Set(['<p>bye</p>\n']));
    await well('on %all delete empty.txt');
    const left = await well('show files');
    for (const { files } of left.vessels) {
      assert.deepEqual(
        (files as { name: string }[]).map(({ name }) => name),
        ['index.html'],
      );
    }
    const gone = (await shell.execute('on %all delete empty.txt')) as Bulk;
    assert.deepEqual(
      gone.failed.map(({ code, affected }) => [code, affected.length]),
      [['NO_SUCH_FILE', 2]],
    );
    const missing = (await shell.execute('on %1 cat nowhere.txt')) as Bulk;
    assert.deepEqual(
      missing.failed.map(({ code }) => code),
      ['NO_SUCH_FILE'],
    );
  });

  it('uploaddir of a folder that is refused sends nothing', async () => {
    const many = join(directory, 'many');
    await mkdir(many);
    for (const name of ['a.txt', 'bad name']) await writeFile(join(many, name), '');
    assert.equal((await shell.execute('on %1 uploaddir many')).error?.code, 'BAD_NAME');
    assert.deepEqual((await well('on %1 show files')).vessels[0]?.files, []);
  });

  it('update learns what vessels do, for conditions in targets', async () => {
    await well('on %1 run hello.ts');
    await ended('update');
    assert.deepEqual(
      (await well('on state=Terminated & ending=finished list')).vessels.map(({ id }) => id),
      ['%1'],
    );
    assert.equal((await shell.execute('on state=Started stop')).error?.code, 'NO_TARGET');
  });
});
