import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { keyIdSchema } from './keys.ts';
import { LIMITS } from './limits.ts';

/** A label of RFC 1123; the underscore is in names of containers. */
const LABEL = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*\\.?$`);

/** A name or an IP address and nothing else: peers choose it, and it stands in URLs, file names and terminals. */
export const hostSchema = z
  .string()
  .max(255)
  .refine((host) => NAME.test(host) || (isIPv6(host) && !host.includes('%')), 'expected a host name or an IP address');

export const addressSchema = z.object({ host: hostSchema, port: z.int().min(1).max(65535) });
export type Address = z.infer<typeof addressSchema>;

export const gatewayAddressSchema = z.object({
  ...addressSchema.shape,
  /** The key to which the TLS certificate there is pinned: the clearinghouse's. */
  key: keyIdSchema,
});
export type GatewayAddress = z.infer<typeof gatewayAddressSchema>;

/** Every way to a node that is known; what is there proves by the node's key that it is the node. */
export const reachSchema = z.object({
  addresses: z.array(addressSchema).max(LIMITS.advertisedAddresses).readonly(),
  /** Gateways that the node has dialled, and that take callers to it. */
  relays: z.array(gatewayAddressSchema).max(LIMITS.advertisedRelays).readonly().default([]),
});
export type Reach = z.infer<typeof reachSchema>;

/** One way to a node: straight to it, or through the relay that holds the key. */
export type Way = Address | GatewayAddress;

/** For a node of which nothing else is known. */
export function directly(...addresses: readonly Address[]): Reach {
  return { addresses, relays: [] };
}

/** `10.0.0.7:1224`, `[::1]:1224`. */
export function addressText({ host, port }: Address): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** The one name of a way, by which it is remembered: an address, or `relay 10.0.0.7:8443`. */
export function wayText(way: Way): string {
  return `${isRelay(way) ? 'relay ' : ''}${addressText(way)}`;
}

export function isRelay(way: Way): way is GatewayAddress {
  return 'key' in way;
}

/**
 * The order in which ways are tried: IPv6, IPv4, relay. The two families alternate (RFC 8305 section 4), so that a family
 * without a way out costs one wait and not one for each of its addresses; a name has addresses of either.
 * @param last what won last time, as `wayText`: it goes to the front; a relay goes behind one address only, so that a node
 * which can be reached without it again soon is.
 */
export function waysOf({ addresses, relays }: Reach, last?: string): Way[] {
  const [fours, sixes] = [addresses.filter(({ host }) => isIPv4(host)), addresses.filter(({ host }) => !isIPv4(host))];
  sixes.sort((a, b) => Number(isIPv6(b.host)) - Number(isIPv6(a.host)));
  const direct = addresses.flatMap((_, index) => [sixes[index], fours[index]].filter((way) => way !== undefined));
  const ways: Way[] = [...direct, ...relays];
  const known = ways.findIndex((way) => wayText(way) === last);
  const [won] = known < 0 ? [] : ways.splice(known, 1);
  if (won !== undefined) ways.splice(isRelay(won) && direct.length > 0 ? 1 : 0, 0, won);
  return ways;
}
