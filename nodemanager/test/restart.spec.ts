import assert from 'node:assert/strict';
import { chmod, lstat, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type FileName, generateIdentity, NodeClient, type VesselInfo, type VesselName } from '@potluck/protocol';
import { statePaths } from '../src/index.ts';
import { Daemon } from './daemon.ts';
import { RESTRICTIONS, TemporaryDirectory } from './support.ts';

const owner = generateIdentity();
const user = generateIdentity();
const LINES = `${RESTRICTIONS}\nresource filesopened 5\nresource filewrite 10000000\nresource fileread 10000000`;
const VESSELS = ['v1', 'v2', 'v3'] as VesselName[];
const CONFIG = {
  listen: { host: '127.0.0.1', port: 0 },
  metrics: { port: 0 },
  vessels: VESSELS.map(() => ({ owner: owner.id, users: [user.id], restrictions: LINES })),
};
const PROGRAM = `const file = await openfile('written', true);
let at = 0;
for (let n = 0; n < 2000; n++) {
  const line = 'line ' + n + '\\n';
  log(line);
  await file.writeat(line, at);
  at += line.length;
  await sleep(0.001);
}
await sleep(1e6);`;
/** What others may be allowed: nothing. */
const OTHERS = 0o077;

describe('a node manager that is started again', () => {
  let directory: TemporaryDirectory;
  let client: NodeClient;
  const start = async (wrap: string[] = []): Promise<Daemon> => {
    const daemon = await Daemon.start(directory.path, { wrap });
    const { address } = daemon;
    client = await NodeClient.connect({ address, node: address.node, identity: owner });
    return daemon;
  };
  beforeEach(async () => {
    directory = await TemporaryDirectory.make();
    await writeFile(statePaths(directory.path).config, JSON.stringify(CONFIG));
  });
  afterEach(async () => {
    await client.close();
    await directory[Symbol.asyncDispose]();
  });

  const vessels = async (): Promise<VesselInfo[]> => (await client.call('GetVessels', {})).result.vessels;
  const logOf = async (vessel: VesselName): Promise<string> =>
    Buffer.from((await client.call('ReadVesselLog', { vessel })).attachment).toString();
  const retrieve = async (vessel: VesselName, name: string): Promise<string> =>
    Buffer.from(
      (await client.call('RetrieveFileFromVessel', { vessel, name: name as FileName })).attachment,
    ).toString();
  const begin = async (): Promise<void> => {
    for (const vessel of VESSELS) {
      const name = 'program.js' as FileName;
      await client.call('AddFileToVessel', { vessel, name }, { attachment: Buffer.from(PROGRAM) });
      await client.call('ChangeOwnerInformation', { vessel, text: `of ${vessel}` });
      await client.call('StartVessel', { vessel, program: name, args: [] });
    }
    for (const vessel of VESSELS) while (!(await logOf(vessel)).includes('line 20\n')) await delay(10);
  };
  const withoutState = ({ state: _state, since: _since, ending: _ending, ...rest }: VesselInfo): unknown => rest;

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`after ${signal} has every vessel, file and line of a log that it had told of, and says why none runs`, async () => {
      let before: { vessels: VesselInfo[]; logs: string[]; files: string[] };
      {
        await using daemon = await start();
        await begin();
        before = {
          vessels: await vessels(),
          logs: await Promise.all(VESSELS.map(logOf)),
          files: await Promise.all(VESSELS.map((vessel) => retrieve(vessel, 'written'))),
        };
        await daemon.end(signal);
      }
      await using _again = await start();
      const after = await vessels();
      assert.deepEqual(after.map(withoutState), before.vessels.map(withoutState));
      for (const { state, ending } of after) {
        assert.deepEqual([state, ending?.kind], ['Stale', 'restart']);
        assert.match(ending?.message ?? '', signal === 'SIGTERM' ? /was stopped/ : /ended without notice/);
      }
      for (const [index, vessel] of VESSELS.entries()) {
        const [log, file] = [await logOf(vessel), await retrieve(vessel, 'written')];
        assert.ok(log.startsWith(before.logs[index] ?? '-'), `${vessel}: ${log.slice(0, 100)}`);
        assert.ok(file.startsWith(before.files[index] ?? '-'), `${vessel}: ${file.slice(0, 100)}`);
        assert.equal(await retrieve(vessel, 'program.js'), PROGRAM);
        assert.doesNotMatch(log.trimEnd(), /^(?!line \d+$).+$/m);
      }
    });
  }

  it('leaves nothing open to others after a busy life, whatever the umask that it was started with', async () => {
    await chmod(directory.path, 0o777);
    await chmod(statePaths(directory.path).config, 0o666);
    await using daemon = await start(['/bin/sh', '-c', 'umask 000; exec "$@"', 'sh']);
    await begin();
    await assertClosed(directory.path);
    for (const vessel of VESSELS) await client.call('StopVessel', { vessel });
    const [vessel, other] = VESSELS as [VesselName, VesselName];
    await client.call('JoinVessels', { vessel, other });
    await client.call('ResetVessel', { vessel: 'v3' as VesselName });
    await assertClosed(directory.path);
    await daemon.end('SIGKILL');
    await assertClosed(directory.path);
  });
});

async function assertClosed(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined) return; // It went while we looked.
  assert.equal((facts.mode & OTHERS).toString(8), '0', path);
  if (!facts.isDirectory()) return;
  for (const name of await readdir(path).catch(() => [])) await assertClosed(join(path, name));
}
