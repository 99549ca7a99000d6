import { hintFor } from '@potluck/protocol';
import { z } from 'zod';
import { type Command, command } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { Module } from '../modules.ts';
import { table } from '../style.ts';
import type { Piece, Word } from '../words.ts';

/** Variables of one shell. */
export const VARIABLE_LIMITS = { variables: 1000, nameLength: 64, valueLength: 65_536 } as const;

/** `$$`; `$name$`, of which the last sign says where the name ends; `$name`. Any other `$` stands for itself. */
const REFERENCE = /(\$\$|\$[A-Za-z_][A-Za-z0-9_]*\$?)/;
const NAME = new RegExp(`^[A-Za-z_][A-Za-z0-9_]{0,${VARIABLE_LIMITS.nameLength - 1}}$`);
/** @param settings what else `set` sets: a mistyped one must not become a variable. */
const setVariable = (settings: () => readonly string[]) =>
  command({
    name: 'set',
    summary: 'Let $NAME stand for VALUE in the commands that follow.',
    slots: [
      { name: 'NAME', kind: 'text' },
      { name: 'VALUE', kind: 'text', rest: true },
    ],
    example: 'set peer 10.0.0.7',
    result: z.object({ name: z.string(), value: z.string() }),
    check: ({ NAME: name, VALUE }) => {
      const hint = hintFor(name, settings());
      if (hint !== '') {
        const expected = 'expected "set" and a setting, or a variable with a name unlike any';
        throw new UsageError('UNKNOWN_COMMAND', `${expected}, got "${name}"${hint}`);
      }
      if (VALUE.length === 0) throw new UsageError('USAGE', `expected "set ${name} VALUE", got no VALUE`);
    },
    run: async ({ session: { variables } }, { NAME: name, VALUE }) => {
      const value = VALUE.join(' ');
      checkVariable(variables, name, value);
      variables.set(name, value);
      return { name, value };
    },
    render: () => '',
  });

const show = command({
  name: 'show variables',
  summary: 'Show the variables and what they stand for.',
  slots: [],
  example: 'show variables',
  result: z.object({ variables: z.array(z.object({ name: z.string(), value: z.string() })) }),
  run: async ({ session }) => ({ variables: [...session.variables].map(([name, value]) => ({ name, value })) }),
  render: ({ variables }, style) => {
    if (variables.length === 0) return 'No variable is set: say "set NAME VALUE".';
    const rows = variables.map(({ name, value }) => [`$${name}`, value]);
    return table(['Variable', 'Value'], rows, style);
  },
});

/** @param table all commands of the shell, once it is complete. */
export function variablesModule(table: () => readonly Command[]): Module {
  const settings = () => table().flatMap(({ name }) => (name.startsWith('set ') ? name.slice('set '.length) : []));
  return {
    name: 'variables',
    summary: 'Words that stand for others.',
    help: [
      'After "set peer 10.0.0.7", $peer stands for 10.0.0.7 wherever a line says it. So does $peer$, which other letters may',
      'follow. A value of several words becomes several words, but one in "...". In \'...\' a $ stands for itself; so does $$.',
    ].join('\n'),
    commands: [setVariable(settings), show],
    preprocessor: {
      sign: '"$" in lines',
      applies: (words) => words.some(({ pieces }) => pieces.some(hasReference)),
      rewrite: (words, { variables }) => {
        return words.flatMap((word) => (word.pieces.some(hasReference) ? expand(word, variables) : [word]));
      },
    },
  };
}

type Variables = ReadonlyMap<string, string>;

/** @throws CommandError BAD_NAME, BAD_ARGUMENTS */
function checkVariable(variables: Variables, name: string, value: string): void {
  const { variables: most, nameLength, valueLength } = VARIABLE_LIMITS;
  if (!NAME.test(name)) {
    throw new CommandError(
      'BAD_NAME',
      `expected a variable's name of 1 to ${nameLength} letters, digits or "_", not beginning with a digit, got "${name}"`,
    );
  }
  if (value.length > valueLength) {
    throw new CommandError(
      'BAD_ARGUMENTS',
      `expected a value of at most ${valueLength} characters, got ${value.length}`,
    );
  }
  if (variables.has(name) || variables.size < most) return;
  throw new CommandError('BAD_ARGUMENTS', `expected at most ${most} variables, got one more: ${name}`);
}

function hasReference({ text, quote }: Piece): boolean {
  return quote !== "'" && REFERENCE.test(text);
}

/** The blanks in a value that stands outside of quotes part words, as in a POSIX shell; nothing else in it is looked at. */
function expand(word: Word, variables: Variables): Word[] {
  const words: { text: string; quoted: boolean }[] = [];
  let isOpen = false;
  for (const { text, quoted, parts } of word.pieces.flatMap((piece) => fragmentsOf(piece, variables))) {
    for (const [index, part] of (parts ? text.split(/\s+/) : [text]).entries()) {
      if (index > 0) isOpen = false;
      if (part === '' && !quoted) continue;
      if (!isOpen) words.push({ text: '', quoted: false });
      isOpen = true;
      const last = words.at(-1);
      if (last !== undefined) Object.assign(last, { text: last.text + part, quoted: last.quoted || quoted });
    }
  }
  return words.map((made) => ({ ...word, ...made, pieces: [] }));
}

/** Plain text and values in turn; `parts`: whether blanks in it part words. */
function fragmentsOf({ text, quote }: Piece, variables: Variables) {
  if (quote === "'") return [{ text, quoted: true, parts: false }];
  const pieces = text.split(REFERENCE).map((piece, index) => (index % 2 === 0 ? piece : valueAt(piece, variables)));
  if (quote === '"') return [{ text: pieces.join(''), quoted: true, parts: false }];
  return pieces.map((piece, index) => ({ text: piece, quoted: false, parts: index % 2 === 1 }));
}

/** @param reference as `REFERENCE` finds it. @throws CommandError UNKNOWN_VARIABLE */
function valueAt(reference: string, variables: Variables): string {
  const name = reference.replaceAll('$', '');
  const value = name === '' ? '$' : variables.get(name);
  if (value !== undefined) return value;
  const names = [...variables.keys()];
  const known = names.length === 0 ? 'one that "set" has set' : `one of ${names.slice(0, 12).join(', ')}`;
  throw new CommandError(
    'UNKNOWN_VARIABLE',
    `expected a variable, ${known}, got "${name}"${hintFor(name, names)} (a $ that stands for itself is $$, or stands in '...')`,
  );
}
