import { describeError } from '@potluck/protocol';
import { QUEUE } from './limits.ts';
import type { SiteComponents, SiteFacts } from './site/route.ts';
import { Repeated } from './within.ts';

type SweepComponents = SiteComponents & Pick<SiteFacts, 'backendRuns'>;

/** Ends what has run out, again and again. Several sites may do so at once: what one has ended is not there for the next. */
export function startSweep({ store, bus, queue, logger, backendRuns }: SweepComponents): AsyncDisposable {
  const once = async (): Promise<void> => {
    if ((await store.leases.expire()) > 0) {
      queue.wake();
      bus.publish('vessel.changed', {});
    }
    if ((await store.sites.bury()) > 0) bus.publish('node.changed', {});
    if (await store.closing.forgetLeft()) bus.publish('node.changed', {});
    await store.nodes.settle();
    await store.sessions.expire();
    await store.devices.expire();
    await store.attempts.expire();
    await store.tokens.expire();
    await store.nonces.expire();
    await store.acquisitions.expire();
    await store.tasks.prune();
    await store.nodes.prune();
    await store.history.look(async () => ({ ...(await store.nodes.counts()), backend: backendRuns() }));
    if (await store.nodes.sweep()) queue.wake();
  };
  return new Repeated(QUEUE.sweepMs, async () => {
    await once().catch((error: unknown) => logger.error({ error: describeError(error) }, 'sweep failed'));
  });
}
