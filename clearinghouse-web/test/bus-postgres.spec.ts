import assert from 'node:assert/strict';
import { Listener } from './support/listener.ts';
import { PostgresServer } from './support/postgres.ts';
import { ADVERTISEMENT, node, openSites } from './support/sites.ts';

describe('the bus of two sites that come and go', () => {
  let server: PostgresServer | undefined;
  before(async function () {
    server = await PostgresServer.start();
    if (server === undefined) this.skip();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  let sites: Awaited<ReturnType<typeof openSites>>;
  beforeEach(async () => {
    sites = await openSites(server ?? assert.fail());
  });
  afterEach(async () => await sites[Symbol.asyncDispose]());

  it('is back when the database was restarted, and tells all subscribers to look again, of every site', async () => {
    const { here, there } = sites;
    const listeners = [new Listener(here, 'node.changed'), new Listener(there, 'node.changed')];
    const lost = new Listener(there, 'vessel.changed');
    await server?.restart(async () => {
      here.publish('vessel.changed', { account: 'lost' });
    });
    for (const listener of listeners) await listener.gap(1);
    assert.deepEqual([here.counts.reconnects, there.counts.reconnects], [1, 1]);
    const heard = new Listener(there, 'vessel.changed');
    // Whoever is back says so once more to the others: nothing of before comes after it.
    while (heard.messages.length === 0) {
      here.publish('vessel.changed', { account: 'back' });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(heard.messages[0], { account: 'back' });
    assert.deepEqual(lost.messages[0], { account: 'back' });
  });

  it('gives up what was asked when the connection is lost, and asks again when it is back', async () => {
    const { here, there } = sites;
    const asked = Promise.withResolvers<void>();
    const stop = there.answer(async () => {
      asked.resolve();
      return await new Promise<object>(() => undefined);
    });
    const request = here.request(node, {}, 600_000);
    await asked.promise;
    await Promise.all([assert.rejects(request, { code: 'AWAY' }), server?.restart()]);
    stop();
    there.answer(() => ({ back: true }));
    for (;;) {
      const answer = await here.request(node, {}, 5000).catch(() => undefined);
      if (answer === undefined) continue;
      assert.deepEqual(answer, { back: true });
      return;
    }
  });

  it('says at once that a node is nowhere when no living site has it', async () => {
    const { here, there, store, second } = sites;
    there.answer(() => ({}));
    await here.request(node, {}, 5000);
    await store.sites.leave(second);
    await assert.rejects(here.request(node, {}, 600_000), { code: 'NO_SUCH_NODE' });
  });

  it('follows a node that has dialled another site', async () => {
    const { here, there, store, first } = sites;
    there.answer(() => undefined);
    here.answer(() => ({ at: 'here' }));
    await store.nodes.seen({ node, advertisement: ADVERTISEMENT, jws: 'signed', first: true, site: first });
    assert.deepEqual(await there.request(node, {}, 5000), { at: 'here' });
  });
});
