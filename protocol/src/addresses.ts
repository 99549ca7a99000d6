import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';

/** An IPv4 address that is written as an IPv6 one. */
const MAPPED = '::ffff:';

/**
 * The one spelling of a numeric address, by which it is compared, shown and given to programs: IPv4 as four decimal
 * numbers, IPv6 as RFC 5952 writes it, and an IPv4 address inside `::ffff:0:0/96` as the IPv4 address that it is.
 * @returns undefined for anything else: names, `127.1`, `0x7f.0.0.1`, and addresses on a chosen interface (`fe80::1%eth0`)
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  if (!text.includes(':')) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const inner = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : '';
  return isIP(inner) === 4 ? inner : address;
}

/**
 * By what callers are told apart where addresses are counted: an IPv4 address, or the 64 bits of an IPv6 one that name
 * its network, since who has one address there has them all.
 */
export function homeOf(text: string): string {
  const address = canonicalAddress(text.split('%')[0] ?? '') ?? text;
  return isIPv6(address)
    ? `${groupsOf(address)
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(':')}::/64`
    : address;
}

/**
 * A set of networks; one of IPv6 holds no IPv4 address, not even `::/0`.
 * @param networks addresses with an optional prefix length: `10.0.0.0/8`, `::1`
 */
export function networksOf(networks: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = familyOf(address);
    lists[family].addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address) => lists[familyOf(address)].check(address, familyOf(address));
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Where IPv4 addresses stand in IPv6 ones: a gateway may take a packet on to them. */
const NAT64 = networksOf(['64:ff9b::/96', '64:ff9b:1::/48']);
const SIX_TO_FOUR = networksOf(['2002::/16']);
const TEREDO = networksOf(['2001::/32']);

/** @param address canonical. @returns the IPv4 addresses to which a gateway would take a packet for it. */
export function innerAddresses(address: string): string[] {
  if (!isIPv6(address)) return [];
  if (NAT64(address)) return [dotted(groupsOf(address), 6)];
  if (SIX_TO_FOUR(address)) return [dotted(groupsOf(address), 1)];
  if (!TEREDO(address)) return [];
  const groups = groupsOf(address);
  // The server as it is, the client with all its bits turned.
  return [
    dotted(groups, 2),
    dotted(
      groups.map((group) => group ^ 0xffff),
      6,
    ),
  ];
}

/** The eight groups of an address. @param address canonical IPv6, without an IPv4 tail. */
export function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [parse(head), parse(tail ?? '')];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function dotted(groups: readonly number[], at: number): string {
  const [high = 0, low = 0] = groups.slice(at, at + 2);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
