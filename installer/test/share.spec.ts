import assert from 'node:assert/strict';
import { parseRestrictions, QUANTITY_NAMES } from '@potluck/protocol';
import { restrictionsOf } from '../src/share.ts';

const machine = { cores: 4, memoryBytes: 8_000_000_000, freeDiskBytes: 100_000_000_000 };

function vesselsOf(percent: number, portBase = 63_100) {
  return restrictionsOf(machine, { percent, portBase, destinations: [] }).map((text) => parseRestrictions(text));
}

describe('the share of a machine', () => {
  it('is cut into vessels of 2 %, at least one', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 10, 50].map((percent) => vesselsOf(percent).length),
      [1, 1, 1, 2, 5, 25],
    );
  });

  for (const percent of [1, 2, 3, 10, 11, 50]) {
    it(`of ${percent} % gives no more than that of cores, memory and free disk`, () => {
      const sum = (name: 'cpu' | 'memory' | 'diskused'): number =>
        vesselsOf(percent).reduce((all, { quantities }) => all + quantities[name], 0);
      const part = percent / 100 + 1e-9;
      assert.ok(sum('cpu') <= machine.cores * part);
      assert.ok(sum('memory') <= machine.memoryBytes * part);
      assert.ok(sum('diskused') <= machine.freeDiskBytes * part);
    });
  }

  it('gives each vessel something of every resource', () => {
    for (const { quantities } of [...vesselsOf(1), ...vesselsOf(10)]) {
      for (const name of QUANTITY_NAMES) assert.ok(quantities[name] > 0, name);
    }
  });

  it('gives a vessel of 2 % a fiftieth of the machine', () => {
    const [vessel] = vesselsOf(10);
    assert.equal(vessel?.quantities.cpu, 0.08);
    assert.equal(vessel?.quantities.memory, 160_000_000);
    assert.equal(vessel?.quantities.diskused, 2_000_000_000);
  });

  it('gives vessel i ten ports of its own, and the first one those of the examples too', () => {
    const vessels = vesselsOf(6);
    assert.deepEqual(
      vessels.map(({ messport }) => [...messport].sort((a, b) => a - b)),
      [
        [43210, 54321, 63100, 63101, 63102, 63103, 63104, 63105, 63106, 63107, 63108, 63109],
        [63110, 63111, 63112, 63113, 63114, 63115, 63116, 63117, 63118, 63119],
        [63120, 63121, 63122, 63123, 63124, 63125, 63126, 63127, 63128, 63129],
      ],
    );
    for (const { messport, connport } of vessels) assert.deepEqual(connport, messport);
  });

  it('gives no port to two vessels', () => {
    const ports = vesselsOf(50, 54_315).flatMap(({ messport }) => [...messport]);
    assert.equal(new Set(ports).size, ports.length);
  });
});
