import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeManager, statePaths } from '@potluck/nodemanager';
import type { KeyId, VesselName } from '@potluck/protocol';
import { Shell } from '@potluck/seash';
import { type Cut, Cutter } from './cutter.ts';
import { type Bulk, startNode, wordsTo } from './shells.ts';

const RESTRICTIONS =
  'resource cpu .5\nresource memory 50000000\nresource diskused 5000000\nresource events 10\nresource lograte 100000\n';
const BYTES = 300_000;
/** A black hole is only known by its silence. */
const SILENCE_MS = 8000;

describe('a network that goes away between shell and node', function () {
  this.timeout(120_000);
  let directory: string;
  let node: NodeManager;
  let cutter: Cutter;
  let shell: Shell;
  const { well } = wordsTo(() => shell);
  const paths = () => statePaths(join(directory, 'node')).vessel('v1' as VesselName);
  const old = randomBytes(BYTES);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-cut-'));
    shell = new Shell({ directory, replyTimeoutMs: SILENCE_MS });
    const owner = (await shell.execute('genkeys alice')).key as KeyId;
    node = await startNode(join(directory, 'node'), [{ owner, users: [], restrictions: RESTRICTIONS }]);
    cutter = await Cutter.start(node.address);
    await well(`contact 127.0.0.1:${cutter.address.port}`);
    await writeFile(join(directory, 'forever.js'), "log('up\\n');\nsettimer(1e6, () => undefined);\n");
  });
  after(async () => {
    await shell.stop();
    await cutter[Symbol.asyncDispose]();
    await node.stop();
    await rm(directory, { recursive: true });
  });

  const upload = async (bytes: Buffer): Promise<Bulk> => {
    await writeFile(join(directory, 'data.bin'), bytes);
    return (await shell.execute('on %1 upload data.bin')) as Bulk;
  };

  for (const cut of ['reset', 'black hole'] as Cut[]) {
    for (const after of cut === 'reset' ? [0, 1, 5000, BYTES / 2, BYTES] : [5000, BYTES]) {
      it(`in the middle of an upload leaves the old file or the new one (${cut} after ${after} bytes)`, async () => {
        await upload(old);
        const next = randomBytes(BYTES);
        cutter.cutAfter({ cut, after, way: 'up' });
        const result = await upload(next);
        assert.ok(cutter.isCut);
        const there = await readFile(join(paths().files, 'data.bin'));
        assert.ok(there.equals(result.ok ? next : old) || (!result.ok && there.equals(next)));
        assert.deepEqual(await readdir(paths().incoming), []);
        assert.equal((await upload(next)).ok, true, 'the next one is taken');
        assert.ok((await readFile(join(paths().files, 'data.bin'))).equals(next));
      });
    }

    for (const [where, way, after] of [
      ['on its way to the node', 'up', 0],
      ['in the middle of the request', 'up', 300],
      ['just before the reply', 'down', 0],
    ] as const) {
      it(`in a start: the program runs once or not at all, and seash says which (${cut} ${where})`, async () => {
        await shell.execute('on %1 stop');
        await well('on %1 reset');
        await well('on %1 upload forever.js');
        cutter.cutAfter({ cut, after, way });
        // The question that comes before a start may be what is cut; then it is asked again and the start is whole.
        const result = (await shell.execute('on %1 start forever.js')) as Bulk;
        const { state } = (await well('on %1 update')).vessels[0] ?? assert.fail();
        let ups = 0;
        do {
          const log = await shell.execute('on %1 show log');
          ups = JSON.stringify(log).split('up\\n').length - 1;
        } while (result.ok && ups === 0); // The program's first word comes a moment after its start.
        assert.deepEqual([result.ok, state, ups], result.ok ? [true, 'Started', 1] : [false, 'Fresh', 0]);
        for (const { message } of result.failed ?? []) assert.match(message, /was not started|answer/);
        if (!result.ok) await well('on %1 run forever.js');
        assert.equal((await well('on %1 update')).vessels[0]?.state, 'Started');
      });
    }
  }

  it('an upload is waited for as long as set timeout says, or as its bytes take by set uploadrate, whichever is longer', async () => {
    await upload(old);
    for (const [timeout, rate] of [
      [1, BYTES / 2],
      [2, BYTES],
    ]) {
      await well(`set timeout ${timeout}`);
      await well(`set uploadrate ${rate}`);
      cutter.cutAfter({ cut: 'black hole', after: 5000, way: 'up' });
      const beginMs = performance.now();
      const { failed } = await upload(randomBytes(BYTES));
      assert.ok(performance.now() - beginMs >= 1990, 'two seconds');
      assert.equal(failed[0]?.code, 'TIMEOUT');
      await upload(old);
    }
  });
});
