import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatRestrictions,
  joinRestrictions,
  mostOf,
  PORT_NAMES,
  parseRestrictions,
  QUANTITY_NAMES,
  RequestError,
  type Restrictions,
  splitRestrictions,
  stepsPerUnit,
} from '../src/index.ts';

const restrictions = (text: string): Restrictions => parseRestrictions(text.replaceAll('; ', '\n'));
const OFFCUT = restrictions('resource cpu .002; resource memory 1000000; resource diskused 100000; resource events 2');
const WHOLE = restrictions(
  'resource cpu .1; resource memory 10000000; resource diskused 5000000; resource events 20; resource messport 1; ' +
    'resource messport 2; resource connport 3; destination allow 10.0.0.0/8 80',
);

/** A quantity in the steps that it is kept in. */
const quantity = (name: (typeof QUANTITY_NAMES)[number]) =>
  fc
    .oneof(fc.nat({ max: 1e6 }), fc.nat({ max: mostOf(name) }))
    .map((value) => Math.floor((value / 4) * stepsPerUnit(name)) / stepsPerUnit(name));
const ports = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }).map((list) => new Set(list));
const anyRestrictions = fc.record({
  quantities: fc.record(Object.fromEntries(QUANTITY_NAMES.map((name) => [name, quantity(name)])), {
    noNullPrototype: true,
  }),
  messport: ports,
  connport: ports,
  destinations: fc.constantFrom([], WHOLE.destinations),
}) as unknown as fc.Arbitrary<Restrictions>;

/** What a split costs has neither ports nor rules. */
const PORTLESS = { messport: new Set<number>(), connport: new Set<number>(), destinations: [] };

const refusal = (wanted: string, whole = WHOLE): RequestError => {
  try {
    splitRestrictions(whole, restrictions(wanted), OFFCUT);
  } catch (error) {
    assert.ok(error instanceof RequestError);
    return error;
  }
  return assert.fail('expected a refusal');
};

