/**
 * 57 disk-fill: fills its disk by one file, by many small ones, by writes that nobody awaits; writes far
 * beyond the end. The program is ended for its disk, before anything more is written
 * expected: held
 * resource diskused 200000
 * resource filewrite 100000000
 * resource fileread 100000000
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drive } from '../scene.ts';

const LIMIT_BYTES = 200_000;
const FILE_COST_BYTES = 4096;
const WAYS: Readonly<Record<string, string>> = {
  one: "const file = await openfile('one', true); for (let at = 0; ; at += 1000) await file.writeat('x'.repeat(1000), at);",
  small: "for (let at = 0; ; at++) { const file = await openfile('small' + at, true); await file.close(); }",
  unawaited:
    "const file = await openfile('one', true); for (let at = 0; at < 1000; at++) file.writeat('x'.repeat(1000), at * 1000).catch(() => {}); await file.readat(1, 0); throw new Error('all were taken');",
  far: "const file = await openfile('far', true); for (const at of [1, 1e15, 2 ** 53, 4096]) { try { await file.writeat('x', at); log('taken'); } catch (error) { if (!(error instanceof RepyError)) throw error; } } exitall();",
  streams:
    "for (let at = 0; ; at++) { const file = await open('stream' + (at % 3), 'a'); await file.write('x'.repeat(5000)); await file.close(); }",
};

export const run: Drive = async (scene) => {
  const found: string[] = [];
  for (const [way, program] of Object.entries(WAYS)) {
    await scene.perform(program);
    const ending = await scene.ended();
    const right = way === 'far' ? ending?.kind === 'exitall' : ending?.limit?.resource === 'diskused';
    if (!right || (await scene.log()).includes('taken')) found.push(`${way}: ${ending?.kind} ${ending?.message}`);
    const used = await usedBytes(scene.files);
    if (used > LIMIT_BYTES) found.push(`${way}: ${used} bytes`);
    await scene.reset();
  }
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};

async function usedBytes(directory: string): Promise<number> {
  const names = await readdir(directory);
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(directory, name))).size + FILE_COST_BYTES),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
