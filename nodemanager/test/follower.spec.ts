import assert from 'node:assert/strict';
import type { KeyId } from '@potluck/protocol';
import { Follower } from '../src/follower.ts';
import { LogRing } from '../src/log-ring.ts';
import { TemporaryDirectory } from './support.ts';

describe('a follower of a log', () => {
  const limits = { followChunkBytes: 100, followPauseMs: 0, followSilenceMs: 60_000 };
  const signer = 'k' as KeyId;

  it('costs nothing while it does not read, and is told what it missed', async () => {
    await using directory = await TemporaryDirectory.make();
    const ring = new LogRing({
      newPath: `${directory.path}/new`,
      oldPath: `${directory.path}/old`,
      limitBytes: 1000,
    });
    ring.start();
    const follower = new Follower(ring, { signer, limits });
    const replies = follower.replies(new AbortController().signal);
    ring.append('first');
    assert.equal(Buffer.from((await replies.next()).value?.attachment ?? []).toString(), 'first');
    for (let n = 0; n < 100; n += 1) ring.append(`${n}`.padEnd(100, '.'));
    follower.finish({ state: 'Terminated' });
    ring.append('of the next program');
    const rest = await Array.fromAsync(replies);
    const [first] = rest;
    const bytes = rest.reduce((sum, { attachment }) => sum + attachment.byteLength, 0);
    assert.ok((first?.result.droppedBytes ?? 0) >= 8000);
    assert.equal((first?.result.droppedBytes ?? 0) + bytes, 10_000);
    assert.ok(rest.every(({ attachment }) => attachment.byteLength <= limits.followChunkBytes));
    assert.deepEqual(rest.at(-1)?.result, { droppedBytes: 0, next: 10_005, state: 'Terminated' });
    assert.equal(rest.at(-1)?.more, false);
    ring.close();
  });
});
