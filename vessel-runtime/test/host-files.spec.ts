import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { PREBUILT_NAMES, prebuiltRuntime, runtimeFiles } from '../src/build.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { startInit, temporaryDirectory } from './helper.ts';

describe('runtime files', () => {
  it('are built once for the same sources, under a name by their content, also by two at the same time', async () => {
    await using directory = await temporaryDirectory();
    const target = join(directory.path, 'new', 'runtime');
    const [one, two] = await Promise.all([runtimeFiles(target), runtimeFiles(target)]);
    assert.deepEqual(one, two);
    assert.deepEqual(await readdir(target), [basename(one.entry)]);
    const { mtimeMs } = await stat(one.entry);
    assert.deepEqual(await runtimeFiles(target), one);
    assert.equal((await stat(one.entry)).mtimeMs, mtimeMs);
  });

  it('import nothing but modules of Node', async () => {
    await using directory = await temporaryDirectory();
    const { entry } = await runtimeFiles(directory.path);
    const imports = [
      ...(await readFile(entry, 'utf8')).matchAll(/^import\b.*?from\s+["'](.*?)["']|\bimport\(["'](.*?)["']\)/gm),
    ];
    assert.ok(imports.length > 0);
    for (const [line, one, other] of imports) assert.ok(isBuiltin(one ?? other ?? ''), line);
  });

  it('run as they are when they were made beforehand', async () => {
    await using directory = await temporaryDirectory();
    const built = await runtimeFiles(directory.path);
    await copyFile(built.entry, join(directory.path, PREBUILT_NAMES.entry));
    await copyFile(built.native, join(directory.path, PREBUILT_NAMES.native));
    await using vessel = VesselProcess.spawn(prebuiltRuntime(directory.path));
    vessel.start(startInit(''));
    assert.equal((await vessel.ended).kind, 'finished');
  });

  it('are missed with the path that was expected', async () => {
    await using directory = await temporaryDirectory();
    assert.throws(
      () => prebuiltRuntime(directory.path),
      (error: Error & { code?: string }) => error.code === 'RUNTIME_MISSING' && error.message.includes(directory.path),
    );
  });
});
