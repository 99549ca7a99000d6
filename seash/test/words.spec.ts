import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UsageError } from '../src/errors.ts';
import { parseStatements, quoteWord, SCRIPT_LENGTH, wordsBeforeCursor } from '../src/words.ts';

const wordsOf = (source: string): string[][] =>
  parseStatements(source).map(({ words }) => words.map(({ text }) => text));

describe('words of a script', () => {
  const cases: [string, string, string[][]][] = [
    ['ends commands at newlines and semicolons', 'a b; c\nd ;; \n\n', [['a', 'b'], ['c'], ['d']]],
    ['takes single quotes as they stand', `x 'a "b" \\ #; c'`, [['x', 'a "b" \\ #; c']]],
    ['knows \\" and \\\\ in double quotes, and no other pair', '"a\\"b\\\\c\\d"', [['a"b\\c\\d']]],
    ['joins quoted and plain parts into one word', `a'b c'"d e"f`, [['ab cd ef']]],
    ['keeps an empty quoted word', `run x ''`, [['run', 'x', '']]],
    ['drops comments up to the end of the line', 'a # b; c\n# d\ne', [['a'], ['e']]],
    ['takes # inside a word as it stands', 'a#b c', [['a#b', 'c']]],
    ['takes CRLF for a newline', 'a\r\nb\r\n', [['a'], ['b']]],
    ['takes a backslash outside of quotes as it stands', 'a\\ b', [['a\\', 'b']]],
  ];
  for (const [name, source, expected] of cases) {
    it(name, () => assert.deepEqual(wordsOf(source), expected));
  }

  it('counts lines', () => {
    assert.deepEqual(
      parseStatements('a\n\n"b"; c\n#\nd').map(({ line }) => line),
      [1, 3, 3, 5],
    );
  });

  it('refuses a quote that is not closed on its line, and says which line', () => {
    for (const source of ['a\n"b\nc"', `a\n'b`, 'a\n"b\\"']) {
      assert.throws(() => parseStatements(source), { code: 'BAD_QUOTING', details: { line: 2 } });
    }
  });

  it('refuses a script that is too long', () => {
    assert.equal(parseStatements(`a${' '.repeat(SCRIPT_LENGTH - 1)}`).length, 1);
    assert.throws(() => parseStatements(' '.repeat(SCRIPT_LENGTH + 1)), { code: 'USAGE' });
  });

  it('throws nothing but its own error, whatever it reads', () => {
    const pieces = fc.constantFrom('"', "'", '\\', ';', '\n', '#', ' ', 'a', '\u00a0', '%', '\0', '\ud800');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces).map((all) => all.join('')),
        ),
        (source) => {
          try {
            for (const { words } of parseStatements(source)) assert.ok(words.length > 0);
          } catch (error) {
            assert.ok(error instanceof UsageError);
          }
          const { words, current } = wordsBeforeCursor(source);
          assert.ok(current.start <= source.length && words.every(({ end }) => end <= current.start));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads back every quoted word', () => {
    const text = fc.string({ unit: 'binary' }).filter((word) => !word.includes('\n'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (words) => {
        assert.deepEqual(wordsOf(words.map(quoteWord).join(' ')), [words]);
      }),
    );
  });
});
