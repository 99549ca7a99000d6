import { z } from 'zod';
import { command } from '../command.ts';
import { count, enumerate } from '../style.ts';

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

const add = command({
  name: 'add',
  summary: 'Add vessels to a group; without TARGET, those that "on" names.',
  slots: [
    { name: 'TARGET', kind: 'target', optional: true },
    { name: 'GROUP', kind: 'group', after: 'to' },
  ],
  example: 'add %1 to mygroup',
  result: z.object({ group: z.string(), vessels: z.array(z.string()) }),
  run: async (context, { TARGET, GROUP }) => {
    const { targets } = context.session;
    targets.addTo(GROUP, TARGET === undefined ? context.vessels() : targets.resolve(TARGET));
    return { group: GROUP, vessels: targets.resolve(GROUP).map(({ id }) => id) };
  },
  render: renderGroup,
});

const remove = command({
  name: 'remove',
  summary: 'Take vessels out of a group; without TARGET, those that "on" names.',
  slots: [
    { name: 'TARGET', kind: 'target', optional: true },
    { name: 'GROUP', kind: 'group', after: 'from' },
  ],
  example: 'remove %1 from mygroup',
  result: z.object({ group: z.string(), vessels: z.array(z.string()) }),
  run: async (context, { TARGET, GROUP }) => {
    const { targets } = context.session;
    targets.removeFrom(GROUP, TARGET === undefined ? context.vessels() : targets.resolve(TARGET));
    return { group: GROUP, vessels: targets.resolve(GROUP).map(({ id }) => id) };
  },
  render: renderGroup,
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

export const contextCommands = [as, on, add, remove, exit];

function renderGroup({ group, vessels }: { group: string; vessels: string[] }): string {
  const names = vessels.length === 0 ? '' : `: ${enumerate(vessels, 40)}`;
  return `${group} has ${count(vessels.length, 'vessel')}${names}.`;
}
