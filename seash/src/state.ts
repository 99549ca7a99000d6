import { rename, stat } from 'node:fs/promises';
import {
  type Identity,
  identityFrom,
  keyIdSchema,
  parseJson,
  privateJwkSchema,
  publicJwkSchema,
  seal,
  sealedFor,
  unseal,
} from '@potluck/protocol';
import { z } from 'zod';
import { CommandError } from './errors.ts';
import { readLimited, replaceFile } from './files.ts';
import type { Session } from './session.ts';
import { targetsSnapshotSchema } from './targets.ts';

/** A file of `savestate`. */
export const STATE_LIMITS = { bytes: 32 * 1024 * 1024 } as const;

const TYPE = 'potluck-seash-state';

const stateSchema = z.object({
  version: z.literal(1),
  identities: z.array(z.object({ name: z.string(), jwk: privateJwkSchema })),
  publicKeys: z.array(z.object({ name: z.string(), jwk: publicJwkSchema })).default([]),
  identityName: z.string().optional(),
  targetName: z.string().optional(),
  targets: targetsSnapshotSchema,
  /** Of each node the way to it that won last. */
  ways: z.record(keyIdSchema, z.string().max(300)).default({}),
  variables: z.array(z.tuple([z.string(), z.string()])).default([]),
  settings: z
    .object({
      replyTimeoutMs: z.number(),
      uploadBytesPerSecond: z.number(),
      showparse: z.boolean(),
    })
    .optional(),
});

/** Writes what a shell knows, so that only the identity opens it again. @throws CommandError FILE_BROKEN: another's file */
export async function saveState(session: Session, identity: Identity, path: string): Promise<void> {
  await checkReplaceable(path);
  await replaceFile(path, `${await seal(identity, TYPE, Buffer.from(textOf(session)))}\n`);
}

/**
 * Makes a shell know what a file knows, and nothing else but the identities that are loaded.
 * @throws CommandError FILE_MISSING, FILE_BROKEN, FILE_TOO_LARGE @throws SealError
 */
export async function loadState(session: Session, identity: Identity, path: string): Promise<void> {
  const bytes = await unseal(identity, TYPE, await readState(path));
  const state = stateSchema.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
  if (!state.success) {
    throw new CommandError('FILE_BROKEN', `expected a state of this shell in ${path}, got one of another version`);
  }
  const { identities, publicKeys, identityName, targetName, targets, ways, variables, settings } = state.data;
  for (const { name, jwk } of publicKeys) session.publicKeys.set(name, jwk);
  for (const { name, jwk } of identities) session.identities.set(name, identityFrom(jwk));
  session.targets.restore(targets);
  session.connections.restore(ways);
  session.identityName = identityName ?? session.identityName;
  session.targetName = targetName;
  session.variables.clear();
  for (const [name, value] of variables) session.variables.set(name, value);
  if (settings === undefined) return;
  const { replyTimeoutMs, uploadBytesPerSecond, showparse } = settings;
  Object.assign(session.connections, { replyTimeoutMs, uploadBytesPerSecond });
  session.showparse = showparse;
}

/** Keeps the state of a session in its home after each command that changed it. */
export class Autosave {
  readonly #session: Session;
  #path: string | undefined;
  #kept = '';

  constructor(session: Session) {
    this.#session = session;
  }

  /** What another shell kept for the identity is put aside once, as `.old`. */
  async keep(): Promise<void> {
    const { autosave, home, identityName } = this.#session;
    if (!autosave || home === undefined || identityName === undefined) return;
    const identity = this.#session.identity(identityName);
    const path = await home.stateOf(identity.id);
    const text = textOf(this.#session);
    if (path === this.#path && text === this.#kept) return;
    if (path !== this.#path) await rename(path, `${path}.old`).catch(() => undefined); // None is there the first time.
    await saveState(this.#session, identity, path);
    this.#path = path;
    this.#kept = text;
  }
}

function textOf(session: Session): string {
  const { identityName, targetName, connections, showparse } = session;
  const { replyTimeoutMs, uploadBytesPerSecond } = connections;
  const state: z.infer<typeof stateSchema> = {
    version: 1,
    identities: [...session.identities].map(([name, { privateJwk }]) => ({ name, jwk: privateJwk })),
    publicKeys: [...session.publicKeys].map(([name, jwk]) => ({ name, jwk })),
    identityName,
    targetName,
    targets: session.targets.snapshot(),
    ways: connections.ways,
    variables: [...session.variables],
    settings: { replyTimeoutMs, uploadBytesPerSecond, showparse },
  };
  return JSON.stringify(state);
}

/** A mistyped name must not cost anybody a program. @throws CommandError FILE_BROKEN */
async function checkReplaceable(path: string): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present === undefined) return;
  if (present.isFile() && sealedFor(TYPE, await readState(path)) !== undefined) return;
  throw new CommandError('FILE_BROKEN', `expected no file or an older state at ${path}, got something else`);
}

async function readState(path: string): Promise<string> {
  return Buffer.from(await readLimited(path, STATE_LIMITS.bytes))
    .toString('utf8')
    .trim();
}
