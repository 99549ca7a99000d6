import { hintFor } from '@potluck/protocol';
import { z } from 'zod';
import { type Command, command } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { Modules } from '../modules.ts';
import { optionUsage } from '../option.ts';
import { table } from '../style.ts';

/** What people are told of a command. */
export const commandRow = z.object({
  name: z.string(),
  usage: z.string(),
  summary: z.string(),
  options: z.array(z.object({ usage: z.string(), summary: z.string() })),
  example: z.string(),
  /** The groups that it leaves, of the vessels where it went well and of the others. */
  groups: z.array(z.string()),
});

export function rowOf({ name, usage, summary, options, example, leaves }: Command): z.infer<typeof commandRow> {
  const rows = options.map((option) => ({ usage: optionUsage(option), summary: option.summary }));
  const groups = leaves === undefined ? [] : [`${leaves}good`, `${leaves}fail`];
  return { name, usage, summary, options: rows, example, groups };
}

export const helpCommand = command({
  name: 'help',
  summary: 'Explain a command; without one, list all.',
  slots: [{ name: 'COMMAND', kind: 'command', rest: true }],
  example: 'help run',
  result: z.object({ commands: z.array(commandRow) }),
  run: async ({ session }, { COMMAND }) => ({
    commands: select(session.modules, COMMAND.join(' ')).map(rowOf),
  }),
  render: ({ commands }, style) => {
    const [only, ...more] = commands;
    if (only === undefined || more.length > 0) return renderAll(commands, style);
    const width = Math.max(0, ...only.options.map(({ usage }) => usage.length));
    const options = only.options.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`);
    const [good, fail] = only.groups;
    const left = good === undefined ? [] : [`  Leaves the groups ${good} and ${fail}.`];
    return [style.strong(only.usage), `  ${only.summary}`, ...options, ...left, `  Example: ${only.example}`].join(
      '\n',
    );
  },
});

function select(modules: Modules, name: string): Command[] {
  const chosen = modules.commands.filter(
    (each) => name === '' || each.name === name || each.name.startsWith(`${name} `),
  );
  if (chosen.length > 0) return chosen;
  const disabled = modules.known.find((each) => each.name === name);
  if (disabled !== undefined) modules.checkEnabled(disabled);
  const names = modules.commands.map((each) => each.name);
  throw new UsageError('UNKNOWN_COMMAND', `expected a command, got "${name}"${hintFor(name, names)}`);
}

function renderAll(commands: readonly z.infer<typeof commandRow>[], style: Parameters<typeof table>[2]): string {
  const rows = commands.map(({ usage, summary }) => [usage, summary]);
  return [
    table(['Command', 'What it does'], rows, style),
    '',
    'TARGET is %all, the %number or name of a vessel, or a group. A bulk command leaves two groups, such as rungood',
    'and runfail. "help COMMAND" shows an example.',
  ].join('\n');
}
