import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, type FileName, type VesselName } from '@potluck/protocol';
import { LAYER_LIMITS } from '@potluck/repy-api';
import { NodeManager, statePaths } from '../src/index.ts';
import { loadLayers, oneFile } from '../src/layers.ts';
import { TemporaryDirectory, TestNode } from './support.ts';

const vessel = 'v1' as VesselName;

/** Runs a program in a vessel of a node to its end. @returns its log, and how it ended */
async function runOn(node: TestNode, source: string): Promise<{ log: string; message: string | undefined }> {
  const client = await node.client(node.user);
  const program = 'program.js' as FileName;
  await client.call('AddFileToVessel', { vessel, name: program }, { attachment: Buffer.from(source) });
  await client.call('StartVessel', { vessel, program, args: ['argument'] });
  for (;;) {
    const [info] = (await client.call('GetVessels', {})).result.vessels;
    if (info?.state !== 'Started') {
      const log = Buffer.from((await client.call('ReadVesselLog', { vessel })).attachment).toString();
      return { log, message: info?.ending?.message };
    }
    // Only a request can tell; this is how a shell waits.
    await delay(10);
  }
}

async function write(directory: TemporaryDirectory, files: Record<string, string>): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    paths.push(join(directory.path, name));
    await writeFile(join(directory.path, name), text);
  }
  return paths;
}

describe('layers of a node’s owner', () => {
  it('stand under every program of the node, in their order, and the node names them', async () => {
    await using directory = await TemporaryDirectory.make();
    const layers = await write(directory, {
      'first.ts': "const mark: string = 'first'; layer.wrap('log', (text: string) => log(mark + '(' + text + ')'));",
      'second.js': "layer.wrap('log', (text) => log('second(' + text + ')')); layer.forbid('exitall');",
    });
    await using node = await TestNode.start({ config: { layers } });
    const program = 'try { exitall(); } catch (error) { log(error.code, typeof layer, callargs); }';
    const { log } = await runOn(node, program);
    assert.equal(log, 'first(second(RESOURCE_FORBIDDEN undefined ["argument"]))');
    const client = await node.client(node.user);
    assert.deepEqual((await client.call('GetVessels', {})).result.layers, ['first.js', 'second.js']);
  });

  it('name themselves when they end a program by a fault of their own', async () => {
    await using directory = await TemporaryDirectory.make();
    const layers = await write(directory, { 'broken.js': '\nnull.x;' });
    await using node = await TestNode.start({ config: { layers } });
    const { message } = await runOn(node, "log('ran');").catch((error: Error) => ({ message: error.message }));
    assert.match(message ?? '', /Cannot read properties of null .* broken\.js:2:/);
  });

  it('keep the node manager from starting when they are not as they should be, and it says which', async () => {
    await using directory = await TemporaryDirectory.make();
    const [large = '', syntax = ''] = await write(directory, {
      'large.js': `globalThis.text = "${'x'.repeat(LAYER_LIMITS.layerBytes)}";`,
      'syntax.js': '\nlet = ;',
      'good.js': '',
    });
    const good = join(directory.path, 'good.js');
    const paths = statePaths(directory.path);
    for (const [files, told] of [
      [['good.js', 'missing.js'], /layers\.1 "missing\.js": .*no such file/],
      [[large], /layers\.0 ".*large\.js": expected a layer of at most 100000 bytes as one file, got 1000\d\d/],
      [[syntax], /layers\.0 ".*syntax\.js": .*syntax\.js:2:/],
    ] as const) {
      await assert.rejects(loadLayers(files, paths), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.code, 'CONFIG_BROKEN');
        assert.match(error.message, told);
        return true;
      });
    }
    for (const [layers, code] of [
      [[join(directory.path, 'missing.js')], 'CONFIG_BROKEN'],
      [Array(LAYER_LIMITS.layers + 1).fill(good), 'CONFIG_BROKEN'],
      [[''], 'CONFIG_BROKEN'],
    ] as const) {
      const config = { listen: { host: '127.0.0.1', port: 0 }, vessels: [], layers };
      await writeFile(paths.config, JSON.stringify(config));
      await assert.rejects(new NodeManager({ state: directory.path }).start(), { code });
    }
    assert.equal((await loadLayers(Array(LAYER_LIMITS.layers).fill('good.js'), paths)).length, LAYER_LIMITS.layers);
  });

  it('are one file each where there is no bundler', async () => {
    await using directory = await TemporaryDirectory.make();
    const [typed = '', imports = '', broken = '', large = ''] = await write(directory, {
      'typed.ts': "const mark: string = 'x';\nlayer.forbid(mark);",
      'imports.js': "import { a } from './a.js';",
      'broken.js': 'let = ;',
      'large.js': ' '.repeat(LAYER_LIMITS.layerBytes + 1),
    });
    assert.deepEqual(await oneFile(typed), {
      name: 'typed.js',
      source: "const mark         = 'x';\nlayer.forbid(mark);",
    });
    await assert.rejects(oneFile(imports), { code: 'CONFIG_BROKEN', message: /in one file, .* got one that imports/ });
    await assert.rejects(oneFile(broken), { code: 'CONFIG_BROKEN', message: /a layer that compiles, got/ });
    await assert.rejects(oneFile(large), { code: 'CONFIG_BROKEN', message: /at most 100000 bytes, got 100001/ });
  });
});
