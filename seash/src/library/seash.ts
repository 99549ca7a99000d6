import type { Identity, KeyId } from '@potluck/protocol';
import type { Wanted } from '../account.ts';
import type { Failure } from '../bulk.ts';
import { clearinghouseUrl } from '../clearinghouse.ts';
import { browse, contact } from '../commands/find.ts';
import type { ConnectionsInit } from '../connections.ts';
import { CommandError } from '../errors.ts';
import { keyFilesOf, readKeyFiles } from '../keys.ts';
import { acquire, standing } from '../leases.ts';
import { Modules } from '../modules.ts';
import { Context, Session } from '../session.ts';
import { type CallOptions, type ContextOf, Vessels } from './vessels.ts';

export interface SeashInit extends ConnectionsInit {
  /** Who asks: a pair of keys, or the name of key files without their suffixes (`alice` for `alice.private.jwk`). */
  readonly identity: Identity | string;
  /** An http or https URL; needed to acquire and to browse. */
  readonly clearinghouse?: string | undefined;
  /** The name of the account there; needed when several have the key. */
  readonly account?: string | undefined;
  /** What relative file names are relative to; the process's own directory unless given. */
  readonly directory?: string;
  /** How many nodes are asked at once; 32 unless given. */
  readonly parallel?: number;
}

export type AcquireOptions = CallOptions & Partial<Pick<Wanted, 'type' | 'idempotencyKey'>>;

const NAME = 'me';

/**
 * What the shell does, from code: find and acquire vessels, upload, run, follow, release. `await using` closes the
 * connections at the end; programs in vessels go on, and vessels stay acquired.
 */
export class Seash implements AsyncDisposable {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** @throws UsageError USAGE (no URL) @throws ConfigError KEY_FILE_MISSING, KEY_FILE_BROKEN, KEY_FILE_EXPOSED */
  static async open(init: SeashInit): Promise<Seash> {
    const { identity, clearinghouse, directory = process.cwd(), ...rest } = init;
    const url = clearinghouse === undefined ? undefined : clearinghouseUrl(clearinghouse);
    const session = new Session({ ...rest, directory, clearinghouse: url, modules: new Modules([], []) });
    const pair = typeof identity === 'string' ? await readKeyFiles(keyFilesOf(session.path(identity))) : identity;
    session.addIdentity(NAME, pair);
    return new Seash(session);
  }

  /** The identity's key. */
  get key(): KeyId {
    return this.#session.identity(NAME).id;
  }

  /** All vessels that the session knows. */
  get vessels(): Vessels {
    return new Vessels(this.#contextOf, this.#session.targets.all);
  }

  /** Name, credits, port, and what the account holds until when. @throws ClearinghouseError */
  async account(options: CallOptions = {}) {
    return await standing(this.#contextOf([], options));
  }

  /**
   * Acquires vessels, all or none, and meets their nodes.
   * @throws ClearinghouseError NOT_ENOUGH_CREDITS, UNABLE_TO_ACQUIRE, NOT_AUTHENTICATED, ...: nothing is acquired then
   * @throws CommandError SOME_FAILED: they are acquired, and some cannot be met now; `account` says which there are
   */
  async acquire(count: number, { type = 'random', idempotencyKey, ...options }: AcquireOptions = {}): Promise<Vessels> {
    const { vessels, failed } = await acquire(this.#contextOf([], options), { count, type, idempotencyKey });
    throwIfAny(failed);
    const ids = new Set(vessels.map(({ id }) => id));
    return this.vessels.filter(({ id }) => ids.has(id));
  }

  /** The identity's vessels on all nodes that the clearinghouse knows and that answer. @throws ClearinghouseError */
  async browse(options: CallOptions = {}): Promise<Vessels> {
    const { vessels } = await browse.work(this.#contextOf([], options), {});
    const ids = new Set(vessels.map(({ id }) => id));
    return this.vessels.filter(({ id }) => ids.has(id));
  }

  /** The identity's vessels on one node; whatever key answers is believed. @param address `10.0.0.7:1224[:v1]` */
  async contact(address: string, options: CallOptions = {}): Promise<Vessels> {
    const { vessels } = await contact.work(this.#contextOf([], options), { 'HOST:PORT[:VESSEL]': address });
    const ids = new Set(vessels.map(({ id }) => id));
    return this.vessels.filter(({ id }) => ids.has(id));
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await this.#session.connections.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #contextOf: ContextOf = (targets, options) => {
    const { signal = new AbortController().signal, onProgress = () => undefined } = options;
    return new Context({
      ...{ session: this.#session, signal, onProgress, targets },
      ...{ identityName: NAME, targetName: undefined },
    });
  };
}

function throwIfAny(failed: readonly Failure[]): void {
  const [first] = failed;
  if (first === undefined) return;
  throw new CommandError('SOME_FAILED', `expected to meet all nodes, some cannot be met: ${first.message}`, {
    details: { failed },
  });
}
