import { existsSync } from 'node:fs';
import { ServiceError } from './errors.ts';
import { statePaths } from './paths.ts';
import { Store } from './store/store.ts';

/** A state directory, and where its main database is if not in there. */
export interface Place {
  readonly state: string;
  readonly database?: string | undefined;
}

/**
 * What the operator does by the command line, on the database itself: it also works when no site can be reached, and a
 * running one sees it at once.
 * @throws ServiceError NO_STATE, STATE_BROKEN
 */
export async function asOperator<T>({ state, database }: Place, act: (store: Store) => Promise<T>): Promise<T> {
  if (!existsSync(state)) throw noState(state);
  const paths = statePaths(state);
  if (database === undefined && !existsSync(paths.database)) throw noState(state);
  await using store = await Store.open(database ?? paths.database);
  return await act(store);
}

export function noState(state: string): ServiceError {
  return new ServiceError('NO_STATE', `expected the state directory of a clearinghouse at ${state}, got none`);
}
