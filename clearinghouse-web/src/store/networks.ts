import { isIPv6 } from 'node:net';
import { canonicalAddress, groupsOf } from '@potluck/protocol';

/** The network that a node is in, for "wan" and "lan": the /24 of IPv4, the /48 of IPv6; a name is one of its own. */
export function networkOf(host: string): string {
  const address = canonicalAddress(host);
  if (address === undefined) return host.toLowerCase().replace(/\.$/, '');
  if (!isIPv6(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  const groups = groupsOf(address).slice(0, 3);
  return `${groups.map((group) => group.toString(16)).join(':')}::/48`;
}
