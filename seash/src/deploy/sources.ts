import { basename, dirname, resolve } from 'node:path';
import { keyFilesOf, readKeyFiles } from '../keys.ts';
import { accountOf } from '../leases.ts';
import type { Context } from '../session.ts';
import type { Declared } from './declared.ts';
import { HeldVessels } from './held.ts';
import { OwnVessels, type Place } from './place.ts';

/**
 * The context in which a deployment is carried out: as the identity that it names, which is read from its key files beside
 * the declaration unless it is loaded. @throws ConfigError KEY_FILE_MISSING, KEY_FILE_BROKEN @throws CommandError NO_IDENTITY
 */
export async function contextOf(context: Context, { identity, path }: Declared): Promise<Context> {
  if (identity === undefined) return context.with({ identityName: context.identityName });
  const name = basename(identity);
  const { session } = context;
  if (!session.identities.has(name)) {
    session.addIdentity(name, await readKeyFiles(keyFilesOf(resolve(dirname(path), identity))));
  }
  return context.with({ identityName: name });
}

/** Where the deployment's vessels come from. @throws CommandError NO_CLEARINGHOUSE */
export function placeFor(context: Context, { where }: Declared): Place {
  return where === undefined ? new OwnVessels(context) : new HeldVessels(context, accountOf(context));
}
