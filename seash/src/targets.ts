import {
  addressSchema,
  addressText,
  hintFor,
  type KeyId,
  keyIdSchema,
  type Reach,
  reachSchema,
  type VesselInfo,
  type VesselName,
  vesselInfoSchema,
} from '@potluck/protocol';
import { z } from 'zod';
import { CommandError } from './errors.ts';
import { vesselsIn } from './expression.ts';

const keptShape = { id: z.string().regex(/^%[1-9]\d{0,8}$/), node: keyIdSchema, info: vesselInfoSchema };
const keptSchema = z.union([
  z.object({ ...keptShape, reach: reachSchema }),
  // States of before have one address.
  z
    .object({ ...keptShape, address: addressSchema })
    .transform(({ address, ...kept }) => ({ ...kept, reach: reachSchema.parse({ addresses: [address] }) })),
]);

/** What a node said of itself last, and how long the answer took. */
const nodeFactsSchema = z.object({
  version: z.string(),
  os: z.string(),
  arch: z.string(),
  latencyMs: z.number().min(0),
});
export type NodeFacts = z.infer<typeof nodeFactsSchema>;

export const targetsSnapshotSchema = z.object({
  last: z.int().min(0),
  targets: z.array(keptSchema),
  groups: z.array(z.object({ name: z.string(), vessels: z.array(z.string()) })),
  nodes: z.array(nodeFactsSchema.extend({ node: keyIdSchema })).default([]),
});
export type TargetsSnapshot = z.infer<typeof targetsSnapshotSchema>;

/** A vessel that the shell knows; `info` is what its node said last. */
export interface Target {
  /** `%3`: the number in order of discovery; it stays for the life of the shell. */
  readonly id: string;
  readonly node: KeyId;
  readonly vessel: VesselName;
  reach: Reach;
  info: VesselInfo;
}

/** The full name: `10.0.0.7:1224:v1`, by the first of the node's addresses; of a node without any its handle. */
export function nameOf(target: Pick<Target, 'node' | 'vessel' | 'reach'>): string {
  const [address] = target.reach.addresses;
  return address === undefined ? handleOf(target) : `${addressText(address)}:${target.vessel}`;
}

/** As the clearinghouse calls it: `NODEID:v1`. */
export function handleOf({ node, vessel }: Pick<Target, 'node' | 'vessel'>): string {
  return `${node}:${vessel}`;
}

/**
 * The vessels that the shell knows and the groups that they are in. A vessel is the same as long as its node's key and
 * its name are; its address may change.
 */
export class Targets {
  readonly #targets = new Map<string, Target>();
  readonly #groups = new Map<string, Set<Target>>();
  readonly #nodes = new Map<KeyId, NodeFacts>();
  #last = 0;

  /** Adds the vessel or brings what is known of it up to date. */
  put(found: { node: KeyId; reach: Reach; info: VesselInfo }): Target {
    const key = handleOf({ node: found.node, vessel: found.info.name });
    const known = this.#targets.get(key);
    if (known !== undefined) return Object.assign(known, { reach: found.reach, info: found.info });
    this.#last += 1;
    const id = `%${this.#last}`;
    const target = { id, node: found.node, vessel: found.info.name, reach: found.reach, info: found.info };
    this.#targets.set(key, target);
    return target;
  }

  /** Everything, to be kept in a file. */
  snapshot(): TargetsSnapshot {
    const targets = this.all.map(({ id, node, reach, info }) => ({ id, node, reach, info }));
    const groups = [...this.#groups].map(([name, members]) => ({ name, vessels: [...members].map(({ id }) => id) }));
    const nodes = [...this.#nodes].map(([node, facts]) => ({ node, ...facts }));
    return { last: this.#last, targets, groups, nodes };
  }

  /** Knows what a snapshot knew, and nothing else. */
  restore({ last, targets, groups, nodes }: TargetsSnapshot): void {
    this.#targets.clear();
    this.#groups.clear();
    this.#nodes.clear();
    for (const { node, ...facts } of nodes) this.#nodes.set(node, facts);
    for (const { id, node, reach, info } of targets) {
      this.#targets.set(handleOf({ node, vessel: info.name }), { id, node, vessel: info.name, reach, info });
    }
    this.#last = last;
    const byId = new Map(this.all.map((target) => [target.id, target]));
    for (const { name, vessels } of groups) {
      this.setGroup(
        name,
        vessels.flatMap((id) => byId.get(id) ?? []),
      );
    }
  }

  /** Brings what is known of a node up to date. */
  learn(node: KeyId, facts: NodeFacts): void {
    this.#nodes.set(node, facts);
  }

  /** For a vessel that is no more; its number is not given again. */
  drop(target: Target): void {
    this.#targets.delete(handleOf(target));
    for (const group of this.#groups.values()) group.delete(target);
  }

  /** In order of discovery. */
  get all(): Target[] {
    return [...this.#targets.values()];
  }

  /**
   * @param expression of `vesselsIn`: names, groups, ranges and conditions.
   * @returns in order of discovery; may be empty for a group or a condition.
   * @throws CommandError UNKNOWN_TARGET
   */
  resolve(expression: string): Target[] {
    const { all } = this;
    const vessels = vesselsIn(expression, all, {
      named: (name) => this.#named(name),
      about: (node) => this.#nodes.get(node),
    });
    return all.filter((target) => vessels.has(target));
  }

  /** @param expression `%3`, `%all`, a group, a full name `host:port:v1`, or a clearinghouse's handle `NODEID:v1`. */
  #named(expression: string): Iterable<Target> {
    if (expression === '%all') return this.all;
    const group = this.#groups.get(expression);
    if (group !== undefined) return group;
    const named = this.#targets.get(expression) ?? this.all.findLast((target) => isNamed(target, expression));
    if (named !== undefined) return [named];
    throw new CommandError(
      'UNKNOWN_TARGET',
      `expected %all, the %number or name of a known vessel, or a group, got "${expression}"${hintFor(expression, this.names)}`,
    );
  }

  /** Every single name that `resolve` takes, for completion. */
  get names(): string[] {
    return ['%all', ...this.all.flatMap((target) => [target.id, nameOf(target)]), ...this.groupNames];
  }

  get groupNames(): string[] {
    return [...this.#groups.keys()];
  }

  setGroup(name: string, targets: Iterable<Target>): void {
    this.#groups.set(checkedGroupName(name), new Set(targets));
  }

  /** Makes the group if there is none. @throws CommandError BAD_NAME */
  addTo(name: string, targets: Iterable<Target>): void {
    this.setGroup(name, [...(this.#groups.get(name) ?? []), ...targets]);
  }

  /** @throws CommandError BAD_NAME, UNKNOWN_TARGET */
  removeFrom(name: string, targets: Iterable<Target>): void {
    const removed = new Set(targets);
    if (this.#groups.get(checkedGroupName(name)) === undefined) {
      throw new CommandError('UNKNOWN_TARGET', `expected a group, got "${name}"${hintFor(name, this.groupNames)}`);
    }
    this.setGroup(
      name,
      this.resolve(name).filter((target) => !removed.has(target)),
    );
  }
}

function isNamed(target: Target, expression: string): boolean {
  return target.id === expression || nameOf(target) === expression;
}

/** A name that cannot be taken for a vessel's, a range or a condition. */
function checkedGroupName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name)) return name;
  throw new CommandError(
    'BAD_NAME',
    `expected a group name of 1 to 64 letters, digits, "_", "-" or ".", beginning with a letter, got "${name}"`,
  );
}
