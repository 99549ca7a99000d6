/**
 * 74 log-inject: logs and throws line ends, escapes of terminals, JSON that looks like a record, half characters and NUL
 * expected: held
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { statePaths } from '@potluck/nodemanager';
import type { Drive } from '../scene.ts';

const EVIL = '\u001b[2J\u001b]0;title\u0007\r\n{"level":60,"msg":"forged"}\n\0\u009b31m\ud800\u202e<script>';
const PROGRAM = `log(${JSON.stringify(EVIL)}); throw new Error(${JSON.stringify(EVIL)});`;

export const run: Drive = async (scene) => {
  await scene.perform(PROGRAM);
  const ending = await scene.ended();
  const found: string[] = [];
  if (ending?.kind !== 'error' || /\p{Cc}/u.test(ending.message)) found.push('an ending with control characters');
  if (!ending?.message.isWellFormed()) found.push('an ending with half characters');
  // Its own log is its own text, as it was: who shows it makes it printable. The daemon's log is not its own.
  if (!(await scene.log()).startsWith(EVIL.toWellFormed())) found.push('another log');
  const { log } = statePaths(join(scene.world.directory, 'state'));
  const lines = (await readFile(log, 'utf8')).trim().split('\n');
  for (const line of lines) {
    if (line.startsWith('{"start":')) continue;
    const record = JSON.parse(line) as Record<string, unknown>;
    if (record.msg === 'forged') found.push('a record of the daemon');
  }
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};
