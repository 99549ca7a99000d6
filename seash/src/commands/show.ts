import { writeFile } from 'node:fs/promises';
import { fileNameSchema, keyIdSchema, parseRestrictions, QUANTITY_NAMES, vesselStateSchema } from '@potluck/protocol';
import { z } from 'zod';
import { ask, bulkSchema, leaveGroups, nodeFacts, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { followAll, followedShape, followingShape } from '../follow.ts';
import { interruptedText } from '../report.ts';
import { enumerate, type Style, table } from '../style.ts';
import { nameOf } from '../targets.ts';
import { localPath } from './files.ts';

const targets = command({
  name: 'show targets',
  summary: 'Show the vessels that are known, without asking their nodes.',
  slots: [],
  example: 'show targets',
  result: z.object({ vessels: z.array(z.object({ id: z.string(), name: z.string(), node: keyIdSchema })) }),
  run: async ({ session }) => ({
    vessels: session.targets.all.map((target) => ({ id: target.id, name: nameOf(target), node: target.node })),
  }),
  render: ({ vessels }, style) => {
    if (vessels.length === 0) return 'No vessel is known: say "browse" or "contact HOST:PORT".';
    const rows = vessels.map(({ id, name, node }) => [id, name, node]);
    return table(['ID', 'Name', 'Node'], rows, style);
  },
});

const groups = command({
  name: 'show groups',
  summary: 'Show the groups and the vessels in them.',
  slots: [],
  example: 'show groups',
  result: z.object({ groups: z.array(z.object({ name: z.string(), vessels: z.array(z.string()) })) }),
  run: async ({ session }) => ({
    groups: ['%all', ...session.targets.groupNames].map((name) => ({
      name,
      vessels: session.targets.resolve(name).map(({ id }) => id),
    })),
  }),
  render: (result, style) => {
    const rows = result.groups.map(({ name, vessels }) => [name, String(vessels.length), enumerate(vessels, 20)]);
    return table(['Group', 'Size', 'Vessels'], rows, style);
  },
});

const identities = command({
  name: 'show identities',
  summary: 'Show the identities that are loaded.',
  slots: [],
  example: 'show identities',
  result: z.object({
    identities: z.array(z.object({ name: z.string(), key: keyIdSchema, isDefault: z.boolean() })),
  }),
  run: async ({ session }) => ({
    identities: [...session.identities].map(([name, { id }]) => ({
      name,
      key: id,
      isDefault: name === session.identityName,
    })),
  }),
  render: (result, style) => {
    if (result.identities.length === 0) return 'No identity is loaded: say "loadkeys NAME" or "genkeys NAME".';
    const rows = result.identities.map(({ name, key, isDefault }) => [name, isDefault ? '*' : '', key]);
    return table(['Name', 'Default', 'Key'], rows, style);
  },
});

const info = command({
  name: 'show info',
  summary:
    "Show each vessel's node: its version, which walls around programs are up, and which layers programs run under.",
  slots: [],
  example: 'on %1 show info',
  leaves: 'info',
  result: bulkSchema({
    node: keyIdSchema,
    version: z.string(),
    os: z.string(),
    arch: z.string(),
    walls: z.object({ up: z.array(z.string()), missing: z.array(z.string()) }),
    /** Of the node's owner; every program runs under them. */
    layers: z.array(z.string()),
  }),
  run: async (context) => {
    const factsOf = nodeFacts(context);
    return await onEach(context, context.vessels('%all'), async (target) => {
      const { version, os, arch, walls, layers } = await factsOf(target);
      return { node: target.node, version, os, arch, walls, layers };
    });
  },
  render: ({ vessels }, style) => {
    const nodes = [...Map.groupBy(vessels, ({ node }) => node).values()];
    return nodes.flatMap((group) => group.slice(0, 1).map((first) => nodeText(first, group, style))).join('\n');
  },
});

export const log = command({
  name: 'show log',
  summary:
    "Show each vessel's log, as far as its node has kept it, or write it into FILE (of many: FILE.HOST_PORT_VESSEL).",
  slots: [{ name: 'FILE', kind: 'file', after: 'to', optional: true }],
  options: [{ name: 'follow', summary: 'Go on with new lines until the programs have ended.' }],
  example: 'on %all show log --follow',
  leaves: 'log',
  result: bulkSchema({
    ...followedShape,
    state: vesselStateSchema.optional(),
    text: z.string().optional(),
    file: z.string().optional(),
  }).extend(followingShape),
  run: async (context, { follow, FILE }) => {
    const targets = context.vessels('%all');
    const path = FILE === undefined ? undefined : context.session.path(FILE);
    if (follow) {
      if (path !== undefined) throw new CommandError('BAD_ARGUMENTS', 'expected --follow or to FILE, got both');
      const { vessels, failed } = await followAll(
        context,
        targets.map((target) => ({ target })),
      );
      const ids = new Set(vessels.map(({ id }) => id));
      const { good = [], fail = [] } = Object.groupBy(targets, ({ id }) => (ids.has(id) ? 'good' : 'fail'));
      leaveGroups(context, { good, fail });
      return { vessels, failed, interrupted: context.signal.aborted };
    }
    return await onEach(context, targets, async (target) => {
      const call = { method: 'ReadVesselLog', params: { vessel: target.vessel } } as const;
      const { result, attachment } = await ask(context, target, call);
      const { droppedBytes } = result;
      if (path === undefined) return { text: Buffer.from(attachment).toString('utf8'), droppedBytes };
      const file = localPath(path, target, targets);
      await writeFile(file, attachment);
      return { file, droppedBytes };
    });
  },
  render: ({ vessels, interrupted }, style) => {
    const blocks = vessels.map(({ name, text, file, droppedBytes = 0 }) => {
      const dropped = droppedBytes > 0 ? style.faint(` (${droppedBytes} bytes before this are gone)`) : '';
      if (file !== undefined) return `${name}: ${file}${dropped}`;
      if (text === undefined) return '';
      const body = text === '' ? style.faint('(empty)') : text.replace(/\n$/, '');
      return `${style.strong(`Log of ${name}:`)}${dropped}\n${body}`;
    });
    return [...blocks, interruptedText(vessels, interrupted)].filter(Boolean).join('\n');
  },
});

export const files = command({
  name: 'show files',
  summary: 'Show the files in each vessel.',
  slots: [],
  example: 'on %1 show files',
  leaves: 'files',
  result: bulkSchema({
    files: z.array(z.object({ name: fileNameSchema, size: z.number(), sha256: z.string() })),
  }),
  run: async (context) =>
    await onEach(context, context.vessels('%all'), async (target) => {
      const call = { method: 'ListFilesInVessel', params: { vessel: target.vessel } } as const;
      return (await ask(context, target, call)).result;
    }),
  render: ({ vessels }, style) => {
    const rows = vessels.flatMap((vessel) => {
      const own = vessel.files.map(({ name, size, sha256 }) => [vessel.name, name, String(size), sha256]);
      return own.length === 0 ? [[vessel.name, '(none)', '', '']] : own;
    });
    return rows.length === 0 ? '' : table(['Vessel', 'File', 'Bytes', 'SHA-256'], rows, style);
  },
});

export const resources = command({
  name: 'show resources',
  summary: 'Show what each vessel may use and what it uses now.',
  slots: [],
  example: 'on %1 show resources',
  leaves: 'resource',
  result: bulkSchema({
    limits: z.record(z.string(), z.number()),
    usage: z.record(z.string(), z.number()),
    messports: z.array(z.int()),
    connports: z.array(z.int()),
    destinations: z.array(z.string()),
  }),
  run: async (context) =>
    await onEach(context, context.vessels('%all'), async (target) => {
      const call = { method: 'GetVesselResources', params: { vessel: target.vessel } } as const;
      const { restrictions, usage } = (await ask(context, target, call)).result;
      const { quantities, messport, connport, destinations } = parseRestrictions(restrictions, nameOf(target));
      return {
        limits: { ...quantities },
        usage,
        messports: [...messport],
        connports: [...connport],
        destinations: destinations.map(({ action, network, ports }) => {
          return `${action} ${network} ${ports.first}-${ports.last}`;
        }),
      };
    }),
  render: ({ vessels }, style) => vessels.map((vessel) => resourceTable(vessel, style)).join('\n'),
});

export const showCommands = [targets, groups, identities, info, log, files, resources];

interface NodeFacts {
  readonly node: string;
  readonly version: string;
  readonly os: string;
  readonly arch: string;
  readonly walls: { readonly up: readonly string[]; readonly missing: readonly string[] };
  readonly layers: readonly string[];
}

function nodeText(
  { node, version, os, arch, walls, layers }: NodeFacts,
  vessels: readonly { name: string }[],
  style: Style,
): string {
  const missing = walls.missing.map((wall) => style.warning(wall)).join('\n           ');
  return [
    style.strong(enumerate(vessels.map(({ name }) => name))),
    `  node     ${node}`,
    `  version  ${version}`,
    `  system   ${os} ${arch}`,
    `  walls    ${style.good(walls.up.join(', ')) || 'none'}`,
    `  missing  ${missing || 'none'}`,
    ...(layers.length === 0 ? [] : [`  layers   ${layers.join(', ')}`]),
  ].join('\n');
}

interface ResourceFacts {
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly usage: Readonly<Record<string, number>>;
  readonly messports: readonly number[];
  readonly connports: readonly number[];
  readonly destinations: readonly string[];
}

function resourceTable(facts: ResourceFacts, style: Style): string {
  const { limits, usage } = facts;
  const rows = QUANTITY_NAMES.map((name) => [`  ${name}`, figure(usage[name]), figure(limits[name])]);
  const lines = [
    style.strong(`Resources of ${facts.name}:`),
    table(['  Resource', 'Used', 'Limit'], rows, style),
    `  messport  ${portsText(facts.messports)}`,
    `  connport  ${portsText(facts.connports)}`,
    ...facts.destinations.map((rule) => `  destination  ${rule}`),
  ];
  return lines.join('\n');
}

function figure(value: number | undefined): string {
  if (value === undefined) return '-';
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** `63100-63109, 54321`: neighbours are drawn together. */
function portsText(ports: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last + 1 === port) range.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ') || 'none';
}