describe('a split', () => {
  it('gives what is wanted and the rest, without the offcut', () => {
    const wanted =
      'resource cpu .03; resource memory 4000000; resource diskused 1; resource events 18; resource messport 2';
    const parts = splitRestrictions(WHOLE, restrictions(wanted), OFFCUT);
    assert.deepEqual(parts.wanted, { ...restrictions(wanted), destinations: WHOLE.destinations });
    const { cpu, memory, diskused, events } = parts.rest.quantities;
    assert.deepEqual([cpu, memory, diskused, events], [0.068, 5_000_000, 4_899_999, 0]);
    assert.deepEqual([[...parts.rest.messport], [...parts.rest.connport]], [[1], [3]]);
    assert.deepEqual(parts.rest.destinations, WHOLE.destinations);
  });

  it('takes all that is there beside the offcut, and not one step more', () => {
    const all =
      'resource cpu .098; resource memory 9000000; resource diskused 4900000; resource events 18; resource messport 1';
    assert.equal(splitRestrictions(WHOLE, restrictions(all), OFFCUT).rest.quantities.memory, 0);
    const more = refusal(all.replace('.098', '.098001').replace('events 18', 'events 19').replace('port 1', 'port 3'));
    assert.equal(more.code, 'QUOTA_EXCEEDED');
    assert.match(
      more.message,
      /got cpu 0\.098001 \(at most 0\.098\), events 19 \(at most 18\), messport 3 \(not of this vessel\)$/,
    );
  });

  it('is refused when the vessel has less than the offcut', () => {
    const small = restrictions(
      'resource cpu .1; resource memory 999999; resource diskused 5000000; resource events 20',
    );
    const { message } = refusal('resource cpu 0; resource memory 0; resource diskused 0', small);
    assert.match(message, /memory 0 \(the offcut alone is more than there is\)/);
  });

  it('is refused with destination rules of its own', () => {
    const { code } = refusal('resource cpu 0; resource memory 0; resource diskused 0; destination allow ::/0');
    assert.equal(code, 'BAD_PARAMETERS');
  });

  for (const name of QUANTITY_NAMES) {
    it(`takes all the ${name} that is there, and is refused by one step more, which it names`, () => {
      fc.assert(
        fc.property(anyRestrictions, anyRestrictions, anyRestrictions, (one, other, cut) => {
          const none = { ...other, quantities: { ...other.quantities, [name]: 0 }, destinations: [] };
          const whole = joinRestrictions({ ...one, destinations: [] }, none, { ...cut, ...PORTLESS });
          const wanted = { ...one, destinations: [] };
          assert.equal(splitRestrictions(whole, wanted, { ...cut, ...PORTLESS }).rest.quantities[name], 0);
          const more = one.quantities[name] + 1 / stepsPerUnit(name);
          const greedy = { ...wanted, quantities: { ...one.quantities, [name]: more } };
          const message = new RegExp(`got ${name} \\S+ \\(at most [^)]*\\)$`);
          assert.throws(() => splitRestrictions(whole, greedy, { ...cut, ...PORTLESS }), {
            code: 'QUOTA_EXCEEDED',
            message,
          });
        }),
        { numRuns: 50 },
      );
    });
  }

  for (const name of PORT_NAMES) {
    it(`takes any ${name} of the whole, and none that it has not`, () => {
      fc.assert(
        fc.property(ports, fc.integer({ min: 1, max: 65_535 }), (own, port) => {
          const whole = { ...WHOLE, [name]: own };
          const wanted = {
            ...restrictions('resource cpu 0; resource memory 0; resource diskused 0'),
            [name]: new Set([port]),
          };
          if (own.has(port)) {
            const parts = splitRestrictions(whole, wanted, OFFCUT);
            assert.deepEqual([...parts.wanted[name]], [port]);
            assert.deepEqual(parts.rest[name], own.difference(new Set([port])));
          } else {
            const message = new RegExp(`got ${name} ${port} \\(not of this vessel\\)$`);
            assert.throws(() => splitRestrictions(whole, wanted, OFFCUT), { code: 'QUOTA_EXCEEDED', message });
          }
        }),
        {
          examples: [
            [new Set([65_535]), 65_535],
            [new Set([1]), 1],
            [new Set([1]), 2],
          ],
        },
      );
    });
  }

  it('and a join give the whole again, whatever the numbers', () => {
    fc.assert(
      fc.property(anyRestrictions, anyRestrictions, anyRestrictions, (one, other, cut) => {
        const wanted = { ...one, destinations: [] };
        const rest = {
          ...other,
          messport: other.messport.difference(one.messport),
          connport: other.connport.difference(one.connport),
        };
        const offcut = { ...cut, ...PORTLESS };
        const whole = joinRestrictions({ ...wanted, destinations: rest.destinations }, rest, offcut);
        const parts = splitRestrictions(whole, wanted, offcut);
        assert.deepEqual(parts, { wanted: { ...wanted, destinations: rest.destinations }, rest });
        assert.deepEqual(joinRestrictions(parts.rest, parts.wanted, offcut).quantities, whole.quantities);
        assert.deepEqual(parseRestrictions(formatRestrictions(parts.rest)), parts.rest);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a join', () => {
  it('is refused when the destination rules differ, or a sum is too great', () => {
    const code = (first: Restrictions, second: Restrictions): string => {
      try {
        joinRestrictions(first, second, OFFCUT);
      } catch (error) {
        return error instanceof RequestError ? error.code : String(error);
      }
      return 'joined';
    };
    assert.equal(code(WHOLE, { ...WHOLE, destinations: [] }), 'BAD_STATE');
    const great = { ...WHOLE, quantities: { ...WHOLE.quantities, memory: Number.MAX_SAFE_INTEGER - 11_000_000 } };
    assert.equal(code(great, WHOLE), 'joined');
    assert.equal(
      code({ ...great, quantities: { ...great.quantities, memory: great.quantities.memory + 1 } }, WHOLE),
      'BAD_STATE',
    );
  });
});
