import { type Address, describeError } from '@potluck/protocol';
import type { Logger } from 'pino';
import { SITE_LIMITS } from './limits.ts';
import type { Joining } from './store/sites.ts';
import type { Store } from './store/store.ts';
import { Repeated } from './within.ts';

export interface PresenceComponents {
  readonly store: Pick<Store, 'sites'>;
  readonly logger: Logger;
}

/** Keeps it written down that this site process lives, and which it is. */
export class Presence implements AsyncDisposable {
  readonly #components: PresenceComponents;
  readonly #joining: Joining;
  #site: number | undefined;
  #saying: Repeated | undefined;

  constructor(components: PresenceComponents, joining: Joining) {
    this.#components = components;
    this.#joining = joining;
  }

  /** @returns the number of this process. @throws ServiceError WRONG_GATEWAY_KEY */
  async join(): Promise<number> {
    this.#site = await this.#components.store.sites.join(this.#joining);
    return this.#site;
  }

  /**
   * @param link where other sites reach the gateway of this one.
   * @param onLost the others took this process for dead, and its nodes for away.
   */
  async start(link: Address, onLost: () => Promise<void>): Promise<void> {
    const site = this.#site ?? (await this.join());
    const { store, logger } = this.#components;
    const once = async (): Promise<void> => {
      if (await store.sites.live(site, link)) return;
      logger.warn({ site }, 'this site was taken for dead');
      await onLost();
    };
    await once();
    this.#saying = new Repeated(SITE_LIMITS.liveEveryMs, async () => {
      await once().catch((error: unknown) => {
        logger.error({ error: describeError(error) }, 'could not say that the site lives');
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saying?.[Symbol.asyncDispose]();
    const { store, logger } = this.#components;
    if (this.#site === undefined) return;
    // Without the database it dies by itself in the eyes of others.
    await store.sites.leave(this.#site).catch((error: unknown) => logger.warn({ error: describeError(error) }, 'left'));
  }
}
