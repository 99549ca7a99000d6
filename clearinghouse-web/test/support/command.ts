import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'clearinghouse.ts');

/** The command `clearinghouse` as a process of its own, and what it has said as an error until now. */
export function start(...args: string[]): { child: ChildProcess; words: () => string } {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.on('data', (data: Buffer) => {
    words += data.toString();
  });
  return { child, words: () => words };
}

/** @returns the exit code, and the line that is not a log line. */
export async function outcome(...args: string[]): Promise<{ code: number; sentence: string }> {
  const { child, words } = start(...args);
  const [code] = await once(child, 'close');
  const lines = words()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'));
  assert.equal(lines.length, 1, words());
  return { code, sentence: lines[0] ?? '' };
}

/** Of a command that does what it is told. @returns what it says. */
export async function obeyed(...args: string[]): Promise<string> {
  const { child, words } = start(...args);
  let said = '';
  child.stdout?.on('data', (data: Buffer) => {
    said += data.toString();
  });
  assert.deepEqual(await once(child, 'close'), [0, null], words());
  return said;
}
