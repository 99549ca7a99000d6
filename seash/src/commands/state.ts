import { keyIdSchema } from '@potluck/protocol';
import { z } from 'zod';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import type { Context, Session } from '../session.ts';
import { loadState, saveState } from '../state.ts';
import { count } from '../style.ts';

const result = z.object({ file: z.string(), key: keyIdSchema, vessels: z.int(), identities: z.array(z.string()) });

const savestate = command({
  name: 'savestate',
  summary:
    'Keep vessels, groups, identities, defaults, variables and settings in FILE, sealed so that only the default identity opens it.',
  slots: [{ name: 'FILE', kind: 'file' }],
  example: 'savestate evening.state',
  result,
  run: async ({ session, identity }, { FILE }) => {
    await saveState(session, identity, session.path(FILE));
    return { file: FILE, key: identity.id, ...summaryOf(session) };
  },
  render: ({ file, vessels, identities }) => {
    return `Kept ${count(vessels, 'vessel')} and ${identities.join(', ')} in ${file}; the same identity opens it again.`;
  },
});

const loadstate = command({
  name: 'loadstate',
  summary:
    'Know again what "savestate" kept in FILE, and nothing else; its identity must be loaded. Without FILE, what "set autosave on" kept, and go on keeping it.',
  slots: [{ name: 'FILE', kind: 'file', optional: true }],
  example: 'loadstate evening.state',
  result,
  run: async (context, { FILE }) => {
    const { session, identity } = context;
    const file = FILE === undefined ? await autosavedFile(context) : session.path(FILE);
    await loadState(session, identity, file);
    if (FILE === undefined) session.autosave = true;
    return { file: FILE ?? file, key: identity.id, ...summaryOf(session) };
  },
  render: ({ file, vessels, identities }) => {
    return `Know ${count(vessels, 'vessel')} and ${identities.join(', ')} from ${file}.`;
  },
});

export const stateCommands = [savestate, loadstate];

async function autosavedFile({ session, identity }: Context): Promise<string> {
  if (session.home !== undefined) return await session.home.stateOf(identity.id);
  throw new CommandError('FILE_MISSING', 'expected a FILE, got none, from a shell without a home that would keep one');
}

function summaryOf({ targets, identities }: Session) {
  return { vessels: targets.all.length, identities: [...identities.keys()] };
}
