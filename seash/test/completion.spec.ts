import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressSchema, directly, generateIdentity, vesselInfoSchema } from '@potluck/protocol';
import { complete } from '../src/completion.ts';
import { Shell } from '../src/index.ts';

describe('completion', () => {
  let directory: string;
  let shell: Shell;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-'));
    shell = new Shell({ directory });
    await shell.execute('genkeys alice');
    await mkdir(join(directory, 'examples'));
    for (const file of ['hello.js', 'examples/ping.ts', 'my file.txt', '.hidden']) {
      await writeFile(join(directory, file), '');
    }
    const { id } = generateIdentity();
    const info = vesselInfoSchema.parse({
      name: 'v1',
      state: 'Fresh',
      since: 0,
      owner: id,
      users: [],
      ownerInformation: '',
      advertise: true,
    });
    shell.session.targets.put({
      node: id,
      reach: directly(addressSchema.parse({ host: '10.0.0.7', port: 1224 })),
      info,
    });
    await shell.execute('add %1 to mygroup');
  });
  after(async () => {
    await shell.stop();
    await rm(directory, { recursive: true });
  });

  const cases: [line: string, offers: string[], replaced: string][] = [
    ['lo', ['loadkeys ', 'loadpriv ', 'loadpub ', 'loadstate '], 'lo'],
    ['st', ['start ', 'stop '], 'st'],
    ['show r', ['resources '], 'r'],
    ['stop; upl', ['upload ', 'uploaddir '], 'upl'],
    ['list # comment up', [], ''],
    ['as ', ['alice '], ''],
    ['as alice li', ['list '], 'li'],
    ['on ', ['%1 ', '%all ', '10.0.0.7:1224:v1 ', 'mygroup '], ''],
    ['on %', ['%1 ', '%all '], '%'],
    ['on %1 - my', ['mygroup '], 'my'],
    ['on %1 - mygroup li', ['list '], 'li'],
    ['add %1 + mygroup ', ['to '], ''],
    ['on %1 as alice show i', ['identities ', 'info ', 'ip '], 'i'],
    ['help sh', ['show '], 'sh'],
    ['help show l', ['location ', 'log '], 'l'],
    ['loadkeys ', ['alice ', 'examples/'], ''],
    ['run h', ['hello.js '], 'h'],
    ['run examples/', ['examples/ping.ts '], 'examples/'],
    ['run .', ['.hidden '], '.'],
    ['run --f', ['--follow '], '--f'],
    ['run --follow -', ['--no-check '], '-'],
    ['run hello.js -', [], '-'],
    ['show log ', ['to '], ''],
    ['show log -', ['--follow '], '-'],
    ['upload my', ["'my file.txt' "], 'my'],
    ["upload 'my f", ["'my file.txt' "], "'my f"],
    ['run nowhere/', [], 'nowhere/'],
    ['add ', ['%1 ', '%all ', '10.0.0.7:1224:v1 ', 'mygroup ', 'to '], ''],
    ['add %1 ', ['to '], ''],
    ['add %1 to ', ['mygroup '], ''],
    ['genkeys x ', ['as '], ''],
    ['list ', [], ''],
    ['nonsense ', [], ''],
  ];
  for (const [line, offers, replaced] of cases) {
    it(`offers for "${line}": ${offers.join('| ') || 'nothing'}`, async () => {
      assert.deepEqual(await complete(shell.session, line), [offers, replaced]);
    });
  }
});
