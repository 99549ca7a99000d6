import assert from 'node:assert/strict';
import { parseRestrictions, type Restrictions, splitRestrictions } from '@potluck/protocol';
import { assert as check, integer, property, record } from 'fast-check';
import { partOf, sliceOf, slicesIn } from '../src/backend/slices.ts';
import { SLICE as SEATTLES } from '../src/slice.ts';

const SLICE = sliceOf(SEATTLES);
const OFFCUT = parseRestrictions(
  'resource cpu .002\nresource memory 1000000\nresource diskused 100000\nresource events 2',
);

/** So many times Seattle's slice, offcuts included, with so many ports. */
function vessel(times: number, ports: number, more = 0): Restrictions {
  const quantities = Object.entries(SLICE.restrictions.quantities).map(([name, value]) => {
    const offcut = OFFCUT.quantities[name as keyof typeof OFFCUT.quantities];
    const whole = value * times + offcut * (times - 1);
    return `resource ${name} ${name === 'cpu' ? (whole + more / 1000).toFixed(6) : whole + more}`;
  });
  const lines = Array.from(
    { length: ports },
    (_, index) => `resource messport ${index + 1}\nresource connport ${index + 1}`,
  );
  return parseRestrictions([...quantities, ...lines].join('\n'));
}

describe('slices', () => {
  it('are one in what the installer makes, however large the machine: it is offered as it is', () => {
    assert.equal(slicesIn(vessel(100, 12), SLICE, OFFCUT), 1);
    assert.equal(slicesIn(vessel(1, 10), SLICE, OFFCUT), 1);
  });

  it('are none in what is less than one, by a single port or byte', () => {
    assert.equal(slicesIn(vessel(1, 9), SLICE, OFFCUT), 0);
    const { quantities, ...rest } = vessel(1, 10);
    const short = { ...rest, quantities: { ...quantities, memory: quantities.memory - 1 } };
    assert.equal(slicesIn(short, SLICE, OFFCUT), 0);
  });

  it('are as many as fit with the offcuts of their splits', () => {
    assert.equal(slicesIn(vessel(5, 50), SLICE, OFFCUT), 5);
    const { quantities, ...rest } = vessel(5, 50);
    assert.equal(slicesIn({ ...rest, quantities: { ...quantities, events: quantities.events - 1 } }, SLICE, OFFCUT), 4);
  });

  it('come out equal, and each of them whole, wherever one stops and goes on', () => {
    const large = record({
      times: integer({ min: 2, max: 12 }),
      ports: integer({ min: 20, max: 120 }),
      more: integer({ min: 0, max: 19 }),
    });
    check(
      property(large, ({ times, ports, more }) => {
        let rest = vessel(times, ports, more);
        const parts: Restrictions[] = [];
        const expected = slicesIn(rest, SLICE, OFFCUT);
        for (let left = expected; left > 1; left = slicesIn(rest, SLICE, OFFCUT)) {
          const split = splitRestrictions(rest, partOf(rest, left, { slice: SLICE, offcut: OFFCUT }), OFFCUT);
          parts.push(split.wanted);
          rest = split.rest;
        }
        parts.push(rest);
        assert.equal(parts.length, expected);
        for (const part of parts) assert.equal(slicesIn(part, SLICE, OFFCUT), 1);
        const memory = parts.map(({ quantities }) => quantities.memory);
        assert.ok(Math.max(...memory) - Math.min(...memory) < parts.length, `${memory}`);
      }),
    );
  });
});
