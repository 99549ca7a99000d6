import type { KeyId } from '@potluck/protocol';
import { askNode, nodeFacts } from './bulk.ts';
import { CommandError } from './errors.ts';
import type { Context } from './session.ts';
import type { Target } from './targets.ts';

/** Brings what is known of a vessel up to date; it must still be the identity's. */
export function refresher(context: Context): (target: Target) => Promise<Target['info']> {
  const me = context.identity.id;
  const factsOf = nodeFacts(context);
  return async (target) => {
    const { vessels } = await factsOf(target);
    const info = vessels.find(({ name }) => name === target.vessel);
    if (info === undefined) {
      throw new CommandError('NO_VESSELS', `expected the vessel on its node, got a node without it`);
    }
    target.info = info;
    if (isOf(info, me)) return info;
    throw new CommandError('NO_VESSELS', `expected a vessel of ${context.identityName}, got one of others by now`);
  };
}

/** Whether a key owns or may use a vessel. */
export function isOf(info: Target['info'], key: KeyId): boolean {
  return info.owner === key || info.users.includes(key);
}

/** The vessels of which the identity is the owner or a user. */
export async function vesselsAt(context: Context, place: Pick<Target, 'node' | 'reach'>): Promise<Target['info'][]> {
  const { vessels } = await askNode(context, place);
  return vessels.filter((info) => isOf(info, context.identity.id));
}
