import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const HISTORY_LINES = 1000;

/** `POTLUCK_HISTORY`, else `.seash_history` in the user's home. */
export function historyPath(env: NodeJS.ProcessEnv): string {
  return env.POTLUCK_HISTORY || join(homedir(), '.seash_history');
}

/** The newest line first, as node:readline has it; empty when there is none yet. */
export function readHistory(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean).reverse().slice(0, HISTORY_LINES);
  } catch {
    return []; // A shell without its history is still a shell; writing tells.
  }
}

/** Written at once at every line, so that a closed window loses none; for its user alone. */
export function writeHistory(path: string, lines: readonly string[]): void {
  writeFileSync(
    path,
    lines
      .slice(0, HISTORY_LINES)
      .toReversed()
      .map((line) => `${line}\n`)
      .join(''),
    { mode: 0o600 },
  );
  chmodSync(path, 0o600);
}
