import { Resolver } from 'node:dns';
import { open } from 'node:fs/promises';
import {
  addressSchema,
  ConfigError,
  gatewayAddressSchema,
  keyIdSchema,
  LIMITS,
  labelsSchema,
  PotluckError,
  parseDestination,
  parseRestrictions,
} from '@potluck/protocol';
import { LAYER_LIMITS } from '@potluck/repy-api';
import { z } from 'zod';
import { NODE_LIMITS } from './limits.ts';
import { type Place, Places, syntaxFault } from './place.ts';

/** Addresses that a server may listen on, but nobody can dial. */
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** Said at once of one configuration. */
const MOST_FAULTS = 10;

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

const destinationText = z.string().superRefine((text, context) => {
  try {
    parseDestination(text);
  } catch (error) {
    if (!(error instanceof PotluckError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** As `node:dns` takes them; whether it does is found by trying. */
const nameServer = z.string().refine((text) => {
  try {
    new Resolver().setServers([text]);
    return true;
  } catch {
    return false;
  }
}, 'expected the IP address of a name server, with a port or without');

const vesselConfigSchema = z.strictObject({
  owner: keyIdSchema,
  users: z.array(keyIdSchema).max(LIMITS.usersPerVessel),
  /** The text of a restrictions file. */
  restrictions: restrictionsText,
});
export type VesselConfig = z.infer<typeof vesselConfigSchema>;

const listenSchema = z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(0).max(65535) });

/** Not a union: that could not say what is wrong in it. */
const listensSchema = z.unknown().transform((value, context) => {
  const several = z.tuple([listenSchema], listenSchema).refine((list) => list.length <= LIMITS.advertisedAddresses, {
    error: `expected at most ${LIMITS.advertisedAddresses} addresses`,
  });
  const one = listenSchema.transform((only): z.infer<typeof several> => [only]);
  const parsed = (Array.isArray(value) ? several : one).safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.addIssue({ ...issue });
  return z.NEVER;
});

const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);

const metricsSchema = z
  .strictObject({
    host: z.string().min(1).max(255).default('127.0.0.1'),
    port: z.int().min(0).max(65535),
    /** Other machines may ask too. */
    anyone: z.boolean().default(false),
  })
  .refine(({ host, anyone }) => anyone || isLoopback(host), {
    path: ['host'],
    message:
      'expected a loopback address, for whoever reaches it reads how this node is used; "anyone": true opens it all the same',
  });

/** `nodemanager.json`. */
export const nodeConfigSchema = z
  .strictObject({
    /** One or several, such as one of IPv6 and one of IPv4; `::` is both at once. Port 0 takes any free one. */
    listen: listensSchema,
    /** What others are told to dial; by default the addresses that are listened on. */
    advertise: z.array(addressSchema).max(LIMITS.advertisedAddresses).optional(),
    gateway: gatewayAddressSchema.optional(),
    /** Whether the gateway may take callers to the node; with `"advertise": []` there is no other way to it. */
    relay: z.boolean().default(true),
    /**
     * Whether the router is asked (NAT-PMP, UPnP) to let others through to the ports that are listened on, which are then
     * advertised under its public address.
     */
    portMapping: z.boolean().default(false),
    /** What users may choose nodes by: `gpu`, `campus-north`. They are told to whoever asks where the node is. */
    labels: labelsSchema.default([]),
    /** Whether this node is a directory: it holds what other nodes say of themselves, and answers who looks for them. */
    directory: z.boolean().default(false),
    /** Directories that are told where this node is, each with its key. */
    directories: z.array(gatewayAddressSchema).max(NODE_LIMITS.directories).default([]),
    /**
     * Rules for the programs of all vessels, as after the word `destination` in restrictions: `deny 203.0.113.0/24`,
     * `allow 192.168.1.20 8000-8080`. A `deny` here or in a vessel's restrictions wins over an `allow` of the other.
     */
    destinations: z.array(destinationText).max(NODE_LIMITS.destinations).optional(),
    /** Who is asked for names; those of the system unless said. */
    nameServers: z.array(nameServer).min(1).max(NODE_LIMITS.nameServers).optional(),
    /**
     * Files of security layers under which all programs of this node run, the first next to the API; relative to the state
     * directory. See docs/security-layers.md.
     */
    layers: z.array(z.string().min(1).max(4096)).max(LAYER_LIMITS.layers).default([]),
    /** Where Prometheus may ask (`GET /metrics`, plain HTTP); nowhere unless said. */
    metrics: metricsSchema.optional(),
    /** What a split costs; Seattle's figures unless given. */
    offcut: restrictionsText.default(DEFAULT_OFFCUT),
    /**
     * Vessel processes that wait for a program, at most; each takes about 12 MiB. Unless said, 10, and no more than fit into
     * 1/64 of the machine's memory.
     */
    warm: z.int().min(0).max(NODE_LIMITS.vessels).optional(),
    /** Created as v1, v2, ... when the node has none yet. */
    vessels: z.array(vesselConfigSchema).max(NODE_LIMITS.vessels),
  })
  .superRefine((config, context) => {
    if (config.advertise?.length === 0 && !(config.relay && config.gateway !== undefined)) {
      const message = 'expected an address that others can dial, because no gateway takes callers to the node';
      context.addIssue({ code: 'custom', path: ['advertise'], message });
    }
    const wildcard = config.listen.find(({ host }) => WILDCARDS.has(host));
    if (config.advertise !== undefined || wildcard === undefined) return;
    const message = `expected an address that others can dial, because listen.host is ${wildcard.host}`;
    context.addIssue({ code: 'custom', path: ['advertise'], message });
  });
export type NodeConfig = z.infer<typeof nodeConfigSchema>;

/**
 * @throws ConfigError CONFIG_BROKEN: it names the file, and of each fault its line and column, its key, and what was
 * expected there.
 */
export async function loadConfig(path: string): Promise<NodeConfig> {
  const text = await readBounded(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const { place, message } = syntaxFault(text, cause);
    throw broken(path, `${at(place)}not JSON (${message})`, cause);
  }
  const parsed = nodeConfigSchema.safeParse(json);
  if (!parsed.success) throw broken(path, faultsOf(text, parsed.error), parsed.error);
  return parsed.data;
}

function faultsOf(text: string, error: z.ZodError): string {
  const places = new Places(text);
  const faults = error.issues.map((issue) => {
    const { path, message } = issue;
    const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    return `${at(places.of(path, key))}${z.core.toDotPath(path) || 'the whole'}: ${message}`;
  });
  const more = faults.splice(MOST_FAULTS).length;
  return `${faults.join('; ')}${more === 0 ? '' : `; and ${more} more`}`;
}

function at(place: Place | undefined): string {
  return place === undefined ? '' : `line ${place.line} column ${place.column}: `;
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
