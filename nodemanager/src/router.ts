import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { type Address, addressSchema, canonicalAddress, DestinationPolicy } from '@potluck/protocol';
import { z } from 'zod';
import { NodeManagerError } from './errors.ts';

/** The router that this machine is behind, and where it is asked for a mapping. It alone is asked, and it alone is heard. */
export interface Router {
  /** Its own IPv4 address. */
  readonly host: string;
  readonly natPmpPort: number;
  /** Where it is looked for by UPnP. */
  readonly ssdp: Address;
}

/** A port of this machine that is open on the router. */
export interface Mapping {
  /** Where others find it. */
  readonly address: Address;
  /** For how long, unless it is asked for again. */
  readonly seconds: number;
}

/** One protocol by which a router is asked. All throw NodeManagerError MAPPING_FAILED. */
export interface MappingWay {
  readonly name: string;
  /** @param last what it answered the last time, which is asked for again. */
  map(port: number, signal: AbortSignal, last?: Mapping): Promise<Mapping>;
  unmap(port: number, mapping: Mapping, signal: AbortSignal): Promise<void>;
}

const HAS_GATEWAY = 2;
const open = new DestinationPolicy({ addresses: [], interfaces: [], rules: [[], []] });

/** What a router says is not believed to lead elsewhere than to the open network: its word is told to others. */
const mappingSchema = z.object({
  address: addressSchema.refine(
    ({ host, port }) => canonicalAddress(host) === host && open.allows(host, port, new Set()),
    'expected an address on the open network',
  ),
  seconds: z.int().min(1).max(0xffff_ffff),
});

/** @throws NodeManagerError MAPPING_FAILED it is no mapping that leads here from the open network. */
export function parseMapping(host: unknown, port: unknown, seconds: unknown): Mapping {
  const parsed = mappingSchema.safeParse({ address: { host, port }, seconds });
  if (parsed.success) return parsed.data;
  const got = JSON.stringify([host, port, seconds])?.slice(0, 100);
  throw mappingFailed(`expected a public address and port of the router, got ${got}: is it behind another router?`);
}

/** @param refusal the router's own code. */
export function mappingFailed(message: string, refusal?: string): NodeManagerError {
  return new NodeManagerError('MAPPING_FAILED', message, { details: { refusal } });
}

/** @returns the router of the default route (IPv4, Linux); undefined when there is none. */
export async function defaultRouter(): Promise<Router | undefined> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '');
  const host = routerIn(table);
  return host === undefined ? undefined : { host, natPmpPort: 5351, ssdp: { host: '239.255.255.250', port: 1900 } };
}

/** @param table as the kernel prints it: addresses are 32 bits in the order of the machine, here the little end first. */
export function routerIn(table: string): string | undefined {
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  const routes = rows.filter(([, to, , flags, , , , mask]) => {
    return to === '00000000' && mask === '00000000' && (Number.parseInt(flags ?? '', 16) & HAS_GATEWAY) !== 0;
  });
  const [best] = routes.sort((a, b) => Number(a[6]) - Number(b[6]));
  return best?.[2] === undefined ? undefined : [...Buffer.from(best[2], 'hex')].reverse().join('.');
}

/** @returns the address from which this machine would send there; undefined when it knows no way. */
export async function sourceTo(far: string): Promise<string | undefined> {
  await using socket = createSocket(isIPv6(far) ? 'udp6' : 'udp4');
  try {
    socket.connect(53, far);
    await once(socket, 'connect');
    return canonicalAddress(socket.address().address);
  } catch {
    return undefined;
  }
}
