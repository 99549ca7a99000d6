import { readFile, rm } from 'node:fs/promises';
import {
  addressText,
  generateIdentity,
  keyIdSchema,
  NodeClient,
  parseJson,
  type Result,
  reachSchema,
  type VesselInfo,
  writeJson,
} from '@potluck/protocol';
import { z } from 'zod';
import { NodeManagerError } from './errors.ts';
import { StateLock } from './lock.ts';
import type { StatePaths } from './paths.ts';

/** `address.json`: there while a node manager listens. */
export const nodeAddressSchema = z.object({
  host: z.string(),
  port: z.int(),
  node: keyIdSchema,
  pid: z.int(),
  /** Where Prometheus may ask. */
  metrics: z.object({ host: z.string(), port: z.int() }).optional(),
});
export type NodeAddress = z.infer<typeof nodeAddressSchema>;

/** `reach.json`: how others come to a node that runs, as it was told last. */
const nodeReachSchema = z.object({
  reach: reachSchema,
  /** Whether the clearinghouse, and so its relay, knows the node; absent without one. */
  isKnown: z.boolean().optional(),
  /** What came of asking the router; absent when it is not asked. */
  portMapping: z.string().optional(),
});
export type NodeReach = z.infer<typeof nodeReachSchema>;

export async function writeReach(paths: StatePaths, reach: NodeReach): Promise<void> {
  await writeJson(paths.reach, reach);
}

/** @returns undefined when the node has not said it yet. */
export async function readReach(paths: StatePaths): Promise<NodeReach | undefined> {
  const text = await readFile(paths.reach, 'utf8').catch(() => '');
  return nodeReachSchema.safeParse(parseJson(text)).data;
}

/** @returns lines for people. */
export function describeReach({ reach, isKnown, portMapping }: NodeReach): string[] {
  const straight = reach.addresses.map(addressText).join(', ');
  const relays = reach.relays.map(addressText).join(', ');
  const away = isKnown ? 'which knows this node' : 'which does not know this node now';
  return [
    straight === '' ? 'Others have no address of this node.' : `Others are told to come to ${straight}.`,
    relays === '' ? 'No relay takes others to this node.' : `They may come through the relay at ${relays}, ${away}.`,
    ...(portMapping === undefined ? [] : [`Port mapping: ${portMapping}.`]),
  ];
}

/** Says where the node manager listens: readers see all of it or nothing. */
export async function writeAddress(paths: StatePaths, address: NodeAddress): Promise<void> {
  await writeJson(paths.address, address);
  await writeJson(paths.pid, address.pid);
}

export async function removeAddress(paths: StatePaths): Promise<void> {
  await rm(paths.address, { force: true });
  await rm(paths.reach, { force: true });
  await rm(paths.pid, { force: true });
}

/** @throws NodeManagerError NOT_RUNNING none runs on that directory, or it does not listen yet. */
export async function readAddress(paths: StatePaths): Promise<NodeAddress> {
  if (!StateLock.isHeld(paths)) {
    throw new NodeManagerError('NOT_RUNNING', `expected a node manager on ${paths.directory}, got none that runs`);
  }
  const text = await readFile(paths.address, 'utf8').catch((cause: unknown) => {
    const message = `expected a node manager on ${paths.directory} that listens, got one that starts or stops`;
    throw new NodeManagerError('NOT_RUNNING', message, { cause });
  });
  return nodeAddressSchema.parse(JSON.parse(text));
}

/** What a node manager that runs says of itself. */
export type NodeStatus = NodeAddress &
  Pick<Result<'GetVessels'>, 'version' | 'walls' | 'layers' | 'vessels'> & {
    readonly reach: NodeReach | undefined;
  };

/** Asks the node manager of that state directory itself. @throws NodeManagerError NOT_RUNNING */
export async function statusOf(paths: StatePaths): Promise<NodeStatus> {
  const address = await readAddress(paths);
  const { host, port, node } = address;
  await using client = await NodeClient.connect({
    address: { host: reachable(host), port },
    node,
    identity: generateIdentity(),
  });
  return { ...(await client.call('GetVessels', {})).result, ...address, reach: await readReach(paths) };
}

/** @returns lines for people. */
export function describeStatus(status: NodeStatus): string[] {
  const { node, pid, host, port, metrics, walls, layers, vessels, reach } = status;
  return [
    `Node ${node} runs as process ${pid} and listens on ${host} port ${port}.`,
    ...(metrics === undefined ? [] : [`Its metrics are at http://${metrics.host}:${metrics.port}/metrics.`]),
    ...(reach === undefined ? [] : describeReach(reach)),
    ...wallLines(walls),
    ...(layers.length === 0 ? [] : [`Programs run under the security layers: ${layers.join(', ')}.`]),
    ...vessels.map(vesselLine),
  ];
}

function wallLines({ up, missing }: Result<'GetVessels'>['walls']): string[] {
  return [`Walls that are up: ${up.join(', ') || 'none'}.`, ...missing.map((wall) => `Not up: ${wall}.`)];
}

function vesselLine({ name, state, since, program, ending, users }: VesselInfo): string {
  const what = program === undefined ? '' : `, program ${program}`;
  const why = ending === undefined ? '' : ` (${ending.message})`;
  return `Vessel ${name}: ${state} since ${new Date(since).toISOString()}${what}${why}, ${users.length === 1 ? '1 user' : `${users.length} users`}.`;
}

/** An address that this machine can dial. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
