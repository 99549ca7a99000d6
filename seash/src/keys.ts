import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  ConfigError,
  generateIdentity,
  type Identity,
  type KeyId,
  keyIdOf,
  keyIdSchema,
  loadIdentity,
  loadPublicKey,
  saveIdentity,
  savePublicKey,
} from '@potluck/protocol';
import { CommandError } from './errors.ts';
import type { Session } from './session.ts';

/** A pair of key files: `alice` stands for `alice.private.jwk` and `alice.public.jwk` in the shell's directory. */
export interface KeyFiles {
  /** What the identity is called in the shell unless another name is given. */
  readonly name: string;
  readonly privatePath: string;
  readonly publicPath: string;
}

export const PRIVATE_SUFFIX = '.private.jwk';
const PUBLIC_SUFFIX = '.public.jwk';

/** @param path absolute, without the suffixes. */
export function keyFilesOf(path: string): KeyFiles {
  return { name: basename(path), privatePath: `${path}${PRIVATE_SUFFIX}`, publicPath: `${path}${PUBLIC_SUFFIX}` };
}

/** Writes a new pair, or nothing. @throws ConfigError KEY_FILE_EXISTS */
export async function writeKeyFiles(files: KeyFiles): Promise<Identity> {
  const identity = generateIdentity();
  await saveIdentity(files.privatePath, identity);
  try {
    await savePublicKey(files.publicPath, identity.publicJwk);
  } catch (error) {
    await rm(files.privatePath, { force: true });
    throw error;
  }
  return identity;
}

/**
 * Reads a pair; the public file may be missing, but not be another key's.
 * @throws ConfigError KEY_FILE_MISSING, KEY_FILE_BROKEN, KEY_FILE_EXPOSED
 */
export async function readKeyFiles(files: KeyFiles): Promise<Identity> {
  const identity = await loadIdentity(files.privatePath);
  const publicJwk = await loadPublicKey(files.publicPath).catch((error: unknown) => {
    if (error instanceof ConfigError && error.code === 'KEY_FILE_MISSING') return identity.publicJwk;
    throw error;
  });
  const found = keyIdOf(publicJwk);
  if (found === identity.id) return identity;
  throw new ConfigError(
    'KEY_FILE_BROKEN',
    `expected ${files.publicPath} to hold the public part of ${files.privatePath}, key ${identity.id}, got key ${found}`,
  );
}

/**
 * The key that a word means: a loaded identity's, the key id itself, or that of a public key file without its suffix.
 * @throws CommandError UNKNOWN_IDENTITY @throws ConfigError KEY_FILE_BROKEN
 */
export async function keyNamed(session: Session, word: string): Promise<KeyId> {
  const identity = session.identities.get(word);
  if (identity !== undefined) return identity.id;
  const known = session.publicKeys.get(word);
  if (known !== undefined) return keyIdOf(known);
  const key = keyIdSchema.safeParse(word);
  if (key.success) return key.data;
  try {
    return keyIdOf(await loadPublicKey(keyFilesOf(session.path(word)).publicPath));
  } catch (cause) {
    if (!(cause instanceof ConfigError) || cause.code !== 'KEY_FILE_MISSING') throw cause;
    const expected = `a loaded identity, a key id of 43 characters, or a file ${word}${PUBLIC_SUFFIX}`;
    throw new CommandError('UNKNOWN_IDENTITY', `expected ${expected}, got none of them`, { cause });
  }
}

/** @throws CommandError BAD_NAME */
export function checkedIdentityName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/.test(name)) return name;
  throw new CommandError(
    'BAD_NAME',
    `expected an identity's name of 1 to 64 letters, digits, "_", "-", "." or "@", got "${name}"`,
  );
}
