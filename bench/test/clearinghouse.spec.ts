import assert from 'node:assert/strict';
import { measureAcquire } from '../rows/acquire.ts';
import { measureGateway } from '../rows/gateway.ts';

describe('the rows of the clearinghouse', () => {
  it('acquire from a store that is full of free vessels, on each database that can be had', async () => {
    const results = await measureAcquire({ nodes: 80, vesselsPerNode: 8, rounds: 3 });
    assert.ok(results.length === 3 || results.length === 6);
    for (const { potluck, floor } of results) assert.ok(potluck > 0 && floor > 0);
  }).timeout(180_000);

  it('count what nodes cost that dial in, and acquire beside them', async () => {
    const results = await measureGateway({ nodes: 30, rounds: 2, database: 'SQLite' });
    assert.equal(results.length, 4);
    for (const { floor } of results) assert.ok(floor > 0);
  }).timeout(180_000);
});
