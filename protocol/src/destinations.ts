import { isIPv6 } from 'node:net';
import { canonicalAddress, innerAddresses, networksOf } from './addresses.ts';
import type { DestinationRule } from './restrictions.ts';

/** No place to send to, whatever a rule says: systems take some of these for this machine. */
const NOWHERE = ['0.0.0.0/8', '::/16'];

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** The loopback addresses that every vessel may listen on, as in Seattle. */
export const COMMON_LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** Where clouds hand out a machine's credentials to whoever asks from it. */
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
];

/** Not on the open network (IANA's special-purpose registries): closed unless a rule says otherwise. */
const SPECIAL = [
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '169.254.0.0/16', // link-local
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/3', // multicast, reserved, broadcast
  '64:ff9b:1::/48', // translation to IPv4, of local use
  '100::/64', // discard
  '2001::/23', // Teredo and other assignments
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
  '5f00::/16', // segment routing
  'fc00::/7', // private
  'fe80::/10', // link-local
  'fec0::/10', // site-local
  'ff00::/8', // multicast
];

const elsewhere = networksOf([...NOWHERE, ...LOOPBACK, ...METADATA, ...SPECIAL]);
const nowhere = networksOf(NOWHERE);
const loopback = networksOf(LOOPBACK);
const metadata = networksOf(METADATA);

/** Whether it is a numeric address of the open network, also as what it stands for where IPv4 is carried in it. */
export function isOpenAddress(host: string): boolean {
  const address = canonicalAddress(host);
  return address !== undefined && ![address, ...innerAddresses(address)].some(elsewhere);
}

export interface DestinationInit {
  /** The addresses at which the node's programs may listen. */
  readonly addresses: readonly string[];
  /** All of the machine's own addresses, each with the prefix length of the network it is on: `192.168.1.7/24`. */
  readonly interfaces: readonly string[];
  /** The node owner's rules for all vessels, and those of this vessel's restrictions. */
  readonly rules: readonly [node: readonly DestinationRule[], vessel: readonly DestinationRule[]];
}

interface Rule extends DestinationRule {
  readonly covers: (address: string) => boolean;
  /** About this machine: a single address, or a part of loopback. */
  readonly named: boolean;
}

/** What is known of an address before its port is. */
interface Place {
  /** Of each list the rules that are about it. */
  readonly lists: readonly (readonly Rule[])[];
  readonly own: boolean;
  readonly closed: boolean;
}

/**
 * Decides which addresses one vessel may send or connect to. Addresses are canonical here.
 *
 * Each of the two lists of rules is read by itself, and its first rule that matches is its word. A `deny` of either list
 * wins; else an `allow` of either opens; else the vessel's own ports are open on its own addresses and on loopback, the
 * open network is open, and all else is closed. A rule for a whole network never opens this machine or a metadata
 * service: these are opened by their own address (`/32`, `/128`), or within 127.0.0.0/8.
 */
export class DestinationPolicy {
  readonly #lists: readonly (readonly Rule[])[];
  readonly #own: ReadonlySet<string>;
  readonly #machine: (address: string) => boolean;
  readonly #closed: (address: string) => boolean;

  constructor({ addresses, interfaces, rules }: DestinationInit) {
    this.#lists = rules.map((list) => list.map(withMatcher));
    this.#own = new Set([...addresses, ...COMMON_LOOPBACK]);
    const places = interfaces.map((place) => place.split('/')[0] ?? '');
    this.#machine = networksOf([...LOOPBACK, ...addresses, ...places]);
    this.#closed = networksOf([...LOOPBACK, ...addresses, ...METADATA, ...SPECIAL, ...interfaces]);
  }

  /** True for this machine itself: such traffic is metered as loopback. */
  isLocal(address: string): boolean {
    return this.#machine(address);
  }

  /** @returns whether the vessel may listen at this address. */
  isOwn(address: string): boolean {
    return this.#own.has(address);
  }

  /** @param ownPorts the vessel's own ports of this kind: on its own machine it reaches these and no others. */
  allows(address: string, port: number, ownPorts: ReadonlySet<number>): boolean {
    const places = this.#placesOf(address, (rule) => isFor(rule, port));
    return places.every((place) => opensAt(place, port, ownPorts)) && places.length > 0;
  }

  /** @returns whether the vessel may reach any port there: of other addresses it is told nothing. */
  opens(address: string, ownPorts: ReadonlySet<number>): boolean {
    const places = this.#placesOf(address, () => true);
    if (places.length === 0) return false;
    // What is open begins at one of these, or nowhere.
    const rules = places.flatMap(({ lists }) => lists.flat());
    const edges = rules.map((rule) => (isDeny(rule) ? rule.ports.last + 1 : rule.ports.first));
    const ports = new Set([1, ...edges, ...ownPorts]);
    return [...ports].some((port) => port <= 65535 && places.every((place) => opensAt(place, port, ownPorts)));
  }

  /** @returns the address and those inside it, each looked at once; [] when one of them is no place. */
  #placesOf(address: string, concerns: (rule: Rule) => boolean): Place[] {
    const addresses = [address, ...innerAddresses(address)];
    return addresses.some(isNowhere) ? [] : addresses.map((each) => this.#placeOf(each, concerns));
  }

  #placeOf(address: string, concerns: (rule: Rule) => boolean): Place {
    const guarded = this.#machine(address) || metadata(address);
    const applies = (rule: Rule) => concerns(rule) && (rule.named || !guarded || isDeny(rule)) && rule.covers(address);
    const lists = this.#lists.map((list) => list.filter(applies));
    return { lists, own: this.#own.has(address), closed: this.#closed(address) };
  }
}

function opensAt({ lists, own, closed }: Place, port: number, ownPorts: ReadonlySet<number>): boolean {
  const words = lists.flatMap((list) => list.find((rule) => isFor(rule, port)) ?? []);
  if (words.length > 0) return !words.some(isDeny);
  return own ? ownPorts.has(port) : !closed;
}

const isFor = ({ ports }: Rule, port: number) => port >= ports.first && port <= ports.last;
const isNowhere = (address: string) => nowhere(address) && address !== '::1';
const isDeny = (rule: DestinationRule) => rule.action === 'deny';

function withMatcher(rule: DestinationRule): Rule {
  const [address = '', prefix] = rule.network.split('/');
  const single = Number(prefix) === (isIPv6(address) ? 128 : 32);
  const named = single || (loopback(address) && Number(prefix) >= 8);
  return { ...rule, covers: networksOf([rule.network]), named };
}

/** @returns `ADDRESS/PREFIX` of each of a machine's addresses. @param found what `networkInterfaces` of `node:os` says */
export function interfacesOf(found: NodeJS.Dict<readonly { readonly cidr: string | null }[]>): string[] {
  const places = Object.values(found).flatMap((list) => list ?? []);
  return places.flatMap(({ cidr }) => {
    const [address = '', prefix] = (cidr ?? '').split('/');
    const canonical = canonicalAddress(address);
    return canonical === undefined ? [] : [`${canonical}/${prefix}`];
  });
}
