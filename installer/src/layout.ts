import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressSchema, donationSchema } from '@potluck/protocol';
import { z } from 'zod';
import { InstallError } from './errors.ts';

/** Every path of an installation, relative to its directory, in one place. */
export function layoutOf(directory: string) {
  const state = join(directory, 'state');
  return {
    directory,
    /** There while an installation is being made; what it is found with was broken off. */
    unfinished: join(directory, '.installing'),
    /** Says that this directory is ours to remove. */
    marker: join(directory, 'installation.json'),
    bin: join(directory, 'bin'),
    lib: join(directory, 'lib'),
    node: join(directory, 'bin', 'node'),
    daemon: join(directory, 'lib', 'nodemanager.mjs'),
    control: join(directory, 'potluck'),
    state,
    config: join(state, 'nodemanager.json'),
    key: join(state, 'node.jwk'),
    /** Written by the node manager while it listens. */
    address: join(state, 'address.json'),
    /** Written by us: which process was started. */
    process: join(state, 'daemon.json'),
    output: join(state, 'daemon.log'),
  } as const;
}
export type Layout = ReturnType<typeof layoutOf>;

/** `installation.json`: what was installed, for people and for `status`. */
export const installationSchema = z.object({
  version: z.literal(1),
  installedAt: z.iso.datetime(),
  node: z.string(),
  percent: z.number(),
  vessels: z.number(),
  donation: donationSchema,
});
export type Installation = z.infer<typeof installationSchema>;

/** `state/address.json`, as the node manager writes it when it listens. */
export const listeningSchema = addressSchema.extend({ node: z.string(), pid: z.int().positive() });
export type Listening = z.infer<typeof listeningSchema>;

/** @returns undefined when there is no such file or when it is not of that shape. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof z.ZodError || error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}

/** @throws InstallError NOT_AN_INSTALLATION: so nothing that is not ours is ever stopped or removed */
export async function requireInstallation(directory: string): Promise<{ layout: Layout; installation: Installation }> {
  const layout = layoutOf(directory);
  const installation = await readJson(layout.marker, installationSchema);
  if (installation !== undefined) return { layout, installation };
  throw new InstallError('NOT_AN_INSTALLATION', `expected an installation of Potluck at ${directory}, got none`);
}
