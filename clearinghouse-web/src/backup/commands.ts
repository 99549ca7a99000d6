import { resolve } from 'node:path';
import { restore } from './restore.ts';
import { type BackupPlace, backup } from './save.ts';

const SAFE = [
  'All leases and log-ins have ended, and each vessel is emptied before it is offered again.',
  'Passwords, keys, API tokens, roles and bans are as they were then: see to what has changed since.',
].join('\n');

/** `clearinghouse backup`. */
export async function backupTo(place: BackupPlace, file: string): Promise<void> {
  const path = resolve(file);
  const { rows, cut, stopped } = await backup(place, path);
  const how = stopped ? 'a stopped clearinghouse' : 'a clearinghouse that may be running';
  process.stdout.write(`clearinghouse: ${rows} rows of ${how} are in ${path}; it has everybody's keys: keep it safe\n`);
  if (cut > 0)
    process.stdout.write(`clearinghouse: ${cut} of them had texts that are too long, and have their beginnings\n`);
}

/** `clearinghouse restore`. */
export async function restoreFrom(
  place: BackupPlace,
  file: string,
  { replace, moved }: { readonly replace: boolean; readonly moved: boolean },
): Promise<void> {
  const { rows, madeAt, aside } = await restore({ ...place, file: resolve(file), replace, moved });
  const put = aside === undefined ? '' : `, and what was there is in ${aside}`;
  process.stdout.write(`clearinghouse: ${rows} rows of ${new Date(madeAt).toISOString()} are restored${put}\n`);
  if (!moved) process.stdout.write(`${SAFE}\n`);
}
