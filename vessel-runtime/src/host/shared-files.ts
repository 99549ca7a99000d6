import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeFiles } from '../build.ts';
import { mayTakeUsers, VESSEL_USERS } from './users.ts';

/** Of a directory's name: whose it is. */
const OWNER = /^potluck-runtime-(\d+)-/;

let own: string | undefined;
let given = 0;
const copies = new Map<string, RuntimeFiles>();

/**
 * Copies of the runtime files that every user of this machine can read and nobody but ours can change: a vessel's own
 * user reaches them, and all vessels share their pages. They are removed when this process exits.
 * @returns undefined when there is no place for them: we may not take other users, it is full, or what is stored here cannot be executed.
 */
export function sharedFiles(files: RuntimeFiles): RuntimeFiles | undefined {
  const key = `${files.entry}\n${files.native}`;
  const known = copies.get(key);
  // Somebody may have tidied up where they are.
  if (known !== undefined && existsSync(known.entry) && existsSync(known.native)) return known;
  own = own !== undefined && existsSync(own) ? own : makeDirectory();
  if (own === undefined) return undefined;
  given += 1;
  const directory = join(own, String(given));
  try {
    mkdirSync(directory);
    chmodSync(directory, 0o755); // Whatever the umask.
    const copied = { entry: copy(files.entry, directory, 'entry'), native: copy(files.native, directory, 'native') };
    copies.set(key, copied);
    return copied;
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return undefined;
  }
}

function copy(from: string, directory: string, name: string): string {
  const to = join(directory, name);
  copyFileSync(from, to);
  chmodSync(to, 0o644);
  return to;
}

/** @returns a directory of this process's own whose files can be executed. */
function makeDirectory(): string | undefined {
  if (!mayTakeUsers()) return undefined;
  for (const place of ['/run', tmpdir(), '/var/tmp']) {
    const made = tryPlace(place);
    if (made === undefined) continue;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    return made;
  }
  return undefined;
}

function tryPlace(place: string): string | undefined {
  try {
    sweep(place);
    const made = mkdtempSync(join(place, `potluck-runtime-${process.pid}-`));
    chmodSync(made, 0o755);
    const probe = join(made, 'probe');
    copyFileSync('/bin/true', probe);
    const { status } = spawnSync(probe, {
      uid: VESSEL_USERS.first,
      gid: VESSEL_USERS.first,
      env: {},
      cwd: '/',
      stdio: 'ignore',
    });
    rmSync(probe);
    if (status === 0) return made;
    rmSync(made, { recursive: true });
  } catch {
    // No such place, none of ours, or a full one.
  }
  return undefined;
}

/** Removes what a killed process left there. */
function sweep(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = OWNER.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    const path = join(place, name);
    if (lstatSync(path).uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
  }
}
