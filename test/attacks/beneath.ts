import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PREBUILT_NAMES } from '@potluck/vessel-runtime';
import { BENEATH } from './catalogue.ts';
import { AttackError } from './errors.ts';

/** As if the program had broken its engine: native code in a vessel's Node, behind the walls that stand around it. */
const TAKEN_OVER = 'process.dlopen({ exports: {} }, process.argv[2]);\n';

export function hasCompiler(): boolean {
  return spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Makes a runtime in which native code stands in the place of the vessel process. @throws AttackError WORLD_BROKEN */
export async function beneathRuntime(directory: string): Promise<string> {
  const native = join(directory, PREBUILT_NAMES.native);
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-O1', '-pthread', '-Wall', '-o', native, BENEATH]);
  if (status !== 0) throw new AttackError('WORLD_BROKEN', `expected beneath.c to compile, got: ${stderr}`);
  await writeFile(join(directory, PREBUILT_NAMES.entry), TAKEN_OVER);
  return directory;
}
