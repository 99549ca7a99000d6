import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { CommandError, factsOf, UsageError } from './errors.ts';
import { historyPath } from './history.ts';
import { homeOf } from './home.ts';
import { Interactive, isYes } from './interactive.ts';
import { Reporter, type Streams } from './reporter.ts';
import { runScript, SCRIPT_LIMITS } from './script.ts';
import type { Confirm } from './session.ts';
import { Shell } from './shell.ts';
import { completeArgs } from './shells/args.ts';
import { completionScript } from './shells/scripts.ts';
import { styleOf, wantsColour } from './style.ts';
import { quoteWord, SCRIPT_LENGTH } from './words.ts';

const USAGE = `seash: the shell of Potluck

  seash [OPTIONS]                 talk to the shell at this terminal
  seash [OPTIONS] FILE            carry out the commands in FILE ("-" for those on standard input)
  seash [OPTIONS] -c "CMD; CMD"   carry out these commands
  seash completion bash|zsh|fish  print what makes your own shell's Tab key know these words; the first line says where
                                  to put it
  seash [OPTIONS] apply|diff|destroy DEPLOYMENT.yaml
                                  carry out this one command (for a script of that name say ./apply)

  --clearinghouse URL   where "browse" looks; POTLUCK_CLEARINGHOUSE unless given
  --account NAME        whose vessels "get" gets, when one key is that of several accounts; else POTLUCK_ACCOUNT
  --directory ADDRESS   a node that "browse" asks as well, as HOST:PORT or KEY@HOST:PORT; may be said several times;
                        those of POTLUCK_DIRECTORIES, with spaces in between, unless given
  --json                print one JSON object for each command
  --keep-going          do not stop a script at the first command that fails
  --timeout SECONDS     let all commands together take no longer; past it the exit code is 1
  --no-history          remember no lines (else in POTLUCK_HISTORY, ~/.seash_history unless set)
  --yes                 do not ask, as commands that lose something on several vessels do at a terminal
  --help                print this

Exit code: 0 all went well, 1 a command or a vessel failed, 2 wrong usage, or "diff" has found something,
130 interrupted; of programs that were followed the highest of theirs. "seash -c help" lists the commands.
`;

