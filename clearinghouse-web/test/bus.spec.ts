import assert from 'node:assert/strict';
import { pino } from 'pino';
import { LocalBus } from '../src/bus/local.ts';
import { newsOf } from '../src/bus/subjects.ts';
import { busContract, node } from './support/bus-contract.ts';

const logger = pino({ level: 'silent' });

busContract('a bus within one process', async () => {
  const bus = new LocalBus({ logger });
  return { here: bus, there: bus, [Symbol.asyncDispose]: async () => await bus[Symbol.asyncDispose]() };
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
