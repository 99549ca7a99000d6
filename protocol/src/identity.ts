import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { chmod, open, readFile, rm, stat } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import {
  canonicalJwk,
  type KeyId,
  type PrivateJwk,
  type PublicJwk,
  privateJwkSchema,
  publicJwkSchema,
  type Signer,
} from './keys.ts';
import { digest } from './platform/node.ts';

/** An Ed25519 pair that can sign. */
export interface Identity extends Signer {
  readonly privateJwk: PrivateJwk;
  readonly privateKey: KeyObject;
}

/** @returns the thumbprint of RFC 7638 section 3. */
export function keyIdOf(jwk: PublicJwk): KeyId {
  return digest(canonicalJwk(jwk)) as KeyId;
}

export function identityFrom(privateJwk: PrivateJwk): Identity {
  const privateKey = createPrivateKey({ key: privateJwk, format: 'jwk' });
  const publicJwk = publicJwkSchema.parse(createPublicKey(privateKey).export({ format: 'jwk' }));
  if (publicJwk.x !== privateJwk.x) {
    throw new ConfigError('KEY_FILE_BROKEN', 'expected a matching pair, got a private key with another public key');
  }
  const signer: Signer = { id: keyIdOf(publicJwk), publicJwk, sign: (bytes) => sign(null, bytes, privateKey) };
  return { ...signer, privateJwk, privateKey };
}

export function generateIdentity(): Identity {
  const { privateKey } = generateKeyPairSync('ed25519');
  return identityFrom(privateJwkSchema.parse(privateKey.export({ format: 'jwk' })));
}

/**
 * Writes the pair to a new file with mode 0600; never overwrites one.
 * @throws ConfigError KEY_FILE_EXISTS
 */
export async function saveIdentity(path: string, identity: Identity): Promise<void> {
  await writeNew(path, identity.privateJwk, 0o600);
}

/** @throws ConfigError KEY_FILE_EXISTS */
export async function savePublicKey(path: string, publicJwk: PublicJwk): Promise<void> {
  await writeNew(path, publicJwk, 0o644);
}

/** @throws ConfigError KEY_FILE_MISSING, KEY_FILE_BROKEN, KEY_FILE_EXPOSED (readable by others) */
export async function loadIdentity(path: string): Promise<Identity> {
  const jwk = await readJwk(path, privateJwkSchema);
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    throw new ConfigError(
      'KEY_FILE_EXPOSED',
      `expected mode 0600 on the key file ${path}, got ${found}: run chmod 600`,
    );
  }
  try {
    return identityFrom(jwk);
  } catch (cause) {
    throw brokenKey(path, 'the private and public part do not belong together', cause);
  }
}

/** Reads the public part of a public or private key file. @throws ConfigError KEY_FILE_MISSING, KEY_FILE_BROKEN */
export async function loadPublicKey(path: string): Promise<PublicJwk> {
  return await readJwk(path, publicJwkSchema);
}

async function writeNew(path: string, value: object, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new ConfigError('KEY_FILE_EXISTS', `expected no file at ${path}, got one: keys are never overwritten`);
  });
  try {
    await handle.writeFile(`${JSON.stringify(value)}\n`);
    await handle.sync();
    await chmod(path, mode); // The umask may have taken bits away.
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function readJwk<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw brokenKey(path, cause.message, cause);
    throw new ConfigError('KEY_FILE_MISSING', `expected a key file at ${path}, got none`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw brokenKey(path, 'not JSON', cause);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw brokenKey(path, z.prettifyError(parsed.error).replaceAll('\n', ' '), undefined);
  return parsed.data;
}

function brokenKey(path: string, got: string, cause: unknown): ConfigError {
  return new ConfigError('KEY_FILE_BROKEN', `expected an Ed25519 key as JWK in ${path}, got: ${got}`, { cause });
}
