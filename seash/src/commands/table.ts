import type { Command } from '../command.ts';
import { clearinghouseModule } from '../modules/clearinghouse.ts';
import { geoipModule } from '../modules/geoip.ts';
import { uploaddirModule } from '../modules/uploaddir.ts';
import { variablesModule } from '../modules/variables.ts';
import type { Module } from '../modules.ts';
import { retryCommand } from '../retry.ts';
import { contextCommands } from './context.ts';
import { deployCommands } from './deploy.ts';
import { fileCommands } from './files.ts';
import { findCommands } from './find.ts';
import { helpCommand } from './help.ts';
import { hostCommands } from './hosts.ts';
import { keyCommands } from './keys.ts';
import { moduleCommands } from './modules.ts';
import { ownerCommands } from './owners.ts';
import { programCommands } from './programs.ts';
import { settingCommands } from './settings.ts';
import { shapeCommands } from './shapes.ts';
import { showCommands } from './show.ts';
import { stateCommands } from './state.ts';

/** The shell's own commands, which are always there. */
export const OWN: readonly Command[] = [
  ...keyCommands,
  ...findCommands,
  ...contextCommands.filter(({ name }) => name !== 'exit'),
  ...programCommands,
  retryCommand,
  ...fileCommands,
  ...showCommands,
  ...hostCommands,
  ...ownerCommands,
  ...shapeCommands,
  ...stateCommands,
  ...settingCommands,
  ...moduleCommands,
  ...deployCommands,
  helpCommand,
  ...contextCommands.filter(({ name }) => name === 'exit'),
];

/** The modules that come with the shell; all are enabled until somebody disables one. */
export const MODULES: readonly Module[] = [
  clearinghouseModule,
  geoipModule,
  uploaddirModule,
  variablesModule(() => COMMANDS),
];

/** Every command of the shell. Parsing, help, completion, JSON and the page of its shapes all derive from it. */
export const COMMANDS: readonly Command[] = [...OWN, ...MODULES.flatMap(({ commands }) => commands)];
