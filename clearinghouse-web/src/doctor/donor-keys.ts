import { existsSync } from 'node:fs';
import { describeError, type Finding, type KeyId, well, wrong } from '@potluck/protocol';
import type { KeyTables } from '../backend/keys.ts';
import { openDatabase, openKysely } from '../store/database.ts';
import { faultOf, isPostgresUrl } from '../store/postgres.ts';

const WHAT = "donors' keys";

/** Whether there is the private part of every key that owns what was donated: without it a machine is of no use. */
export async function aboutDonorKeys({ main, keys }: { main: string; keys: string }): Promise<Finding> {
  if (isMissing(main)) return well(WHAT, 'there are none yet');
  // To open what is not there would make it.
  const own = isMissing(keys) ? undefined : openKysely<KeyTables>(keys);
  const accounts = openDatabase(main);
  try {
    const rows = (await own?.selectFrom('donor_keys').select('key').execute()) ?? [];
    const kept = new Set(rows.map(({ key }) => key));
    const named = await accounts
      .selectFrom('accounts')
      .select('donor_key')
      .where('donor_key', 'is not', null)
      .execute();
    const lost = named.filter(({ donor_key }) => !kept.has(donor_key as KeyId)).length;
    if (lost === 0) return well(WHAT, `all ${named.length} are there`);
    const anew = '"clearinghouse run --new-keys-database" once, and have these donors install again';
    const remedy = `restore a backup of both, or ${anew}`;
    const which = `${lost} of ${named.length}`;
    if (own !== undefined) return wrong(WHAT, `${which} are missing from their database: ${remedy}`);
    const name = 'name --keys-database as the site does';
    return wrong(WHAT, `there is no ${keys}, which should have ${which}: ${name}, or ${remedy}`);
  } catch (error) {
    return wrong(WHAT, describeError(faultOf(keys, error) ?? error));
  } finally {
    await own?.destroy();
    await accounts.destroy();
  }
}

/** Whether there is no such file; of a PostgreSQL it says itself. */
export function isMissing(location: string): boolean {
  return !isPostgresUrl(location) && !existsSync(location);
}
