import { open } from 'node:fs/promises';
import {
  addressSchema,
  ConfigError,
  gatewayAddressSchema,
  keyIdSchema,
  LIMITS,
  PotluckError,
  parseRestrictions,
} from '@potluck/protocol';
import { z } from 'zod';
import { NODE_LIMITS } from './limits.ts';

/** Addresses that a server may listen on, but nobody can dial. */
const WILDCARDS = new Set(['0.0.0.0', '::']);

const restrictionsText = z.string().superRefine((text, context) => {
  try {
    parseRestrictions(text);
  } catch (error) {
    if (!(error instanceof PotluckError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** Seattle's `resources.offcut`. */
const DEFAULT_OFFCUT = `resource cpu .002
resource memory 1000000
resource diskused 100000
resource events 2
resource filewrite 1000
resource fileread 1000
resource filesopened 1
resource lograte 100
`;

const vesselConfigSchema = z.strictObject({
  owner: keyIdSchema,
  users: z.array(keyIdSchema).max(LIMITS.usersPerVessel),
  /** The text of a restrictions file. */
  restrictions: restrictionsText,
});
export type VesselConfig = z.infer<typeof vesselConfigSchema>;

/** `nodemanager.json`. */
export const nodeConfigSchema = z
  .strictObject({
    /** Port 0 takes any free one. */
    listen: z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(0).max(65535) }),
    /** What others are told to dial; by default the address that is listened on. */
    advertise: z.array(addressSchema).min(1).max(LIMITS.advertisedAddresses).optional(),
    gateway: gatewayAddressSchema.optional(),
    /** What a split costs; Seattle's figures unless given. */
    offcut: restrictionsText.default(DEFAULT_OFFCUT),
    /** Created as v1, v2, ... when the node has none yet. */
    vessels: z.array(vesselConfigSchema).max(NODE_LIMITS.vessels),
  })
  .superRefine((config, context) => {
    if (config.advertise !== undefined || !WILDCARDS.has(config.listen.host)) return;
    const message = `expected an address that others can dial, because listen.host is ${config.listen.host}`;
    context.addIssue({ code: 'custom', path: ['advertise'], message });
  });
export type NodeConfig = z.infer<typeof nodeConfigSchema>;

/** @throws ConfigError CONFIG_BROKEN: it names the file, each key that is wrong, and what was expected there. */
export async function loadConfig(path: string): Promise<NodeConfig> {
  const text = await readBounded(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw broken(path, cause instanceof Error ? cause.message : 'not JSON', cause);
  }
  const parsed = nodeConfigSchema.safeParse(json);
  if (!parsed.success) throw broken(path, issuesOf(parsed.error), parsed.error);
  return parsed.data;
}

function issuesOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${z.core.toDotPath(path) || 'the whole'}: ${message}`).join('; ');
}

async function readBounded(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > NODE_LIMITS.configBytes) throw broken(path, `${size} bytes, over ${NODE_LIMITS.configBytes}`, undefined);
    bytes = await file.readFile();
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw broken(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return bytes.toString('utf8');
}

function broken(path: string, got: string, cause: unknown): ConfigError {
  return new ConfigError('CONFIG_BROKEN', `expected a node manager's configuration in ${path}, got: ${got}`, {
    // zod's error would be said twice by whoever prints causes.
    ...(cause instanceof z.ZodError || cause instanceof SyntaxError ? {} : { cause }),
    details: { path },
  });
}
