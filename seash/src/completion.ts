import { readdir } from 'node:fs/promises';
import { type Command, isKeyword, isSkipped, lengthOf, type Slot, type SlotKind } from './command.ts';
import { UsageError } from './errors.ts';
import { PRIVATE_SUFFIX } from './keys.ts';
import { OptionReader } from './option.ts';
import { matchCommand } from './plan.ts';
import type { Session } from './session.ts';
import { quoteWord, type Word, wordsBeforeCursor } from './words.ts';

/**
 * What the Tab key offers, in the form that node:readline wants: whole words, and the part of the line that they
 * replace.
 * @param line up to the cursor.
 */
export async function complete(session: Session, line: string): Promise<[string[], string]> {
  const { words, current } = wordsBeforeCursor(line);
  const offers = await offersFor(session, words, current.text);
  const fitting = [...new Set(offers)].filter((offer) => offer.startsWith(current.text)).sort();
  return [fitting.map(sourceOf), line.slice(current.start)];
}

/** What `complete` offers after words that somebody else has split and unquoted already; unquoted too. */
export async function completeWords(session: Session, words: readonly string[], partial: string): Promise<string[]> {
  const plain = { quoted: false, pieces: [], start: 0, end: 0 };
  return await offersFor(
    session,
    words.map((text) => ({ ...plain, text })),
    partial,
  );
}

/** A folder is not the end of a name; anything else is followed by a blank. */
function sourceOf(offer: string): string {
  return offer.endsWith('/') ? offer : `${quoteWord(offer)} `;
}

async function offersFor(session: Session, words: readonly Word[], partial: string): Promise<string[]> {
  const { commands } = session.modules;
  const command = matchCommand(words, commands);
  const longer = commandWords(words, commands); // After `set`, of which there is one alone and others with a second word.
  if (command === undefined) return longer;
  const values = words.slice(command.name.split(' ').length);
  const { slot, keywords, options } = expectedAt(command, values);
  if (slot?.kind !== 'command') {
    const names = [...longer, ...keywords, ...(await namesFor(session, slot?.kind, partial))];
    return names.length === 0 || partial.startsWith('-') ? [...names, ...options] : names;
  }
  const [first] = command.slots;
  const inner = command.prefix === undefined || first === undefined ? values : values.slice(lengthOf(first, values));
  return command.prefix === undefined ? commandWords(inner, commands) : await offersFor(session, inner, partial);
}

/** The next words of the commands that begin with these. */
function commandWords(words: readonly Word[], commands: readonly Command[]): string[] {
  return commands
    .map(({ name }) => name.split(' '))
    .filter((parts) => words.length < parts.length && words.every(({ text }, index) => text === parts[index]))
    .map((parts) => parts[words.length] ?? '');
}

interface Expected {
  readonly slot?: Pick<Slot, 'kind'>;
  readonly keywords: readonly string[];
  readonly options: readonly string[];
}

const NOTHING: Expected = { keywords: [], options: [] };

function expectedAt(command: Command, words: readonly Word[]): Expected {
  const last = words.at(-1)?.text;
  const valued = command.options.find(({ name, value }) => value !== undefined && last === `--${name}`);
  if (valued?.value !== undefined) return { ...NOTHING, slot: valued.value };
  try {
    return expectedAfter(command, [...words]);
  } catch (error) {
    if (error instanceof UsageError) return NOTHING;
    throw error;
  }
}

function expectedAfter({ slots, options, usage }: Command, left: Word[]): Expected {
  const reader = new OptionReader(options, usage);
  const unsaid = (): string[] => reader.unsaid.map(({ name }) => `--${name}`);
  reader.take(left);
  for (const [index, slot] of slots.entries()) {
    if (slot.rest) return { slot, keywords: [], options: left.length === 0 && index === 0 ? unsaid() : [] };
    if (left.length === 0) return { ...expectedFirst(slots.slice(index)), options: unsaid() };
    if (isSkipped(slot, slots[index + 1], left[0])) continue;
    if (slot.after !== undefined && !isKeyword(left.shift(), slot.after)) return NOTHING;
    const length = lengthOf(slot, left);
    if (left.length === 0 || left.length < length) return { ...NOTHING, slot };
    left.splice(0, length);
    if (slots[index + 1]?.rest !== true) reader.take(left);
  }
  return { keywords: [], options: left.length === 0 ? unsaid() : [] };
}

/** Where no word is left: the first slot or its keyword, and if it may be left out, the keyword of the one after it. */
function expectedFirst([slot, next]: readonly Slot[]): { slot?: Slot; keywords: string[] } {
  if (slot === undefined) return { keywords: [] };
  if (slot.after !== undefined) return { keywords: [slot.after] };
  return { slot, keywords: slot.optional && next?.after !== undefined ? [next.after] : [] };
}

async function namesFor(session: Session, kind: SlotKind | undefined, partial: string): Promise<string[]> {
  switch (kind) {
    case 'identity':
      return [...session.identities.keys(), ...session.publicKeys.keys()];
    case 'target':
      return session.targets.names;
    case 'module':
      return session.modules.all.map(({ name }) => name);
    case 'group':
      return session.targets.groupNames;
    case 'file':
      return await filesFor(session, partial);
    case 'keys':
      return (await filesFor(session, partial))
        .filter((name) => name.endsWith('/') || name.endsWith(PRIVATE_SUFFIX))
        .map((name) => (name.endsWith('/') ? name : name.slice(0, -PRIVATE_SUFFIX.length)));
    default:
      return [];
  }
}

/** Files and folders (with `/`) in the folder that the word names so far; hidden ones only when asked for. */
export async function filesFor(session: Session, partial: string): Promise<string[]> {
  const folder = partial.slice(0, partial.lastIndexOf('/') + 1);
  const hidden = partial.slice(folder.length).startsWith('.');
  const entries = await readdir(session.path(folder), { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => hidden || !name.startsWith('.'))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`);
}
