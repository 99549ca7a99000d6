import { PortalError } from '../errors.ts';
import type { Trx } from './database.ts';

/**
 * An account by its id, or as it was when somebody gave its password: then it must have that password still, so that who
 * knew the old one gets nothing at the moment at which it is changed.
 */
export type Acting = string | { readonly id: string; readonly password: string };

/**
 * First in each transaction that gives an account something of its own: one that was deleted a moment ago gets nothing any
 * more. Whoever deletes it at the same moment changes what is read here, so that one of the two comes first.
 * @returns its id. @throws PortalError NO_SUCH_ACCOUNT, WRONG_PASSWORD
 */
export async function mustBeOpen(trx: Trx, acting: Acting): Promise<string> {
  const { id, password } = typeof acting === 'string' ? { id: acting, password: undefined } : acting;
  const row = await trx
    .selectFrom('accounts')
    .select(['password', 'closed_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined || row.closed_at !== null) {
    throw new PortalError('NO_SUCH_ACCOUNT', 'expected an account that is there, got one that was deleted');
  }
  if (password === undefined || password === row.password) return id;
  throw new PortalError('WRONG_PASSWORD', 'expected the password that this account has now, it was changed just now');
}
