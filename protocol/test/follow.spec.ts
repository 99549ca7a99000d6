import assert from 'node:assert/strict';
import { FOLLOW_LIMITS, keepFollowing, PeerError } from '../src/index.ts';

const lost = () => new PeerError('CLOSED', 'expected a connection, it was lost');
const part = (next: number) => ({ result: { next } });
const limits = { ...FOLLOW_LIMITS, attemptDelayMs: 0 };
const never = new AbortController().signal;

describe('a log that is followed', () => {
  it('goes on where it was when its connection was lost', async () => {
    const asked: (number | undefined)[] = [];
    const losses: string[] = [];
    const open = async function* (from: number | undefined) {
      asked.push(from);
      if (asked.length === 1) yield* [part(10), part(20)];
      if (asked.length < 4) throw lost();
      yield part(30);
    };
    const init = { from: 5, signal: never, limits, onLost: ({ code }: PeerError) => losses.push(code) };
    const parts = await Array.fromAsync(keepFollowing(open, init), ({ result }) => result.next);
    assert.deepEqual(parts, [10, 20, 30]);
    assert.deepEqual(asked, [5, 20, 20, 20]);
    assert.deepEqual(losses, ['CLOSED', 'CLOSED', 'CLOSED']);
  });

  it(`is opened again ${FOLLOW_LIMITS.attempts} times in a row, and given up with the next loss`, async () => {
    let attempts = 0;
    const failing = async function* (times: number) {
      attempts += 1;
      if (attempts <= times) throw lost();
      yield part(1);
    };
    const follow = async (times: number) =>
      await Array.fromAsync(keepFollowing(() => failing(times), { signal: never, limits }));
    assert.equal((await follow(FOLLOW_LIMITS.attempts)).length, 1);
    attempts = 0;
    await assert.rejects(follow(FOLLOW_LIMITS.attempts + 1), { code: 'CLOSED' });
    assert.equal(attempts, FOLLOW_LIMITS.attempts + 1);
  });

  for (const code of ['WRONG_IDENTITY', 'BAD_REPLY'] as const) {
    it(`is given up at once with a peer who fails with ${code}`, async () => {
      let attempts = 0;
      // biome-ignore lint/correctness/useYield: it fails before there is anything to yield.
      const open = async function* (): AsyncGenerator<ReturnType<typeof part>> {
        attempts += 1;
        throw new PeerError(code, 'expected the node, got another');
      };
      await assert.rejects(Array.fromAsync(keepFollowing(open, { signal: never, limits })), { code });
      assert.equal(attempts, 1);
    });
  }

  it('ends in silence when it is cancelled in a wait', async () => {
    const over = new AbortController();
    // biome-ignore lint/correctness/useYield: it fails before there is anything to yield.
    const open = async function* (): AsyncGenerator<ReturnType<typeof part>> {
      throw lost();
    };
    const init = { signal: over.signal, limits: { attempts: 1, attemptDelayMs: 2 ** 30 }, onLost: () => over.abort() };
    assert.deepEqual(await Array.fromAsync(keepFollowing(open, init)), []);
  });
});
