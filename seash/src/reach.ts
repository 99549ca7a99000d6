import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { unlessCancelled } from './cancel.ts';
import { CommandError } from './errors.ts';
import type { Context } from './session.ts';
import type { Target } from './targets.ts';

/** The numeric addresses of a vessel's node, in its order. @throws CommandError BAD_ADDRESS */
export async function addressesOf({ signal }: Context, { reach }: Target): Promise<string[]> {
  if (reach.addresses.length === 0) {
    throw new CommandError(
      'BAD_ADDRESS',
      'expected an address of the node, got none: it is reached through a relay alone',
    );
  }
  const found = reach.addresses.map(async ({ host }) => {
    if (isIP(host) !== 0) return host;
    return (await unlessCancelled(signal, lookup(host))).address;
  });
  return await Promise.all(found);
}
