import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RuntimeFiles, runtimeFiles } from '@potluck/vessel-runtime';
import { measureFleet } from '../rows/fleet.ts';
import { measureIdle } from '../rows/idle-vessels.ts';
import { measureRequests } from '../rows/signed-request.ts';
import { measureStart } from '../rows/start.ts';

describe('bench of node managers', () => {
  let directory: string;
  let files: RuntimeFiles;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bench-test-'));
    files = await runtimeFiles(directory);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('measures starts: of a warm process, by a signed request, and with all walls', async () => {
    const results = await measureStart(files, { rounds: 2, signedRounds: 1, lookMs: 50 });
    assert.equal(results.length, 3);
    for (const { potluck, floor } of results) assert.ok(potluck > 0 && floor > 0);
  }).timeout(180_000);

  it('measures signed requests, one at a time and several, against as many bytes over TLS and without', async () => {
    const results = await measureRequests(files, { pairs: 1, roundMs: 50 });
    assert.equal(results.length, 8);
    assert.equal(results.filter(({ goal }) => goal !== undefined).length, 4);
    for (const { potluck, floor } of results) assert.ok(potluck > 0 && floor > 0);
  }).timeout(180_000);

  it('measures run and list on all vessels of several nodes, through the library and as a process', async () => {
    const results = await measureFleet(files, { nodes: 2, vessels: 2, rounds: 1, lists: 2, lookMs: 50 });
    assert.deepEqual(
      results.map(({ row, goal }) => [row, goal]),
      [
        ['run on 4 vessels, library', { atMost: 1000 }],
        ['list of 4 vessels, library', { atMost: 300 }],
        ['run on 4 vessels, executable', undefined],
        ['list of 4 vessels, executable', undefined],
      ],
    );
    for (const { potluck, floor } of results) assert.ok(potluck > 0 && floor > 0);
  }).timeout(240_000);

  it('measures what idle vessels cost their node manager, without programs and with', async () => {
    const results = await measureIdle(files, { first: 2, splits: 1, watchMs: 50, settleMs: 50 });
    assert.deepEqual(
      results.map(({ row }) => row),
      [
        'node manager, 4 vessels without a program: memory',
        'node manager, 4 vessels without a program: CPU',
        'node manager, 4 vessels with an idle program each: memory',
        'node manager, 4 vessels with an idle program each: CPU',
      ],
    );
    for (const { potluck, floor } of results) assert.ok(potluck >= 0 && floor > 0);
  }).timeout(240_000);
});
