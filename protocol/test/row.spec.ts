import assert from 'node:assert/strict';
import { RequestError } from '../src/index.ts';
import { LIMITS } from '../src/limits.ts';
import { ReplyRow } from '../src/row.ts';

describe('a row of replies to one request', () => {
  const replyOf = (result: unknown, bytes = 0) => ({ result, attachment: Buffer.alloc(bytes) });
  let row: ReplyRow;
  let held: boolean[];
  const open = (silenceMs = 60_000, signal?: AbortSignal): void => {
    row?.close();
    held = [];
    row = new ReplyRow({ silenceMs, signal, hold: (on) => held.push(on) });
  };
  beforeEach(() => open());
  afterEach(() => row.close());

  it('is read in its order until the last one, however late', async () => {
    for (const number of [0, 1, 2]) row.take({ number, more: number < 2 }, replyOf(number));
    const results = [];
    for await (const { result } of row.read()) results.push(result);
    assert.deepEqual(results, [0, 1, 2]);
    assert.equal(row.over, true);
  });

  it('wakes its reader for each', async () => {
    const reader = row.read();
    for (const number of [0, 1]) {
      const next = reader.next();
      row.take({ number, more: true }, replyOf(number));
      assert.equal((await next).value?.result, number);
    }
    await reader.return();
  });

  const wrong: [what: string, numbers: (number | undefined)[]][] = [
    ['one is left out', [0, 2]],
    ['one comes twice', [0, 0]],
    ['the first is left out', [1]],
    ['two are turned round', [0, 2, 1]],
    ['one has no place', [0, undefined]],
  ];
  for (const [what, numbers] of wrong) {
    it(`is refused where ${what}`, () => {
      const take = (): void => {
        for (const number of numbers) row.take(number === undefined ? undefined : { number, more: true }, replyOf(0));
      };
      assert.throws(take, { code: 'BAD_REPLY' });
    });
  }

  it('may end by a refusal, behind what had come; only the first of all needs no place', async () => {
    const refusal = new RequestError('NOT_PERMITTED', 'expected a user, got another');
    row.take(undefined, refusal);
    await assert.rejects(row.opened, { code: 'NOT_PERMITTED' });
    await assert.rejects(row.read().next(), { code: 'NOT_PERMITTED' });

    open();
    row.take({ number: 0, more: true }, replyOf('first'));
    await row.opened;
    assert.throws(() => row.take(undefined, refusal), { code: 'BAD_REPLY' });
    row.take({ number: 1, more: false }, refusal);
    const reader = row.read();
    assert.equal((await reader.next()).value?.result, 'first');
    await assert.rejects(reader.next(), { code: 'NOT_PERMITTED' });
  });

  it('is given up in silence', async () => {
    open(20);
    await assert.rejects(row.read().next(), { code: 'TIMEOUT' });
  });

  it(`holds the connection past ${LIMITS.rowHeldBytes} bytes that nobody reads, and is not silent then`, async () => {
    open(20);
    row.take({ number: 0, more: true }, replyOf(0, LIMITS.rowHeldBytes - 4096));
    assert.deepEqual(held, []);
    row.take({ number: 1, more: true }, replyOf(1, 1));
    assert.deepEqual(held, [true]);
    const reader = row.read();
    assert.equal((await reader.next()).value?.result, 0);
    assert.deepEqual(held, [true]);
    assert.equal((await reader.next()).value?.result, 1);
    assert.deepEqual(held, [true, false]);
    await assert.rejects(reader.next(), { code: 'TIMEOUT' });
  });

  it('holds the connection past as many replies without bytes that nobody reads', () => {
    for (let number = 0; number < LIMITS.rowHeldBytes / 4096; number += 1) row.take({ number, more: true }, replyOf(0));
    assert.deepEqual(held, []);
    row.take({ number: LIMITS.rowHeldBytes / 4096, more: true }, replyOf(0));
    assert.deepEqual(held, [true]);
  });

  it('ends by a signal, also one that came before', async () => {
    const abort = new AbortController();
    for (const _ of ['while it is read', 'before']) {
      open(60_000, abort.signal);
      const next = row.read().next();
      abort.abort();
      await assert.rejects(next, { name: 'AbortError' });
    }
  });

  it('lets the connection go when its reader leaves', async () => {
    row.take({ number: 0, more: true }, replyOf(0, LIMITS.rowHeldBytes + 1));
    row.take({ number: 1, more: true }, replyOf(1));
    for await (const _ of row.read()) break;
    assert.deepEqual(held, [true, false]);
  });
});
