import {
  addressText,
  directly,
  endingSchema,
  type KeyId,
  keyIdSchema,
  type Reach,
  vesselNameSchema,
  vesselStateSchema,
  waysOf,
  wayText,
} from '@potluck/protocol';
import { z } from 'zod';
import { parseAddress } from '../address.ts';
import { bulkSchema, failureSchema, groupFailures, inParallel, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { endingLines, leftText } from '../expiry.ts';
import { expiries } from '../leases.ts';
import { lookUp } from '../lookup.ts';
import { refresher, vesselsAt } from '../refresh.ts';
import { affectedText } from '../report.ts';
import type { Context } from '../session.ts';
import { count, type Style, table } from '../style.ts';
import { handleOf, nameOf, type Target } from '../targets.ts';

const foundSchema = z.object({
  id: z.string(),
  name: z.string(),
  node: keyIdSchema,
  owned: z.boolean(),
  state: vesselStateSchema,
});
type Found = z.infer<typeof foundSchema>;

export const browse = command({
  name: 'browse',
  summary: 'Find your vessels through the clearinghouse and the directories.',
  slots: [],
  example: 'browse',
  result: z.object({
    identity: z.string(),
    nodes: z.int(),
    vessels: z.array(foundSchema),
    failed: z.array(failureSchema),
  }),
  run: async (context) => {
    const { identityName, identity, session } = context;
    const { sightings, failures: unseen } = await lookUp(context);
    const { good, bad } = await inParallel(context, sightings, (sighting) => visit(context, sighting));
    const seen = new Set(good.flatMap(({ value }) => value));
    const found = session.targets.all.filter((target) => seen.has(target)); // In the order of their numbers.
    const lost = new Set(bad.map(({ item }) => item.node));
    session.targets.setGroup('browsegood', found);
    session.targets.setGroup(
      'browsefail',
      session.targets.all.filter(({ node }) => lost.has(node)),
    );
    const failures = [
      ...bad.map(({ item, error }) => ({ affected: waysOf(item.reach).map(wayText).join(' or ') || item.node, error })),
      ...unseen,
    ];
    return {
      identity: identityName,
      nodes: good.length,
      vessels: found.map((target) => foundOf(target, identity.id)),
      failed: groupFailures(failures),
    };
  },
  // Of many nodes some are always away for a minute: that must not end a script which uses the others.
  isOk: ({ vessels, failed }) => vessels.length > 0 || failed.length === 0,
  render: ({ identity, nodes, vessels }, style) => {
    if (vessels.length === 0) return `Found no vessel of ${identity} on ${count(nodes, 'node')}.`;
    return `Found ${count(vessels.length, 'vessel')} of ${identity} on ${count(nodes, 'node')}:\n${tableOf(vessels, style)}`;
  },
});

export const contact = command({
  name: 'contact',
  summary: 'Ask a node directly for your vessels there; whatever key answers is believed.',
  slots: [{ name: 'HOST:PORT[:VESSEL]', kind: 'text' }],
  example: 'contact 10.0.0.7:1224',
  result: z.object({ node: keyIdSchema, vessels: z.array(foundSchema) }),
  run: async (context, values) => {
    const { address, vessel } = parseAddress(values['HOST:PORT[:VESSEL]']);
    const { identity, identityName, session, signal } = context;
    const reach = directly(address);
    const node = await session.connections.meet({ identity, reach, signal });
    const usable = await vesselsAt(context, { node, reach });
    const wanted = usable.filter((info) => vessel === undefined || info.name === vessel);
    if (wanted.length === 0) {
      throw new CommandError(
        'NO_VESSELS',
        `expected ${vessel ?? 'a vessel'} at ${addressText(address)} to be ${identityName}'s, got a node that says otherwise`,
      );
    }
    const vessels = wanted.map((info) => foundOf(session.targets.put({ node, reach, info }), identity.id));
    return { node, vessels };
  },
  render: ({ node, vessels }, style) =>
    `Believed the node to be ${style.strong(node)}; found ${count(vessels.length, 'vessel')}:\n${tableOf(vessels, style)}`,
});

export const list = command({
  name: 'list',
  summary: 'Show what each vessel does and since when, why its program has ended, and until when you hold it.',
  slots: [],
  example: 'on %all list',
  leaves: 'list',
  result: bulkSchema({
    node: keyIdSchema,
    vessel: vesselNameSchema,
    owned: z.boolean(),
    state: vesselStateSchema,
    since: z.iso.datetime(),
    program: z.string().optional(),
    ending: endingSchema.optional(),
    /** Of what the account at the clearinghouse holds. */
    expiresAt: z.iso.datetime().optional(),
    warnAt: z.iso.datetime().optional(),
  }),
  run: async (context) => {
    const me = context.identity.id;
    const refresh = refresher(context);
    const held = expiries(context);
    return await onEach(context, context.vessels('%all'), async (target) => {
      const info = await refresh(target);
      const { state, program, ending } = info;
      const since = new Date(info.since).toISOString();
      const facts = { node: target.node, vessel: target.vessel, owned: info.owner === me, state, since };
      const told = { ...(program !== undefined && { program }), ...(ending !== undefined && { ending }) };
      return { ...facts, ...told, ...(await held).get(handleOf(target)) };
    });
  },
  render: ({ vessels }, style) => {
    if (vessels.length === 0) return '';
    const leases = vessels.flatMap(({ expiresAt, warnAt }) => (expiresAt && warnAt ? [{ expiresAt, warnAt }] : []));
    const rows = vessels.map(({ id, owned, name, state, since, program, ending, expiresAt }) => {
      const own = [id, owned ? '*' : '', name, state, since.replace(/\.\d+Z$/, 'Z')];
      const until = expiresAt === undefined ? '' : leftText(Date.parse(expiresAt) - Date.now());
      return [...own, ...(leases.length > 0 ? [until] : []), program ?? '', ending?.message ?? ''];
    });
    const heads = ['ID', 'Own', 'Name', 'Status', 'Since', ...(leases.length > 0 ? ['Expires in'] : [])];
    return [table([...heads, 'Program', 'Why it ended'], rows, style), ...endingLines(leases, style)].join('\n');
  },
});

const update = command({
  name: 'update',
  summary: 'Ask what each vessel does, for conditions such as state=Started; shows no table.',
  slots: [],
  example: 'update',
  leaves: 'update',
  result: bulkSchema({ state: vesselStateSchema }),
  run: async (context) => {
    const refresh = refresher(context);
    return await onEach(context, context.vessels('%all'), async (target) => {
      return { state: (await refresh(target)).state };
    });
  },
  render: ({ vessels }) => affectedText('Updated', vessels),
});

interface Place {
  readonly node: KeyId;
  readonly reach: Reach;
}

export const findCommands = [browse, contact, list, update];

async function visit(context: Context, { node, reach }: Place): Promise<Target[]> {
  const usable = await vesselsAt(context, { node, reach });
  return usable.map((info) => context.session.targets.put({ node, reach, info }));
}

function foundOf(target: Target, me: KeyId): Found {
  const { owner, state } = target.info;
  return { id: target.id, name: nameOf(target), node: target.node, owned: owner === me, state };
}

function tableOf(vessels: readonly Found[], style: Style): string {
  const rows = vessels.map(({ id, owned, name, state }) => [id, owned ? '*' : '', name, state]);
  return table(['ID', 'Own', 'Name', 'Status'], rows, style);
}
