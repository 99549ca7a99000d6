import { stat } from 'node:fs/promises';
import { identityFrom, keyIdSchema, privateJwkSchema, seal, sealedFor, unseal } from '@potluck/protocol';
import { z } from 'zod';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { readLimited, replaceFile } from '../files.ts';
import type { Session } from '../session.ts';
import { count } from '../style.ts';
import { targetsSnapshotSchema } from '../targets.ts';

/** A file of `savestate`. */
export const STATE_LIMITS = { bytes: 32 * 1024 * 1024 } as const;

const TYPE = 'potluck-seash-state';

const stateSchema = z.object({
  version: z.literal(1),
  identities: z.array(z.object({ name: z.string(), jwk: privateJwkSchema })),
  identityName: z.string().optional(),
  targetName: z.string().optional(),
  targets: targetsSnapshotSchema,
  /** Of each node the way to it that won last. */
  ways: z.record(keyIdSchema, z.string().max(300)).default({}),
});

const result = z.object({ file: z.string(), key: keyIdSchema, vessels: z.int(), identities: z.array(z.string()) });
const slots = [{ name: 'FILE', kind: 'file' }] as const;

const savestate = command({
  name: 'savestate',
  summary: 'Keep vessels, groups, identities and defaults in FILE, sealed so that only the default identity opens it.',
  slots,
  example: 'savestate evening.state',
  result,
  run: async (context, { FILE }) => {
    const { session, identity } = context;
    const path = session.path(FILE);
    await checkReplaceable(path);
    const bytes = Buffer.from(JSON.stringify(stateOf(session)));
    await replaceFile(path, `${await seal(identity, TYPE, bytes)}\n`);
    return { file: FILE, key: identity.id, ...summaryOf(session) };
  },
  render: ({ file, vessels, identities }) => {
    return `Kept ${count(vessels, 'vessel')} and ${identities.join(', ')} in ${file}; the same identity opens it again.`;
  },
});

const loadstate = command({
  name: 'loadstate',
  summary: 'Know again what "savestate" kept in FILE, and nothing else; its identity must be loaded.',
  slots,
  example: 'loadstate evening.state',
  result,
  run: async (context, { FILE }) => {
    const { session, identity } = context;
    const text = (await readState(session.path(FILE))).trim();
    const bytes = await unseal(identity, TYPE, text);
    const state = stateSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (!state.success) {
      throw new CommandError('FILE_BROKEN', `expected a state of this shell in ${FILE}, got one of another version`);
    }
    const { identities, identityName, targetName, targets, ways } = state.data;
    for (const { name, jwk } of identities) session.identities.set(name, identityFrom(jwk));
    session.targets.restore(targets);
    session.connections.restore(ways);
    session.identityName = identityName ?? session.identityName;
    session.targetName = targetName;
    return { file: FILE, key: identity.id, ...summaryOf(session) };
  },
  render: ({ file, vessels, identities }) => {
    return `Know ${count(vessels, 'vessel')} and ${identities.join(', ')} from ${file}.`;
  },
});

export const stateCommands = [savestate, loadstate];

function stateOf(session: Session): z.infer<typeof stateSchema> {
  const identities = [...session.identities].map(([name, { privateJwk }]) => ({ name, jwk: privateJwk }));
  const { identityName, targetName, targets, connections } = session;
  return { version: 1, identities, identityName, targetName, targets: targets.snapshot(), ways: connections.ways };
}

function summaryOf({ targets, identities }: Session) {
  return { vessels: targets.all.length, identities: [...identities.keys()] };
}

/** A mistyped name must not cost anybody a program. @throws CommandError FILE_BROKEN */
async function checkReplaceable(path: string): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present === undefined) return;
  if (present.isFile() && sealedFor(TYPE, (await readState(path)).trim()) !== undefined) return;
  throw new CommandError('FILE_BROKEN', `expected no file or an older state at ${path}, got something else`);
}

async function readState(path: string): Promise<string> {
  return Buffer.from(await readLimited(path, STATE_LIMITS.bytes)).toString('utf8');
}
