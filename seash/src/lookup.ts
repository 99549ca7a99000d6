import {
  type Advertisement,
  addressText,
  directly,
  type KeyId,
  PeerError,
  type Reach,
  verifyAdvertisement,
} from '@potluck/protocol';
import type { DirectoryAddress } from './address.ts';
import { ask } from './bulk.ts';
import { advertisementsAt, LOOKUP_LIMITS } from './clearinghouse.ts';
import { CommandError, type ErrorFacts, factsOf } from './errors.ts';
import type { Context } from './session.ts';

/** Where a node says that it is; checked against the node's signature. */
export interface Sighting {
  readonly node: KeyId;
  readonly reach: Reach;
}

export interface Lookup {
  /** One for each node, its newest. */
  readonly sightings: readonly Sighting[];
  /** Why an advertisement was not believed, and who of those that were asked did not answer. */
  readonly failures: readonly { affected: string; error: ErrorFacts }[];
}

interface Source {
  readonly name: string;
  ask(): Promise<readonly string[]>;
}

/**
 * Asks the clearinghouse and all directories at once for the nodes that host vessels for the identity. One that is away
 * hides nothing that another knows.
 * @throws CommandError NO_CLEARINGHOUSE @throws what the first one failed of, when none answered
 */
export async function lookUp(context: Context): Promise<Lookup> {
  const sources = sourcesOf(context);
  const answers = await Promise.allSettled(sources.map((source) => source.ask()));
  const given = answers.filter((answer) => answer.status === 'fulfilled');
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (given.length === 0 && refused !== undefined) throw refused.reason;
  const away = answers.flatMap((answer, index) =>
    answer.status === 'rejected' ? [{ affected: sources[index]?.name ?? '', error: factsOf(answer.reason) }] : [],
  );
  const { sightings, failures } = await sightingsOf(
    given.flatMap(({ value }) => value),
    context.identity.id,
  );
  return { sightings, failures: [...away, ...failures] };
}

function sourcesOf(context: Context): Source[] {
  const { session, signal, identity } = context;
  const { clearinghouse, directories } = session;
  const site = clearinghouse && {
    name: clearinghouse.origin,
    ask: async () => await advertisementsAt(clearinghouse, identity.id, signal),
  };
  const nodes = directories.map((directory) => ({
    name: addressText(directory.address),
    ask: async () => await askDirectory(context, directory),
  }));
  const sources = [...(site ? [site] : []), ...nodes];
  if (sources.length > 0) return sources;
  throw new CommandError(
    'NO_CLEARINGHOUSE',
    'expected a clearinghouse or a directory to ask, got none: start seash with --clearinghouse URL or --directory HOST:PORT, or say "contact HOST:PORT"',
  );
}

async function askDirectory(context: Context, { address, key }: DirectoryAddress): Promise<string[]> {
  const { identity, session, signal } = context;
  const node = key ?? (await session.connections.meet({ identity, reach: directly(address), signal }));
  const call = { method: 'LookUp', params: { key: identity.id } } as const;
  const { attachment } = await ask(context, { node, reach: directly(address) }, call);
  const lines = Buffer.from(attachment).toString('latin1').split('\n').filter(Boolean);
  if (lines.length <= LOOKUP_LIMITS.advertisements) return lines;
  throw new PeerError(
    'BAD_REPLY',
    `expected at most ${LOOKUP_LIMITS.advertisements} advertisements, got ${lines.length}`,
  );
}

/** Whoever answered may have made them up, or may answer something else: each must be signed, new, and about the key. */
export async function sightingsOf(advertisements: readonly string[], key: KeyId): Promise<Lookup> {
  const newest = new Map<KeyId, Advertisement>();
  const failures: { affected: string; error: ErrorFacts }[] = [];
  for (const jws of new Set(advertisements)) {
    try {
      const { node, advertisement } = await verifyAdvertisement(jws);
      if (node !== key && !advertisement.keys.includes(key)) {
        throw new PeerError('BAD_REPLY', 'expected an advertisement for the identity, got one for others');
      }
      const known = newest.get(node);
      if (known === undefined || known.iat < advertisement.iat) newest.set(node, advertisement);
    } catch (error) {
      failures.push({ affected: 'an advertisement', error: factsOf(error) });
    }
  }
  const sightings = [...newest].map(([node, { addresses, relays }]) => ({ node, reach: { addresses, relays } }));
  return { sightings, failures };
}
