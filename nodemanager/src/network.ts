import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Address, canonicalAddress, interfacesOf, parseDestination } from '@potluck/protocol';
import { NameResolver, type NetworkInit } from '@potluck/vessel-runtime';
import type { NodeConfig } from './config.ts';
import { sourceTo } from './router.ts';

type Interfaces = ReturnType<typeof networkInterfaces>;
type NetworkConfig = Pick<NodeConfig, 'listen' | 'advertise' | 'destinations' | 'nameServers'>;

/** Two root name servers: where the way to the whole Internet leads. Nothing is sent there. */
const FAR = ['193.0.14.129', '2001:7fd::1'];
const LINK_LOCAL = /^(169\.254\.|fe[89ab])/;

/**
 * What each program is told of the node's network, as it is when the program starts.
 *
 * Its addresses are those that the node listens on, or, when it listens on all, those that it advertises and has, then
 * those from which it would send to the Internet, IPv4 first. Without a way there it is an address that others on the
 * local network can see; a node without any has none.
 * @param mapped where a router lets others through to this machine.
 */
export function networkOf(
  config: NetworkConfig,
  interfaces = networkInterfaces,
  mapped: () => readonly Address[] = () => [],
): () => Promise<NetworkInit> {
  const rules = (config.destinations ?? []).map(parseDestination);
  const resolver = new NameResolver({ servers: config.nameServers });
  const told = (): Address[] => [...(config.advertise ?? []), ...mapped()];
  return async () => {
    const advertised = told().flatMap(({ host }) => canonicalAddress(host) ?? []);
    const found = interfaces();
    const machine = new Set(interfacesOf(found).map((place) => place.split('/')[0] ?? ''));
    const present = advertised.filter((address) => machine.has(address));
    const addresses = listened(config) ?? (await reachable(present, found));
    // An advertised address that is a router's leads back to this machine.
    const elsewhere = advertised.filter((address) => !machine.has(address));
    return { address: addresses[0] ?? '', addresses, elsewhere, rules, resolver };
  };
}

/** @returns undefined when the node listens on all of its addresses. */
function listened({ listen }: NetworkConfig): string[] | undefined {
  const hosts = listen.map(({ host }) => (host === 'localhost' ? '127.0.0.1' : canonicalAddress(host)));
  const known = hosts.filter((host): host is string => host !== undefined && host !== '0.0.0.0' && host !== '::');
  return known.length < hosts.length ? undefined : [...new Set(known)];
}

async function reachable(advertised: readonly string[], interfaces: Interfaces): Promise<string[]> {
  const found = new Set(advertised);
  for (const far of FAR) {
    const source = await sourceTo(far);
    if (source !== undefined) found.add(source);
  }
  if (found.size > 0) return [...found];
  const outside = Object.values(interfaces).flatMap((list) => list?.filter(({ internal }) => !internal) ?? []);
  const seen = outside.map(({ address }) => address).filter((address) => !LINK_LOCAL.test(address));
  return seen.sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
}
