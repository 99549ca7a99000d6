import { OP } from '@potluck/repy-api';
import { hostName } from '../names.ts';
import { CallFailure } from './failure.ts';
import type { Primitive, World } from './world.ts';

/** What a look-up costs, as in Seattle. */
const SENT_BYTES = 1024;
const RECEIVED_BYTES = 4096;

/** Names of the network. The node manager looks them up; what comes back are addresses, and no name is used for more. */
export function names(world: World): Record<number, (text: string) => Primitive> {
  return {
    [OP.resolve]: (text) => {
      const name = hostName(text);
      if (name === undefined) {
        const message = `expected an IPv4 or IPv6 address or a host name, got "${text.slice(0, 80)}"`;
        throw new CallFailure('NetworkAddressError', message);
      }
      const request = world.request();
      lookUp(world, name).then(
        (answer) => world.resolve(request, answer),
        (error: unknown) => world.reject(request, error),
      );
      return request;
    },
  };
}

/** @returns the name, its aliases and its addresses as JSON; addresses of the node's own kind first. */
async function lookUp(world: World, name: string): Promise<string> {
  await turn(world, 'netsend', SENT_BYTES);
  await turn(world, 'netrecv', RECEIVED_BYTES);
  const { value } = await world.calls.call({ operation: 'resolve', arguments: [name] });
  const found = JSON.parse(String(value)) as { name: string; aliases: string[]; addresses: string[] };
  const rank = (address: string) => (world.ownAddress(address) === undefined ? 1 : 0);
  return JSON.stringify([found.name, found.aliases, found.addresses.sort((a, b) => rank(a) - rank(b))]);
}

async function turn({ meter }: World, resource: 'netsend' | 'netrecv', bytes: number): Promise<void> {
  await new Promise<void>((resolve) => meter.pace(resource, bytes, resolve));
}
