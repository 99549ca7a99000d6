import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { Bus } from '../src/bus/bus.ts';
import { LocalBus } from '../src/bus/local.ts';
import { newsOf } from '../src/bus/subjects.ts';
import { BUS_LIMITS } from '../src/limits.ts';
import { Listener } from './support/listener.ts';
import { PostgresServer } from './support/postgres.ts';
import { node, openSites } from './support/sites.ts';

const logger = pino({ level: 'silent' });

/** Two ends of one bus, as two processes of a clearinghouse have them; within one process they are the same. */
interface Ends extends AsyncDisposable {
  readonly here: Bus;
  readonly there: Bus;
}

/** A message of exactly so many bytes as JSON. */
const ofSize = (bytes: number) => ({ account: 'x'.repeat(bytes - '{"account":""}'.length) });

/** What every bus does. */
function contract(name: string, open: () => Promise<Ends>): void {
  describe(name, () => {
    let ends: Ends;
    let here: Bus;
    let there: Bus;

    beforeEach(async () => {
      ends = await open();
      ({ here, there } = ends);
    });
    afterEach(async () => await ends[Symbol.asyncDispose]());

    it('tells all subscribers of a subject what was published, in the order of the publisher', async () => {
      const listeners = [new Listener(here, 'vessel.changed'), new Listener(there, 'vessel.changed')];
      const all = Array.from({ length: 200 }, (_, index) => ({ account: String(index) }));
      for (const message of all) here.publish('vessel.changed', message);
      for (const listener of listeners) assert.deepEqual(await listener.heard(all.length), all);
    });

    it('tells nobody of other subjects', async () => {
      const listener = new Listener(there, 'node.changed');
      here.publish('vessel.changed', {});
      here.publish('node.changed', { node });
      assert.deepEqual(await listener.heard(1), [{ node }]);
    });

    it('tells the same thing twice to whom it was said twice', async () => {
      const listener = new Listener(there, 'tasks.waiting');
      here.publish('tasks.waiting', {});
      here.publish('tasks.waiting', {});
      assert.deepEqual(await listener.heard(2), [{}, {}]);
    });

    it('runs no subscriber within its publisher, and gives him a message of his own', async () => {
      const message = { account: 'a' };
      const listener = new Listener(here, 'vessel.changed');
      here.publish('vessel.changed', message);
      assert.deepEqual(listener.messages, []);
      message.account = 'changed later';
      assert.deepEqual(await listener.heard(1), [{ account: 'a' }]);
    });

    it('waits for a slow subscriber before his next message, and lets no other wait for him', async () => {
      const quick = new Listener(there, 'vessel.changed');
      const { promise, resolve } = Promise.withResolvers<void>();
      const slow = new Listener(there, 'vessel.changed', promise);
      const all = Array.from({ length: BUS_LIMITS.waitingMessages }, (_, index) => ({ account: String(index) }));
      for (const message of all) here.publish('vessel.changed', message);
      assert.deepEqual(await quick.heard(all.length), all);
      assert.equal(slow.messages.length, 1);
      resolve();
      assert.deepEqual(await slow.heard(all.length), all);
      assert.equal(slow.gaps, 0);
    });

    it('tells a subscriber who is too slow to look again, in place of what he missed', async () => {
      const quick = new Listener(there, 'vessel.changed');
      const { promise, resolve } = Promise.withResolvers<void>();
      const slow = new Listener(there, 'vessel.changed', promise);
      here.publish('vessel.changed', { account: 'first' });
      await slow.heard(1);
      for (let index = 0; index <= BUS_LIMITS.waitingMessages; index += 1) {
        here.publish('vessel.changed', {});
        await quick.heard(index + 2);
      }
      resolve();
      await slow.gap(1);
      here.publish('vessel.changed', { account: 'last' });
      assert.deepEqual((await slow.heard(3)).at(-1), { account: 'last' });
    });

    it('goes on with a subscriber that has failed', async () => {
      const listener = new Listener(there, 'vessel.changed', Promise.reject(new RangeError('on purpose')));
      here.publish('vessel.changed', { account: 'a' });
      here.publish('vessel.changed', { account: 'b' });
      assert.deepEqual(await listener.heard(2), [{ account: 'a' }, { account: 'b' }]);
    });

    it('says nothing more to whom has unsubscribed, not even what waits for him', async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const gone = new Listener(there, 'vessel.changed', promise);
      const other = new Listener(there, 'vessel.changed');
      here.publish('vessel.changed', { account: 'a' });
      here.publish('vessel.changed', { account: 'b' });
      await gone.heard(1);
      await other.heard(2);
      gone.stop();
      resolve();
      here.publish('vessel.changed', { account: 'c' });
      await other.heard(3);
      assert.deepEqual(gone.messages, [{ account: 'a' }]);
    });

    it('takes a message at the limit, and none past it', async () => {
      const listener = new Listener(there, 'vessel.changed');
      const largest = ofSize(BUS_LIMITS.messageBytes);
      here.publish('vessel.changed', largest);
      assert.deepEqual(await listener.heard(1), [largest]);
      assert.throws(() => here.publish('vessel.changed', ofSize(BUS_LIMITS.messageBytes + 1)), {
        code: 'TOO_LARGE',
        message: `expected at most ${BUS_LIMITS.messageBytes} bytes in vessel.changed, got ${BUS_LIMITS.messageBytes + 1}`,
      });
    });

    it('counts bytes and not characters', () => {
      const { account } = ofSize(BUS_LIMITS.messageBytes);
      const text = account.slice(1).replace('x', 'é');
      here.publish('vessel.changed', { account: text });
      assert.throws(() => here.publish('vessel.changed', { account: `${text}x` }), { code: 'TOO_LARGE' });
    });

    describe('asked for a node', () => {
      it('brings the question to who has it, and his answer back', async () => {
        const asked: object[] = [];
        there.answer((whom, question) => {
          if (whom !== node) return undefined;
          asked.push(question);
          return { said: true };
        });
        assert.deepEqual(await here.request(node, { call: 'a' }, 5000), { said: true });
        assert.deepEqual(await there.request(node, { call: 'b' }, 5000), { said: true });
        assert.deepEqual(asked, [{ call: 'a' }, { call: 'b' }]);
      });

      it('keeps many questions apart', async () => {
        there.answer((_, question) => question);
        const all = Array.from({ length: 100 }, (_, n) => ({ n }));
        assert.deepEqual(await Promise.all(all.map((question) => here.request(node, question, 5000))), all);
      });

      it('says so at once when nobody has it', async () => {
        there.answer(() => undefined);
        await assert.rejects(here.request(node, {}, 600_000), { code: 'NO_SUCH_NODE' });
      });

      it('says so when who has it has stopped answering', async () => {
        const stop = there.answer(() => ({}));
        await here.request(node, {}, 5000);
        stop();
        await assert.rejects(here.request(node, {}, 600_000), { code: 'NO_SUCH_NODE' });
      });

      it('waits no longer than it was told', async () => {
        const { promise, resolve } = Promise.withResolvers<object>();
        there.answer(() => promise);
        await assert.rejects(here.request(node, {}, 20), { code: 'TIMEOUT' });
        resolve({});
      });

      it('says what the other side could not do', async () => {
        there.answer(() => {
          throw new RangeError('broken on purpose');
        });
        await assert.rejects(here.request(node, {}, 5000), { code: 'REFUSED', message: /broken on purpose/ });
      });

      it('takes questions and answers at the limit, and none past it', async () => {
        const largest = ofSize(BUS_LIMITS.messageBytes);
        const [larger, largerOne] = [ofSize(BUS_LIMITS.messageBytes + 1), { want: 'larger' }];
        there.answer((_, question) => ('want' in question ? larger : question));
        assert.deepEqual(await here.request(node, largest, 5000), largest);
        await assert.rejects(here.request(node, larger, 5000), { code: 'TOO_LARGE' });
        await assert.rejects(here.request(node, largerOne, 5000), { code: 'TOO_LARGE' });
      });
    });
  });
}

contract('a bus within one process', async () => {
  const bus = new LocalBus({ logger });
  return { here: bus, there: bus, [Symbol.asyncDispose]: async () => await bus[Symbol.asyncDispose]() };
});

describe('on PostgreSQL', () => {
  let server: PostgresServer | undefined;
  before(async function () {
    server = await PostgresServer.start();
    if (server === undefined) this.skip();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  contract('a bus between two sites', async () => await openSites(server ?? assert.fail()));
});

describe('what comes in as news', () => {
  it('is news of a subject that this version knows, of its form and no other', () => {
    assert.deepEqual(newsOf({ subject: 'node.changed', message: { node } }), {
      subject: 'node.changed',
      message: { node },
    });
    for (const other of [
      undefined,
      'tasks.waiting',
      { subject: 'tasks.waiting' },
      { subject: 'toString', message: {} },
      { subject: 'of a later version', message: {} },
      { subject: 'node.changed', message: { node: 'nobody' } },
      { subject: 'node.changed', message: { node, more: 1 } },
    ]) {
      assert.equal(newsOf(other), undefined);
    }
  });
});
