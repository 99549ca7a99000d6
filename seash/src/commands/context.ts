import { z } from 'zod';
import { command } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { Context } from '../session.ts';
import { count, enumerate } from '../style.ts';
import type { Target } from '../targets.ts';

const as = command({
  name: 'as',
  summary: 'Sign COMMAND by a loaded identity; without COMMAND, all that follow.',
  slots: [
    { name: 'NAME', kind: 'identity' },
    { name: 'COMMAND', kind: 'command', rest: true },
  ],
  example: 'as alice browse',
  prefix: 'identity',
  result: z.object({ identity: z.string() }),
  run: async ({ session }, { NAME }) => {
    session.identity(NAME);
    session.identityName = NAME;
    return { identity: NAME };
  },
  render: () => '',
});

const on = command({
  name: 'on',
  summary: 'Do COMMAND on a vessel, %all or a group; without COMMAND, all that follow.',
  slots: [
    { name: 'TARGET', kind: 'target' },
    { name: 'COMMAND', kind: 'command', rest: true },
  ],
  example: 'on %1 run hello.js',
  prefix: 'target',
  result: z.object({ target: z.string(), vessels: z.int() }),
  run: async ({ session }, { TARGET }) => {
    const vessels = session.targets.resolve(TARGET).length;
    session.targetName = TARGET;
    return { target: TARGET, vessels };
  },
  render: () => '',
});

const membersSchema = z.object({ group: z.string(), vessels: z.array(z.string()) });

const add = command({
  name: 'add',
  summary:
    'Add vessels to a group; without TARGET, those that "on" names; without GROUP, to the group that "on" names.',
  slots: [
    { name: 'TARGET', kind: 'target', optional: true },
    { name: 'GROUP', kind: 'group', after: 'to', optional: true },
  ],
  example: 'add %1 to mygroup',
  result: membersSchema,
  check: ({ TARGET, GROUP }) => checkNamed('add', 'to', TARGET ?? GROUP),
  run: async (context, { TARGET, GROUP }) => {
    const { targets } = context.session;
    const group = GROUP ?? context.group;
    targets.addTo(group, vesselsOf(context, TARGET));
    return membersOf(context, group);
  },
  render: renderGroup,
});

const remove = command({
  name: 'remove',
  summary:
    'Take vessels out of a group; without TARGET, those that "on" names; without GROUP, out of the one it names.',
  slots: [
    { name: 'TARGET', kind: 'target', optional: true },
    { name: 'GROUP', kind: 'group', after: 'from', optional: true },
  ],
  example: 'remove %1 from mygroup',
  result: membersSchema,
  check: ({ TARGET, GROUP }) => checkNamed('remove', 'from', TARGET ?? GROUP),
  run: async (context, { TARGET, GROUP }) => {
    const { targets } = context.session;
    const group = GROUP ?? context.group;
    targets.removeFrom(group, vesselsOf(context, TARGET));
    return membersOf(context, group);
  },
  render: renderGroup,
});

const move = command({
  name: 'move',
  summary: 'Take vessels out of the group that "on" names, into GROUP.',
  slots: [
    { name: 'TARGET', kind: 'target' },
    { name: 'GROUP', kind: 'group', after: 'to' },
  ],
  example: 'on lab move %1 to broken',
  result: membersSchema.extend({ from: z.string(), left: z.array(z.string()) }),
  run: async (context, { TARGET, GROUP }) => {
    const { targets } = context.session;
    const from = context.group;
    const members = new Set(targets.resolve(from));
    const vessels = targets.resolve(TARGET);
    const strangers = vessels.filter((target) => !members.has(target)).map(({ id }) => id);
    if (strangers.length > 0) {
      throw new CommandError('UNKNOWN_TARGET', `expected vessels of ${from}, got ${enumerate(strangers)} besides`);
    }
    targets.addTo(GROUP, vessels);
    if (GROUP !== from) targets.removeFrom(from, vessels);
    return { ...membersOf(context, GROUP), from, left: membersOf(context, from).vessels };
  },
  render: ({ from, left, ...group }) => [group, { group: from, vessels: left }].map(renderGroup).join('\n'),
});

const exit = command({
  name: 'exit',
  summary: 'Leave the shell; programs in vessels go on.',
  slots: [],
  example: 'exit',
  result: z.object({}),
  run: async ({ session }) => {
    session.done = true;
    return {};
  },
  render: () => '',
});

export const contextCommands = [as, on, add, remove, move, exit];

/** @throws UsageError USAGE: neither what nor where */
function checkNamed(name: string, keyword: string, word: string | undefined): void {
  if (word === undefined) throw new UsageError('USAGE', `expected "${name} [TARGET] [${keyword} GROUP]", got neither`);
}

function vesselsOf(context: Context, target: string | undefined): Target[] {
  return target === undefined ? context.vessels() : context.session.targets.resolve(target);
}

function membersOf({ session: { targets } }: Context, group: string): z.infer<typeof membersSchema> {
  return { group, vessels: targets.resolve(group).map(({ id }) => id) };
}

function renderGroup({ group, vessels }: { group: string; vessels: string[] }): string {
  const names = vessels.length === 0 ? '' : `: ${enumerate(vessels, 40)}`;
  return `${group} has ${count(vessels.length, 'vessel')}${names}.`;
}