/** Of the command line. */
export const OPTIONS = {
  clearinghouse: { type: 'string' },
  account: { type: 'string' },
  directory: { type: 'string', multiple: true },
  command: { type: 'string', short: 'c' },
  json: { type: 'boolean', default: false },
  'keep-going': { type: 'boolean', default: false },
  timeout: { type: 'string' },
  yes: { type: 'boolean', default: false },
  'no-history': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Commands that may stand on the command line without `-c`. */
const COMMANDS: readonly string[] = ['apply', 'diff', 'destroy'];
/** What may stand on the command line in the place of a FILE. */
export const WORDS: readonly string[] = [...COMMANDS, 'completion'];

export interface CliStreams extends Streams {
  readonly stdin: NodeJS.ReadStream;
}

type Flags = ReturnType<typeof parseFlags> & { readonly asks: boolean };

/** @returns the exit code, once everything that was printed is on its way. */
export async function main(args: readonly string[], streams: CliStreams): Promise<number> {
  const json = args.includes('--json');
  const reporter = new Reporter(streams, { json });
  try {
    if (args[0] === 'completion') return say(streams, completionScript(args.slice(1)));
    if (args[0] === '--complete') return say(streams, await offersText(args.slice(1), streams));
    const words = wordsFirst(args);
    // Scripts are never asked; a command that stands on the command line itself is no script.
    return await start({ ...parseFlags(words), asks: words !== args && !json }, streams, reporter);
  } catch (error) {
    reporter.report({ command: '', ok: false, error: factsOf(error) }, 'seash: ');
    return error instanceof UsageError ? 2 : 1;
  } finally {
    await Promise.all([drained(streams.stdout), drained(streams.stderr)]);
  }
}

async function start(flags: Flags, streams: CliStreams, reporter: Reporter): Promise<number> {
  if (flags.help) return say(streams, USAGE);
  const clearinghouse = flags.clearinghouse ?? streams.env.POTLUCK_CLEARINGHOUSE;
  const account = flags.account ?? streams.env.POTLUCK_ACCOUNT;
  const directories = flags.directory ?? streams.env.POTLUCK_DIRECTORIES?.split(' ').filter(Boolean) ?? [];
  await using shell = new Shell({ clearinghouse, directories, account, home: homeOf(streams.env) });
  await shell.start();
  const timeoutS = timeoutOf(flags);
  const script = await scriptOf(flags, streams);
  if (script !== undefined) {
    const { signal } = untilInterrupted();
    const confirm = flags.asks && !flags.yes ? questioner(streams) : undefined;
    const keepGoing = flags['keep-going'];
    return await runScript(shell, { ...script, keepGoing, reporter, signal, confirm, timeoutS });
  }
  if (timeoutS !== undefined)
    throw new UsageError('USAGE', 'expected -c, FILE or a script on standard input with --timeout, got none');
  if (flags.json)
    throw new UsageError('USAGE', 'expected -c, FILE or a script on standard input with --json, got none');
  const path = flags['no-history'] ? undefined : historyPath(streams.env);
  await new Interactive(shell, { reporter, streams, historyPath: path, yes: flags.yes }).run();
  return 0;
}

/** The first Ctrl-C asks to come to an end, the second one ends. */
function untilInterrupted(): { signal: AbortSignal } {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  return interrupted;
}

/** @throws UsageError */
function timeoutOf({ timeout }: Flags): number | undefined {
  if (timeout === undefined) return undefined;
  const seconds = Number(timeout);
  if (/^[\d.]+$/.test(timeout) && seconds > 0 && seconds <= SCRIPT_LIMITS.timeoutS) return seconds;
  const { timeoutS } = SCRIPT_LIMITS;
  throw new UsageError('USAGE', `expected --timeout SECONDS above 0 and at most ${timeoutS}, got "${timeout}"`);
}

function say({ stdout }: CliStreams, text: string): number {
  stdout.write(text);
  return 0;
}

/** What the scripts of `seash completion` ask for: one offer a line. */
async function offersText(args: readonly string[], { env }: CliStreams): Promise<string> {
  await using shell = new Shell({ home: homeOf(env) });
  await shell.start();
  const offers = await completeArgs(shell.session, args, { options: OPTIONS, words: WORDS });
  return offers.map((offer) => `${offer}\n`).join('');
}

/** `seash --json apply FILE --watch` is `seash --json -c 'apply FILE --watch'`. */
function wordsFirst(args: readonly string[]): readonly string[] {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  const first = tokens.find(({ kind }) => kind === 'positional');
  if (first?.kind !== 'positional' || !COMMANDS.includes(first.value)) return args;
  const own = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== 'option' || !Object.hasOwn(OPTIONS, token.name)) continue;
    own.add(token.index);
    if (token.value !== undefined && !token.inlineValue) own.add(token.index + 1);
  }
  const words = args.filter((_, index) => !own.has(index)).map((word) => quoteWord(word));
  return [...args.filter((_, index) => own.has(index)), '-c', words.join(' ')];
}

/** Asks at the terminal; undefined where there is none. */
function questioner({ stdin, stderr, env }: CliStreams): Confirm | undefined {
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question) => {
    using lines = createInterface({ input: stdin, output: stderr });
    return isYes(await lines.question(question(styleOf(wantsColour(stderr, env)))));
  };
}

function parseFlags(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (positionals.length > (values.command === undefined ? 1 : 0)) {
      throw new UsageError('USAGE', `expected one FILE or -c COMMANDS, got "${positionals.at(-1)}" besides`);
    }
    return { ...values, file: positionals[0] };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError('USAGE', `expected options as "seash --help" shows, got: ${factsOf(error).message}`);
  }
}

/** The script and its name; undefined for a conversation. */
async function scriptOf(flags: Flags, { stdin }: CliStreams): Promise<{ source: string; name: string } | undefined> {
  if (flags.command !== undefined) return { source: flags.command, name: '' };
  if (flags.file !== undefined && flags.file !== '-') {
    return { source: await readScript(flags.file), name: flags.file };
  }
  if (flags.file === '-' || !stdin.isTTY) return { source: await readAll(stdin), name: 'standard input' };
  return undefined;
}

async function readScript(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    const { code } = factsOf(cause);
    throw new CommandError('FILE_MISSING', `expected a script at ${path}, got ${code === 'ENOENT' ? 'none' : code}`);
  });
}

async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  let length = 0;
  stdin.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > SCRIPT_LENGTH * 4) stdin.destroy();
  });
  return await text(stdin).catch((cause: unknown) => {
    throw new UsageError('USAGE', `expected a script of at most ${SCRIPT_LENGTH} characters, got more`, { cause });
  });
}

async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
