import { LIMITS } from '@potluck/protocol';
import type { Dice } from './dice.ts';

/** Texts that JSON reads and no schema of ours expects. */
const ODD: readonly string[] = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '1e308',
  '-1e308',
  '1e999',
  '9007199254740993',
  '0.1',
  '""',
  '"NaN"',
  '"v1"',
  '"v0"',
  '"v99999999999999999999"',
  '"__proto__"',
  '"constructor"',
  '"../../etc/passwd"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\u202e"',
  '[]',
  '{}',
  '{"__proto__":{"vessel":"v1"}}',
  '{"toJSON":1,"then":2,"length":3}',
  '{"vessel":{"vessel":{"vessel":"v1"}}}',
  '[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]',
];

/** Random JSON, as text: what is written here must not need to be a value of ours first. */
export function nonsense(dice: Dice, depth = 3): string {
  const kind = dice.roll(depth > 0 ? 10 : 7);
  if (kind < 4) return dice.pick(ODD);
  if (kind === 4) return String((dice.roll(2 ** 31) - 2 ** 30) * 10 ** (dice.roll(40) - 20));
  if (kind === 5) return JSON.stringify(dice.bytes(dice.roll(40)).toString('latin1'));
  if (kind === 6) return JSON.stringify(dice.bytes(dice.roll(200)).toString('base64url'));
  const inner = Array.from({ length: dice.roll(5) }, () => nonsense(dice, depth - 1));
  if (kind === 7) return `[${inner.join(',')}]`;
  return `{${inner.map((value) => `${dice.pick(['"a"', '"vessel"', '"name"', '"__proto__"', '""'])}:${value}`).join(',')}}`;
}

/** JSON about as large as an envelope may be, in one of the ways that have cost others their stack or their time. */
export function huge(dice: Dice): string {
  const room = Math.floor((LIMITS.envelopeBytes * 3) / 4) - 4096;
  const deep = Math.floor(room / 2);
  const ways: (() => string)[] = [
    () => '['.repeat(deep) + ']'.repeat(deep),
    () => `${'{"a":'.repeat(Math.floor(room / 6))}1${'}'.repeat(Math.floor(room / 6))}`,
    () => `"${'x'.repeat(room)}"`,
    () => `"${'\\u0000'.repeat(Math.floor(room / 6))}"`,
    () => `[${'0,'.repeat(deep - 1)}0]`,
    () => `{${Array.from({ length: Math.floor(room / 12) }, (_, n) => `"k${n}":0`).join(',')}}`,
    () => `{${'"a":0,'.repeat(Math.floor(room / 6) - 1)}"a":0}`,
    () => `1${'0'.repeat(room)}`,
  ];
  return dice.pick(ways)();
}
