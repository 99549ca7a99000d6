import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeFiles } from '@potluck/vessel-runtime';
import { measureAcquire } from '../rows/acquire.ts';
import { measureClass } from '../rows/class.ts';
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

  it('play the evening of a class whose machines nobody can dial', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-class-'));
    try {
      const files = await runtimeFiles(directory);
      const results = await measureClass(files, { students: 3, nodes: 2, vessels: 2, relayed: true });
      assert.equal(results.length, 4);
      for (const { potluck, floor } of results) assert.ok(potluck > 0 && floor > 0);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }).timeout(180_000);
});
