import { BlockList, isIP, isIPv6 } from 'node:net';
import { type DestinationRule, matcherOf } from '@potluck/protocol';
import { CallFailure } from './failure.ts';

/** Not on the open network (IANA's special-purpose registries): denied unless a rule says otherwise. */
const SPECIAL = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, where clouds keep their metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/3', // multicast, reserved, broadcast
  '::/127', // unspecified and loopback
  '64:ff9b::/96', // an IPv4 address inside
  '64:ff9b:1::/48',
  '100::/64', // discard
  '2001::/23', // Teredo and other assignments
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: an IPv4 address inside
  'fc00::/7', // private
  'fe80::/10', // link-local
  'fec0::/10', // site-local
  'ff00::/8', // multicast
];

const special = new BlockList();
for (const network of SPECIAL) {
  const [address = '', prefix] = network.split('/');
  special.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** The loopback addresses that every vessel may listen on, as in Seattle. */
const COMMON_LOOPBACK = ['127.0.0.1', '::1'];

function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

const MOST_KNOWN = 1024;

export interface DestinationInit {
  /** The node's own address. */
  readonly address: string;
  readonly rules: readonly DestinationRule[];
}

/** Decides which addresses a vessel may reach and which it may listen on. */
export class Destinations {
  readonly #address: string;
  readonly #rules: readonly { readonly allow: boolean; readonly matches: (address: string, port: number) => boolean }[];
  /** Decisions made: asked for every packet. */
  readonly #known = new Map<string, boolean>();
  readonly #local = new Map<string, boolean>();

  constructor(init: DestinationInit) {
    this.#address = init.address;
    this.#rules = init.rules.map((rule) => ({ allow: rule.action === 'allow', matches: matcherOf(rule) }));
  }

  /** True for traffic that stays on this machine: it is metered apart. */
  isLocal(address: string): boolean {
    if (address === this.#address) return true;
    const known = this.#local.get(address);
    if (known !== undefined) return known;
    const decided = isLoopback(address);
    if (this.#local.size >= MOST_KNOWN) this.#local.clear();
    this.#local.set(address, decided);
    return decided;
  }

  /**
   * @param ownPorts the vessel's own ports of this kind: on its own machine it reaches these and no others.
   * @throws CallFailure NetworkAddressError for anything but a numeric address
   */
  allows(address: string, port: number, ownPorts: ReadonlySet<number>): boolean {
    const key = `${address} ${port}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    checkNumeric(address, 'destination');
    const decided = this.#decide(address, port, ownPorts);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, decided);
    return decided;
  }

  #decide(address: string, port: number, ownPorts: ReadonlySet<number>): boolean {
    // An IPv4 address inside an IPv6 one, or one on a chosen interface, would be another way to a denied address.
    if (/^::(?!1?$)/.test(address) || address.includes('%')) return false;
    for (const rule of this.#rules) if (rule.matches(address, port)) return rule.allow;
    if (address === this.#address || COMMON_LOOPBACK.includes(address)) return ownPorts.has(port);
    return !special.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  /** @throws CallFailure AddressBindingError: not an address of this vessel. */
  checkLocal(address: string): void {
    checkNumeric(address, 'local');
    if (address === this.#address || COMMON_LOOPBACK.includes(address)) return;
    const own = [...new Set([this.#address, '127.0.0.1'])].join(' or ');
    throw new CallFailure('AddressBindingError', `expected a local address that is ${own}, got ${address}`);
  }
}

function checkNumeric(address: string, what: string): void {
  if (isIP(address) !== 0) return;
  const message = `expected a numeric IPv4 or IPv6 address as the ${what} address, got "${address.slice(0, 80)}"`;
  throw new CallFailure('NetworkAddressError', message);
}

/** @throws CallFailure ResourceForbiddenError */
export function checkPort(port: number, allowed: ReadonlySet<number>, resource: 'messport' | 'connport'): void {
  if (allowed.has(port)) return;
  const list = [...allowed].slice(0, 12).join(', ') || 'none';
  throw new CallFailure('ResourceForbiddenError', `expected a ${resource} of this vessel (${list}), got ${port}`);
}
