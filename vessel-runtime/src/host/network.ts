import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DestinationPolicy, type DestinationRule, interfacesOf, type Restrictions } from '@potluck/protocol';
import type { StartFrame } from '../frames.ts';
import type { Services } from './calls.ts';
import { type NameResolver, nameService } from './resolver.ts';

export interface NetworkInit {
  /** The node's own address: what `getmyip` answers; '' when it has none. */
  readonly address: string;
  /** Where programs may listen beside loopback; `address` unless said. */
  readonly addresses?: readonly string[] | undefined;
  /** Addresses of other machines that lead back to this one, as a router's may. */
  readonly elsewhere?: readonly string[] | undefined;
  /** The node owner's rules for all vessels. */
  readonly rules?: readonly DestinationRule[] | undefined;
  /** Looks names up for the program; without it no name leads anywhere. */
  readonly resolver?: NameResolver | undefined;
}

/** Where a vessel of this node may connect to, now. @param destinations of its own restrictions */
export function policyOf(network: NetworkInit, destinations: readonly DestinationRule[] = []): DestinationPolicy {
  const { addresses, interfaces, rules } = placesOf(network);
  return new DestinationPolicy({ addresses, interfaces, rules: [rules, destinations] });
}

function placesOf({ address, addresses = [address].filter(Boolean), elsewhere = [], rules = [] }: NetworkInit) {
  const interfaces = [...interfacesOf(networkInterfaces()), ...elsewhere.map(alone)];
  return { addresses: [...addresses], interfaces, rules: [...rules] };
}

/**
 * @param ended of the vessel process
 * @returns what it is told of the network, and what it may ask about it.
 */
export function networkOf(
  init: NetworkInit,
  { destinations, messport, connport }: Restrictions,
  ended: AbortSignal,
): { network: StartFrame['network']; services: Services } {
  const policy = policyOf(init, destinations);
  const resolve = nameService(init.resolver, policy, messport.union(connport), ended);
  return { network: placesOf(init), services: { resolve } };
}

const alone = (address: string) => `${address}/${isIPv6(address) ? 128 : 32}`;
