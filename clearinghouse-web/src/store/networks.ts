import { isIPv6 } from 'node:net';
import {
  addressText,
  canonicalAddress,
  type DialInit,
  type GatewayAddress,
  groupsOf,
  isOpenAddress,
  isRelay,
  type Reach,
} from '@potluck/protocol';

/** The network that a node is in, for "wan" and "lan": the /24 of IPv4, the /48 of IPv6; a name is one of its own. */
export function networkOf(host: string): string {
  const address = canonicalAddress(host);
  if (address === undefined) return host.toLowerCase().replace(/\.$/, '');
  if (!isIPv6(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  const groups = groupsOf(address).slice(0, 3);
  return `${groups.map((group) => group.toString(16)).join(':')}::/48`;
}

/**
 * What may be dialled of what a node says of its addresses. Who comes from the open network cannot be on the operator's own:
 * a node that says so would have the clearinghouse look for open doors there.
 * @param host where its connection came from
 */
export function reachFrom(host: string | undefined, { addresses, relays }: Reach): Reach {
  if (host === undefined || !isOpenAddress(host)) return { addresses, relays };
  const isOther = (address: string): boolean => canonicalAddress(address) === undefined || isOpenAddress(address);
  return { addresses: addresses.filter((address) => isOther(address.host)), relays };
}

/**
 * The same for where names lead, and for relays: what is dialled of a node whose connection comes from the open network is
 * on it, but for the clearinghouse's own gateway, which may have an address on the operator's network here.
 * @param network of the node, as `networkOf` says it; null while nobody has proved it
 */
export function permitsFrom(network: string | null, gateway: GatewayAddress | undefined): DialInit['permits'] {
  const [first = ''] = (network ?? '').split('/');
  if (!isOpenAddress(first)) return undefined;
  return (way) => {
    const isOwn = isRelay(way) && way.key === gateway?.key && addressText(way) === addressText(gateway);
    return isOwn ? undefined : isOpenAddress;
  };
}
