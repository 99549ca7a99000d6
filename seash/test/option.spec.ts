import assert from 'node:assert/strict';
import { z } from 'zod';
import { type Command, command } from '../src/command.ts';
import { Modules } from '../src/modules.ts';
import { Context, Session } from '../src/session.ts';
import { parseStatements } from '../src/words.ts';

const result = z.object({ values: z.record(z.string(), z.unknown()) });
const options = [
  { name: 'follow', summary: 'Follow.' },
  { name: 'time-limit', value: { name: 'SECONDS', kind: 'text' }, summary: 'Give up.' },
] as const;
const told = {
  summary: 'Try options.',
  example: 'try x',
  result,
  run: async (_context: Context, values: object) => ({ values: { ...values } }),
  render: () => '',
};
const program = command({
  ...told,
  name: 'try',
  options,
  slots: [
    { name: 'FILE', kind: 'file' },
    { name: 'ARG', kind: 'text', rest: true },
  ],
});
const between = command({
  ...told,
  name: 'between',
  options,
  slots: [
    { name: 'TARGET', kind: 'target', optional: true },
    { name: 'GROUP', kind: 'group', after: 'to' },
  ],
});
const plain = command({ ...told, name: 'plain', slots: [{ name: 'FILE', kind: 'file' }] });

describe('options of a command', () => {
  const context = new Context({
    session: new Session({ directory: '/', modules: new Modules([], []) }),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    identityName: undefined,
    targetName: undefined,
  });
  const valuesOf = async (row: Command, source: string): Promise<unknown> => {
    const [statement] = parseStatements(source);
    return (await row.run(context, statement?.words ?? [])).facts.values;
  };
  const unsaid = { follow: false, 'time-limit': undefined };

  it('stand in the usage before the slots', () => {
    assert.equal(program.usage, 'try [--follow] [--time-limit SECONDS] FILE [ARG...]');
  });

  const taken: [row: Command, line: string, values: object][] = [
    [program, 'x.js', { ...unsaid, FILE: 'x.js', ARG: [] }],
    [program, '--follow x.js a', { ...unsaid, follow: true, FILE: 'x.js', ARG: ['a'] }],
    [program, '--time-limit 5 --follow x.js', { follow: true, 'time-limit': '5', FILE: 'x.js', ARG: [] }],
    [program, '--time-limit=a=b x.js', { ...unsaid, 'time-limit': 'a=b', FILE: 'x.js', ARG: [] }],
    [program, 'x.js --follow', { ...unsaid, FILE: 'x.js', ARG: ['--follow'] }],
    [program, 'x.js -- --nonsense', { ...unsaid, FILE: 'x.js', ARG: ['--', '--nonsense'] }],
    [program, '-- --follow a', { ...unsaid, FILE: '--follow', ARG: ['a'] }],
    [program, "'--follow' a", { ...unsaid, FILE: '--follow', ARG: ['a'] }],
    [between, '--follow to g', { ...unsaid, follow: true, GROUP: 'g' }],
    [
      between,
      '%1 - %2 --follow to g --time-limit 5',
      { follow: true, 'time-limit': '5', TARGET: '%1 - %2', GROUP: 'g' },
    ],
    [plain, '-- --x', { FILE: '--x' }],
    [plain, '-x', { FILE: '-x' }],
  ];
  for (const [row, line, values] of taken) {
    it(`are told from other words in "${row.name} ${line}"`, async () => {
      assert.deepEqual(await valuesOf(row, line), values);
    });
  }

  const refused: [row: Command, line: string, message: RegExp][] = [
    [program, '--folow x.js', /^expected an option of "try .*", got "--folow": did you mean "--follow"\?$/],
    [program, '--follow --follow x.js', /^expected "--follow" once, got it twice$/],
    [program, '--follow=yes x.js', /^expected "--follow" without a value, got "yes"$/],
    [program, '--time-limit', /^expected "try .*", got no SECONDS$/],
    [program, '--follow', /^expected "try .*", got no FILE$/],
    [plain, '--follow x.js', /^expected "plain FILE", which has no options, got "--follow"$/],
    [between, 'to g --nonsense', /^expected an option of "between .*", got "--nonsense"$/],
  ];
  for (const [row, line, message] of refused) {
    it(`are refused with one sentence in "${row.name} ${line}"`, () => {
      const [statement] = parseStatements(line);
      assert.throws(() => row.check(statement?.words ?? []), { code: 'USAGE', message });
    });
  }
});
