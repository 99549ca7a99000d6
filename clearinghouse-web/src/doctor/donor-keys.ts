import { existsSync } from 'node:fs';
import { describeError, type Finding, type KeyId, well, wrong } from '@potluck/protocol';
import type { KeyTables } from '../backend/keys.ts';
import { openDatabase, openKysely } from '../store/database.ts';
import { faultOf, isPostgresUrl } from '../store/postgres.ts';

const WHAT = "donors' keys";

/** Whether there is the private part of every key that owns what was donated: without it a machine is of no use. */
export async function aboutDonorKeys({ main, keys }: { main: string; keys: string }): Promise<Finding> {
  for (const location of [main, keys]) {
    if (!isPostgresUrl(location) && !existsSync(location)) return well(WHAT, 'there are none yet');
  }
  const own = openKysely<KeyTables>(keys);
  const accounts = openDatabase(main);
  try {
    const kept = new Set((await own.selectFrom('donor_keys').select('key').execute()).map(({ key }) => key));
    const named = await accounts
      .selectFrom('accounts')
      .select('donor_key')
      .where('donor_key', 'is not', null)
      .execute();
    const lost = named.filter(({ donor_key }) => !kept.has(donor_key as KeyId)).length;
    if (lost === 0) return well(WHAT, `all ${named.length} are there`);
    const remedy = 'restore a backup of both, or have these donors install again';
    return wrong(WHAT, `${lost} of ${named.length} are missing from their database: ${remedy}`);
  } catch (error) {
    return wrong(WHAT, describeError(faultOf(keys, error) ?? error));
  } finally {
    await own.destroy();
    await accounts.destroy();
  }
}
