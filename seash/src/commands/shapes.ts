import { parseRestrictions, type VesselName } from '@potluck/protocol';
import { z } from 'zod';
import { ask, askNode, bulkOf, bulkSchema, groupFailures, inParallel, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import type { Context } from '../session.ts';
import { nameOf, type Target } from '../targets.ts';
import { readLocal } from '../upload.ts';

const offcut = command({
  name: 'show offcut',
  summary: 'Show what a split costs on each node, as lines of a resource file.',
  slots: [],
  example: 'on %1 show offcut',
  leaves: 'offcut',
  result: bulkSchema({ restrictions: z.string() }),
  run: async (context) =>
    await onEach(context, context.vessels('%all'), async (target) => {
      return (await ask(context, target, { method: 'GetOffcutResources', params: {} })).result;
    }),
  render: ({ vessels }, style) => {
    return vessels.map(({ name, restrictions }) => `${style.strong(`${name}:`)}\n${restrictions.trimEnd()}`).join('\n');
  },
});

const split = command({
  name: 'split',
  summary:
    'Put two new, empty vessels in the place of each: what the resource FILE asks for (split1), the rest (split2).',
  slots: [{ name: 'FILE', kind: 'file' }],
  example: 'on %1 split half.resources',
  result: bulkSchema({ wanted: z.string(), rest: z.string() }),
  run: async (context, { FILE }) => {
    const { targets } = context.session;
    const restrictions = await readResources(context.session.path(FILE));
    const outcomes = await inParallel(context, context.vessels(), async (target) => {
      const call = { method: 'SplitVessel', params: { vessel: target.vessel, restrictions } } as const;
      const { wanted, rest } = (await ask(context, target, call)).result;
      const [first, second] = await exchange(context, [target], [wanted, rest]);
      return { first, second };
    });
    const parts = outcomes.good.map(({ value }) => value);
    targets.setGroup(
      'split1',
      parts.flatMap(({ first }) => first ?? []),
    );
    targets.setGroup(
      'split2',
      parts.flatMap(({ second }) => second ?? []),
    );
    targets.setGroup(
      'splitfail',
      outcomes.bad.map(({ item }) => item),
    );
    const named = outcomes.good.map(({ item, value: { first, second } }) => {
      return { item, value: { wanted: first?.id ?? '', rest: second?.id ?? '' } };
    });
    return bulkOf({ good: named, bad: outcomes.bad });
  },
  render: ({ vessels }) => vessels.map(({ id, wanted, rest }) => `${id} is ${wanted} and ${rest} now.`).join('\n'),
});

const join = command({
  name: 'join',
  summary: 'Put one new, empty vessel in the place of all the vessels that are on the same node.',
  slots: [],
  example: 'on %2-%3 join',
  result: bulkSchema({ joined: z.array(z.string()) }),
  run: async (context) => {
    const nodes = [...Map.groupBy(context.vessels(), ({ node }) => node).values()];
    const { good, bad } = await inParallel(context, nodes, async (vessels) => await joinAll(context, vessels));
    const { targets } = context.session;
    targets.setGroup(
      'joingood',
      good.map(({ value }) => value.target),
    );
    targets.setGroup(
      'joinfail',
      bad.flatMap(({ item }) => item.filter((target) => targets.all.includes(target))),
    );
    return {
      vessels: good.map(({ value: { target, joined } }) => ({ id: target.id, name: nameOf(target), joined })),
      failed: groupFailures(bad.map(({ item, error }) => ({ affected: item.map(nameOf).join(' '), error }))),
    };
  },
  render: ({ vessels }) => vessels.map(({ id, joined }) => `${joined.join(' and ')} are ${id} now.`).join('\n'),
});

export const shapeCommands = [offcut, split, join];

/** @throws ConfigError RESTRICTIONS_BROKEN: it names the file and the line, before any node hears of it */
async function readResources(path: string): Promise<string> {
  const bytes = await readLocal(path);
  const text = Buffer.from(bytes).toString('utf8');
  parseRestrictions(text, path);
  return text;
}

/** Joins two, then the result with the third, and so on. */
async function joinAll(context: Context, vessels: readonly Target[]): Promise<{ target: Target; joined: string[] }> {
  const [first, ...others] = vessels;
  if (first === undefined || others.length === 0) {
    throw new CommandError('BAD_ARGUMENTS', 'expected two or more vessels of one node, got one');
  }
  let joined = first;
  for (const other of others) {
    const call = { method: 'JoinVessels', params: { vessel: joined.vessel, other: other.vessel } } as const;
    const { vessel } = (await ask(context, joined, call)).result;
    const [next] = await exchange(context, [joined, other], [vessel]);
    if (next === undefined)
      throw new CommandError('NO_VESSELS', `expected ${vessel} on its node, got a node without it`);
    joined = next;
  }
  return { target: joined, joined: vessels.map(({ id }) => id) };
}

/** Knows the new vessels of a node in the place of the old ones. */
async function exchange(context: Context, old: readonly [Target, ...Target[]], names: readonly VesselName[]) {
  const [{ node, reach }] = old;
  const { vessels } = await askNode(context, old[0]);
  const { targets } = context.session;
  for (const target of old) targets.drop(target);
  return vessels.filter(({ name }) => names.includes(name)).map((info) => targets.put({ node, reach, info }));
}
