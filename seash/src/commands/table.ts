import type { Command } from '../command.ts';
import { contextCommands } from './context.ts';
import { fileCommands } from './files.ts';
import { findCommands } from './find.ts';
import { helpCommand } from './help.ts';
import { keyCommands } from './keys.ts';
import { ownerCommands } from './owners.ts';
import { programCommands } from './programs.ts';
import { shapeCommands } from './shapes.ts';
import { showCommands } from './show.ts';
import { stateCommands } from './state.ts';

/** Every command of the shell. Parsing, help, completion, JSON and the page of its shapes all derive from it. */
export const COMMANDS: readonly Command[] = [
  ...keyCommands,
  ...findCommands,
  ...contextCommands.filter(({ name }) => name !== 'exit'),
  ...programCommands,
  ...fileCommands,
  ...showCommands,
  ...ownerCommands,
  ...shapeCommands,
  ...stateCommands,
  helpCommand(() => COMMANDS),
  ...contextCommands.filter(({ name }) => name === 'exit'),
];
