import { isIP } from 'node:net';
import { ConfigError, hintFor } from '@potluck/protocol';
import { LAYER_LIMITS } from '@potluck/repy-api';

interface OptionSpec {
  /** What its value is called; an option without one is on or off. */
  readonly value?: string;
  readonly short?: string;
  /** For `--help`. */
  readonly says: string;
}

/** Every option, in the order of the help: another one is a line here, and what is done with it. */
const OPTIONS = {
  restrictions: { value: 'FILE', says: 'what the program may use, in lines such as "resource memory 50000000"' },
  ip: { value: 'ADDRESS', says: 'the address that the program listens on; 127.0.0.1 unless said' },
  files: { value: 'DIR', says: "where the program's files are; without it they are gone with the program" },
  layer: { value: 'FILE', says: 'a security layer; may be repeated, the first is next to the API' },
  json: { says: 'print one JSON object for each line, as docs/repy-json.md has them' },
  watch: { says: 'run it again whenever one of its files changes, until Ctrl-C' },
  help: { short: 'h', says: 'print this' },
} as const satisfies Readonly<Record<string, OptionSpec>>;
type OptionName = keyof typeof OPTIONS;

const USAGE = 'usage: repy [OPTION...] PROGRAM [ARG...]\n       repy check [--json] PROGRAM...';
/** A program of this name is run as ./check. */
const CHECK = 'check';
/** What `repy check` takes of them. */
const FOR_CHECK: readonly OptionName[] = ['json', 'help'];

/** Values by the names of options; an option that was not given is not there. */
export type RepyOptions = { readonly [Name in OptionName]?: string };

export interface RepyArguments {
  readonly options: RepyOptions;
  /** Files of layers, from the one next to the API. */
  readonly layers: readonly string[];
  readonly command: 'run' | 'check' | 'help';
  /** One to be run, some to be checked, none for help. */
  readonly programs: readonly string[];
  readonly args: readonly string[];
}

/** What `--help` prints. */
export function helpText(): string {
  const rows = specs().map(([name, { value, short, says }]) => {
    const left = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return `  ${left.padEnd(20)} ${says}`;
  });
  const about = `Runs a program here as a node would; everything after PROGRAM is the program's own.
"check" tells all that would keep programs from running, and runs none.`;
  return `${[USAGE, '', about, '', ...rows].join('\n')}\n`;
}

/**
 * Everything after PROGRAM is the program's own, also what looks like an option of ours.
 * @throws ConfigError USAGE
 */
export function parseRepyArguments(argv: readonly string[]): RepyArguments {
  const { options, layers, at, closed } = parseOptions(argv);
  if (options.help !== undefined) return { options, layers, command: 'help', programs: [], args: [] };
  checkOptions(options, layers);
  const program = argv[at];
  if (program === undefined) throw usage('expected a PROGRAM, got none');
  const args = argv.slice(at + 1);
  if (program !== CHECK || closed) return { options, layers, command: 'run', programs: [program], args };
  return parseCheck(args, options, layers);
}

function parseCheck(args: readonly string[], before: RepyOptions, layersBefore: readonly string[]): RepyArguments {
  const after = parseOptions(args);
  const options = { ...before, ...after.options };
  const layers = [...layersBefore, ...after.layers];
  if (options.help !== undefined) return { options, layers, command: 'help', programs: [], args: [] };
  const given = [...Object.keys(options), ...layers.map(() => 'layer')];
  const wrong = given.find((name) => !FOR_CHECK.some((known) => known === name));
  if (wrong !== undefined) throw usage(`expected a program to be run with --${wrong}, got "check"`);
  const programs = args.slice(after.at);
  if (programs.length === 0) throw usage('expected a PROGRAM to check, got none');
  return { options, layers, command: 'check', programs, args: [] };
}

interface Parsed extends Pick<RepyArguments, 'options' | 'layers'> {
  readonly at: number;
  readonly closed: boolean;
}

/** Reads options up to the first word that is none. @returns its index, and whether `--` stood before it */
function parseOptions(argv: readonly string[]): Parsed {
  const options: Partial<Record<OptionName, string>> = {};
  const layers: string[] = [];
  for (let at = 0; ; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return { options, layers, at: at + 1, closed: true };
    if (!word.startsWith('-') || word === '-') return { options, layers, at, closed: false };
    const { name, value } = optionOf(word);
    const takes = specOf(name).value;
    if (takes === undefined && value !== undefined) throw usage(`expected no value for --${name}, got "${value}"`);
    if (takes !== undefined && value === undefined) at++;
    const given = takes === undefined ? '' : needValue(value ?? argv[at], `${takes} after --${name}`);
    if (name === 'layer') layers.push(given);
    else options[name] = given;
  }
}

function checkOptions({ ip }: RepyOptions, layers: readonly string[]): void {
  const most = LAYER_LIMITS.layers;
  if (layers.length > most) throw usage(`expected --layer at most ${most} times, got ${layers.length}`);
  if (ip !== undefined && isIP(ip) === 0) throw usage(`expected an IP address after --ip, got "${ip}"`);
}

function optionOf(word: string): { name: OptionName; value: string | undefined } {
  const [head = '', ...rest] = word.split('=');
  const found = specs().find(
    ([name, { short }]) => head === `--${name}` || (short !== undefined && head === `-${short}`),
  );
  if (found === undefined) {
    const known = specs().map(([name]) => `--${name}`);
    throw usage(`expected one of ${known.join(' ')}, got "${head}"${hintFor(head, known)}`);
  }
  return { name: found[0], value: rest.length === 0 ? undefined : rest.join('=') };
}

function needValue(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw usage(`expected ${what}, got nothing`);
  return value;
}

const specs = () => Object.entries(OPTIONS) as [OptionName, OptionSpec][];
const specOf = (name: OptionName): OptionSpec => OPTIONS[name];

function usage(what: string): ConfigError {
  return new ConfigError('USAGE', `${what}\n${USAGE}\n"repy --help" says more.`);
}
