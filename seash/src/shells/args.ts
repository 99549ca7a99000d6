import type { ParseArgsOptionsConfig } from 'node:util';
import { complete, completeWords, filesFor } from '../completion.ts';
import type { Session } from '../session.ts';
import { SHELLS } from './scripts.ts';

export interface ArgsInit {
  /** What the command line of `seash` knows. */
  readonly options: ParseArgsOptionsConfig;
  /** What may be its first word beside a file: `completion`, and commands that need no `-c`. */
  readonly words: readonly string[];
}

/**
 * What a user's own shell offers for the last of the words after `seash`: whole words, unquoted, that begin with it. After
 * `-c` that word is a line of commands, and so is each offer.
 */
export async function completeArgs(session: Session, args: readonly string[], init: ArgsInit): Promise<string[]> {
  const current = args.at(-1) ?? '';
  const offers = new Set((await offersAt(session, args.slice(0, -1), { ...init, current })).filter(isPlain));
  return [...offers].filter((offer) => offer.startsWith(current)).sort();
}

async function offersAt(
  session: Session,
  before: readonly string[],
  { options, words, current }: ArgsInit & { readonly current: string },
): Promise<readonly string[]> {
  const { valued, said, positionals } = read(before, options);
  if (valued === 'command') return await lineOffers(session, current);
  if (valued !== undefined) return [];
  const [first] = positionals;
  if (first === 'completion') return positionals.length === 1 ? SHELLS : [];
  if (first !== undefined && words.includes(first)) return await completeWords(session, positionals, current);
  if (current.startsWith('-')) return unsaidOf(options, said);
  if (first !== undefined || said.has('command')) return [];
  return [...words, ...(await filesFor(session, current))];
}

interface Read {
  /** The option whose value the current word is. */
  readonly valued: string | undefined;
  readonly said: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

function read(before: readonly string[], options: ParseArgsOptionsConfig): Read {
  const said = new Set<string>();
  const positionals: string[] = [];
  let valued: string | undefined;
  for (const word of before) {
    if (valued !== undefined) {
      valued = undefined;
      continue;
    }
    const name = Object.keys(options).find((each) => word === `--${each}` || word === `-${options[each]?.short}`);
    if (name !== undefined && positionals.length === 0) {
      said.add(name);
      if (options[name]?.type === 'string') valued = name;
    } else if (positionals.length > 0 || !word.startsWith('-')) positionals.push(word);
  }
  return { valued, said, positionals };
}

function unsaidOf(options: ParseArgsOptionsConfig, said: ReadonlySet<string>): string[] {
  const left = Object.entries(options).filter(([name, { multiple }]) => multiple === true || !said.has(name));
  return left.flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
}

/**
 * The line stands in quotes of the user's shell: what means something within them (`"$(reboot).js"` may be a file's name)
 * is never put there.
 */
async function lineOffers(session: Session, line: string): Promise<string[]> {
  const [offers, replaced] = await complete(session, line);
  const kept = line.slice(0, line.length - replaced.length);
  const harmless = offers.filter((offer) => !/["$`\\!]/.test(offer));
  return harmless.map((offer) => kept + offer);
}

/** A file's name must not drive the terminal, nor be two. */
function isPlain(offer: string): boolean {
  return !/\p{C}/u.test(offer);
}
