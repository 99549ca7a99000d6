import { createHash } from 'node:crypto';
import {
  fileNameSchema,
  type Identity,
  type KeyId,
  keyIdSchema,
  LIMITS,
  PotluckError,
  parseJson,
  seal,
  sealedFor,
  unseal,
  vesselNameSchema,
} from '@potluck/protocol';
import { z } from 'zod';
import { CommandError } from '../errors.ts';
import { DEPLOY_LIMITS } from './limits.ts';

/** The file that a deployment leaves in each of its vessels: the one place where it is written down what runs there. */
export const MARK_FILE = fileNameSchema.parse('deployment.mark');

const TYPE = 'potluck-deployment';

const markSchema = z.strictObject({
  deployment: z.string(),
  /** Of this vessel, so that a mark that was copied from another vessel is none. */
  node: keyIdSchema,
  vessel: vesselNameSchema,
  version: z.string(),
  index: z.int().min(0),
  program: fileNameSchema,
  args: z.array(z.string()).max(LIMITS.programArguments),
  /** What it has uploaded, so that the next version can take away what it has not. */
  files: z.array(fileNameSchema).max(DEPLOY_LIMITS.files + 1),
  /** How often the program was started again in a row. */
  restarts: z.int().min(0),
  /** `since` of the vessel when the mark was written: as long as it is that, the program was not started. */
  after: z.number(),
});
export type Mark = z.infer<typeof markSchema>;

/** Sealed: nobody but the identity can read or make one. @throws CommandError BAD_ARGUMENTS: too long to be read again */
export async function sealMark(identity: Identity, mark: Mark): Promise<Uint8Array> {
  const bytes = Buffer.from(await seal(identity, TYPE, Buffer.from(JSON.stringify(mark))));
  const { markBytes } = DEPLOY_LIMITS;
  if (bytes.byteLength <= markBytes) return bytes;
  const message = `expected arguments whose mark takes at most ${markBytes} bytes, got ${bytes.byteLength}`;
  throw new CommandError('BAD_ARGUMENTS', message);
}

/** @returns the mark, or the key of somebody else whose mark it is, or undefined for what is no whole mark. */
export async function openMark(identity: Identity, bytes: Uint8Array): Promise<Mark | KeyId | undefined> {
  const text = Buffer.from(bytes).toString('utf8');
  const key = sealedFor(TYPE, text);
  if (key !== identity.id) return key;
  try {
    const opened = await unseal(identity, TYPE, text);
    return markSchema.safeParse(parseJson(Buffer.from(opened).toString('utf8'))).data;
  } catch (error) {
    if (error instanceof PotluckError) return undefined;
    throw error;
  }
}

/** A short name of what is declared, the same wherever it is read. */
export function versionOf(facts: object): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 12);
}
