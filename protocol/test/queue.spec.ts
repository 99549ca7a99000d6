import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FairQueue, homeOf, RateLimit } from '../src/index.ts';

const OF = 'requests of one key';

/** Puts tasks in while the first one runs, then lets them go. @returns the callers in the order of their turns. */
async function turns(callers: readonly string[], atOnce = 1): Promise<string[]> {
  const queue = new FairQueue({ atOnce, perCaller: Number.POSITIVE_INFINITY, of: OF });
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = callers.map((caller, index) =>
    queue.run(caller, async () => {
      order.push(caller);
      if (index < atOnce) await promise;
    }),
  );
  resolve();
  await Promise.all(done);
  return order;
}

describe('a fair queue', () => {
  it('takes one of each caller in turn, and those of one caller in their order', async () => {
    assert.equal((await turns([...'aaaab'])).join(''), 'abaaa');
    assert.equal((await turns([...'aaaabbbcc'])).join(''), 'abcabcaba');
    const queue = new FairQueue({ atOnce: 1, perCaller: 9, of: OF });
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((n) => queue.run('a', async () => void order.push(n))));
    assert.deepEqual(order, [1, 2, 3]);
  });

  it('makes nobody wait for more than one task of each other caller for each of his own', async () => {
    const mix = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(mix, async (callers) => {
        const order = await turns(callers);
        for (const caller of new Set(callers)) {
          const places = order.flatMap((one, place) => (one === caller ? [place] : []));
          for (const [index, place] of places.entries()) {
            const before = order.slice((places[index - 1] ?? -1) + 1, place);
            assert.equal(new Set(before).size, before.length, `${order.join('')}: ${before.join('')} before ${caller}`);
          }
        }
      }),
    );
  });

  it('gives who comes one at a time no more turns than who waits with many', async () => {
    const queue = new FairQueue({ atOnce: 1, perCaller: 99, of: OF });
    const order: string[] = [];
    const many = Array.from({ length: 20 }, () => queue.run('many', async () => void order.push('many')));
    const one = async (): Promise<void> => {
      for (let n = 0; n < 10; n += 1) await queue.run('one', async () => void order.push('one'));
    };
    await Promise.all([...many, one()]);
    assert.ok(order.slice(0, 20).filter((who) => who === 'many').length >= 9, order.join());
  });

  it('runs as many at once as it may, and not one more', async () => {
    const queue = new FairQueue({ atOnce: 3, perCaller: 99, of: OF });
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => queue.run(`${n % 4}`, task)));
    assert.equal(most, 3);
  });

  it('takes as many of one caller as it may, refuses one more, and takes again when one is done', async () => {
    const queue = new FairQueue({ atOnce: 1, perCaller: 2, of: OF });
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = queue.run('a', () => promise);
    const second = queue.run('a', async () => undefined);
    await assert.rejects(
      queue.run('a', async () => undefined),
      { code: 'BUSY' },
    );
    const other = queue.run('b', async () => undefined);
    resolve();
    await Promise.all([first, second, other]);
    await queue.run('a', async () => undefined);
  });

  it('goes on after a task that fails, and refuses what comes when it is closed', async () => {
    const queue = new FairQueue({ atOnce: 1, perCaller: 9, of: OF });
    const failing = queue.run('a', () => Promise.reject(new RangeError('no')));
    const order: string[] = [];
    const after = queue.run('a', async () => void order.push('after'));
    const closed = Promise.all([queue.close(), queue.close()]);
    await assert.rejects(
      queue.run('a', async () => undefined),
      { code: 'BUSY' },
    );
    await assert.rejects(failing, RangeError);
    await closed;
    assert.deepEqual(order, ['after']);
    await after;
    queue.open();
    await queue.run('a', async () => undefined);
  });
});

describe('a rate limit', () => {
  it('gives a burst, then one for each of its steps, and says how long until then', () => {
    const limit = new RateLimit({ perSecond: 10, burst: 3, entries: 9 });
    assert.deepEqual(
      [1, 2, 3].map(() => limit.take('a', 5000)),
      [0, 0, 0],
    );
    assert.equal(Math.round(limit.take('a', 5000)), 100);
    assert.equal(Math.round(limit.take('a', 5040)), 60);
    assert.equal(limit.take('b', 5040), 0, 'another name has its own');
    assert.equal(limit.take('a', 5100), 0);
    assert.ok(limit.take('a', 5100) > 0);
    limit.giveBack('a');
    assert.equal(limit.take('a', 5100), 0);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => limit.take('a', 99_000) > 0),
      [false, false, false, true],
      'a long pause is worth one burst',
    );
  });

  it('remembers as many names as it may; the others share one allowance until there is room again', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1, entries: 2 });
    assert.deepEqual([limit.take('a', 0), limit.take('b', 0)], [0, 0]);
    assert.equal(limit.take('c', 100), 0);
    assert.ok(limit.take('d', 100) > 0, 'd shares with c');
    assert.ok(limit.take('a', 100) > 0, 'a has its own still');
    assert.equal(limit.take('d', 5000), 0);
    assert.equal(limit.take('e', 5000), 0, 'what was full again was forgotten');
  });

  it('counts an IPv6 network as one address, and an IPv4 address in IPv6 as what it is', () => {
    const homes = ['10.0.0.1', '::ffff:10.0.0.1', '2001:db8:1:2::1', '2001:db8:1:2:ffff::', 'fe80::1%eth0', ''].map(
      homeOf,
    );
    assert.deepEqual(homes, ['10.0.0.1', '10.0.0.1', '2001:db8:1:2::/64', '2001:db8:1:2::/64', 'fe80:0:0:0::/64', '']);
  });
});
