import { randomUUID } from 'node:crypto';
import { Clearinghouse, ClearinghouseError, type Operations } from '@potluck/clearinghouse';
import type { AccountFacts, AcquireType, HeldVessel, Identity, Rule } from '@potluck/protocol';
import { cancellable, LOOKUP_LIMITS } from './clearinghouse.ts';

export interface AccountInit {
  readonly clearinghouse: URL;
  /** Whose key the account has. */
  readonly identity: Identity;
  /** The account's name; needed when several have the key. */
  readonly account?: string | undefined;
}

export interface Wanted {
  readonly count: number;
  readonly type: AcquireType;
  /** By which they are chosen: `country=NL`, `apart=500km`. */
  readonly rules?: readonly Rule[];
  /** Names the acquisition, so that asking again gives the same vessels; a random one unless given. */
  readonly idempotencyKey?: string | undefined;
}

export interface Holdings {
  readonly credits: { readonly total: number; readonly used: number };
  readonly vessels: readonly HeldVessel[];
}

/** How often an acquisition is asked for whose answer did not come. */
const ATTEMPTS = 3;

export interface Renewed {
  /** All that is held. */
  readonly vessels: readonly HeldVessel[];
  /** The handles that were not renewed. */
  readonly drained: readonly string[];
}

/** What a user asks a clearinghouse of his account, signed by his key. Each method throws ClearinghouseError. */
export class Account {
  readonly #client: Clearinghouse;

  constructor({ clearinghouse, identity, account }: AccountInit) {
    this.#client = new Clearinghouse({ url: clearinghouse, identity, account });
  }

  async facts(signal: AbortSignal): Promise<AccountFacts> {
    return (await cancellable(signal, this.#client.call('getAccount', {}, { signal }))) as AccountFacts;
  }

  /** All of them, however many pages the list has. */
  async holdings(signal: AbortSignal): Promise<Holdings> {
    return await cancellable(signal, this.#allHeld(signal));
  }

  /** All or nothing. Asks again when the answer was lost: under one name, nothing is acquired twice. */
  async acquire(wanted: Wanted, signal: AbortSignal): Promise<readonly HeldVessel[]> {
    const { idempotencyKey = randomUUID(), rules = [], ...rest } = wanted;
    const options = { signal, timeoutMs: LOOKUP_LIMITS.acquireMs };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const asked = this.#client.call('postVesselsAcquire', { ...rest, rules, idempotencyKey }, options);
        return heldOf(await cancellable(signal, asked));
      } catch (error) {
        if (attempt >= ATTEMPTS || !isWorthAsking(error)) throw error;
      }
    }
  }

  /**
   * All of them or none, but for those on machines that are being drained: they run out.
   * @param handles `NODEID:v1`
   */
  async renew(handles: readonly string[], signal: AbortSignal): Promise<Renewed> {
    try {
      return { vessels: await this.#renew(handles, signal), drained: [] };
    } catch (error) {
      const drained = drainedOf(error);
      const others = handles.filter((handle) => !drained.includes(handle));
      if (drained.length === 0 || others.length === 0) throw error;
      return { vessels: await this.#renew(others, signal), drained };
    }
  }

  async #renew(handles: readonly string[], signal: AbortSignal): Promise<readonly HeldVessel[]> {
    return heldOf(await cancellable(signal, this.#client.call('postVesselsRenew', { handles }, { signal })));
  }

  /** @param handles `NODEID:v1`. All or none of them. */
  async release(handles: readonly string[], signal: AbortSignal): Promise<void> {
    await cancellable(signal, this.#client.call('postVesselsRelease', { handles }, { signal }));
  }

  async #allHeld(signal: AbortSignal): Promise<Holdings> {
    const pages = await Array.fromAsync(this.#client.pages('getVessels', {}, { signal }));
    const credits = pages.at(-1)?.credits ?? { total: 0, used: 0 };
    return { credits, vessels: pages.flatMap(heldOf) };
  }
}

type Held = Pick<Operations['getVessels']['result'], 'vessels'>;

/** As its schema in the document, which cannot say that the name of a key is a `KeyId`. */
function heldOf({ vessels }: Held): readonly HeldVessel[] {
  return vessels as readonly HeldVessel[];
}

/** The answer was lost, or is still being made. */
function isWorthAsking(error: unknown): boolean {
  if (!(error instanceof ClearinghouseError)) return false;
  return error.code === 'CLEARINGHOUSE_UNREACHABLE' || error.details.code === 'IN_PROGRESS';
}

/** @returns the handles because of which the clearinghouse renewed none. */
function drainedOf(error: unknown): readonly string[] {
  if (!(error instanceof ClearinghouseError) || error.details.code !== 'DRAINING') return [];
  const { handles } = error.details;
  return Array.isArray(handles) ? handles.map(String) : [];
}
