import { z } from 'zod';
import { command } from '../command.ts';
import type { Module } from '../modules.ts';
import { count, enumerate, table } from '../style.ts';
import { commandRow, rowOf } from './help.ts';

const changed = z.object({ module: z.string(), commands: z.array(z.string()) });
const slots = [{ name: 'MODULE', kind: 'module' }] as const;

const show = command({
  name: 'show modules',
  summary: 'Show the modules, their commands, and which are enabled.',
  slots: [],
  example: 'show modules',
  result: z.object({ modules: z.array(changed.extend({ enabled: z.boolean(), summary: z.string() })) }),
  run: async ({ session: { modules } }) => {
    const enabled = new Set(modules.enabled);
    return {
      modules: modules.all.map((module) => {
        return { ...changeOf(module), enabled: enabled.has(module), summary: module.summary };
      }),
    };
  },
  render: ({ modules }, style) => {
    const rows = modules.map(({ module, enabled, commands, summary }) => {
      return [module, enabled ? 'enabled' : 'disabled', commands.join(', '), summary];
    });
    return table(['Module', '', 'Commands', 'What it does'], rows, style);
  },
});

const enable = command({
  name: 'enable',
  summary: 'Have the commands of a MODULE from now on, also the next time.',
  slots,
  example: 'enable geoip',
  result: changed,
  run: async ({ session }, { MODULE }) => {
    const module = session.modules.enable(MODULE);
    await session.home?.remember(session.modules);
    return changeOf(module);
  },
  render: ({ module, commands }) => `Enabled ${module}: ${count(commands.length, 'command')}, ${enumerate(commands)}.`,
});

const disable = command({
  name: 'disable',
  summary: 'Do without the commands of a MODULE from now on, also the next time.',
  slots,
  example: 'disable geoip',
  result: changed,
  run: async ({ session }, { MODULE }) => {
    const module = session.modules.disable(MODULE);
    await session.home?.remember(session.modules);
    return changeOf(module);
  },
  render: ({ module, commands }) => `Disabled ${module}, and with it ${enumerate(commands)}.`,
});

const help = command({
  name: 'modulehelp',
  summary: 'Explain a MODULE and its commands.',
  slots,
  example: 'modulehelp variables',
  result: z.object({ module: z.string(), enabled: z.boolean(), help: z.string(), commands: z.array(commandRow) }),
  run: async ({ session: { modules } }, { MODULE }) => {
    const module = modules.named(MODULE);
    const enabled = modules.enabled.includes(module);
    return { module: module.name, enabled, help: module.help, commands: module.commands.map(rowOf) };
  },
  render: ({ module, enabled, help: text, commands }, style) => {
    const rows = commands.map(({ usage, summary, example }) => [usage, summary, example]);
    const title = `${style.strong(module)}${enabled ? '' : ` (disabled: "enable ${module}")`}`;
    return [title, text, '', table(['Command', 'What it does', 'Example'], rows, style)].join('\n');
  },
});

export const moduleCommands = [show, enable, disable, help];

function changeOf({ name, commands }: Module): z.infer<typeof changed> {
  return { module: name, commands: commands.map((each) => each.name) };
}
