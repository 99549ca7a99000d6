import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { ConfigError } from '@potluck/protocol';

export const USAGE = 'usage: repy [--restrictions FILE] [--ip ADDRESS] PROGRAM [ARG...]';

export interface RepyArguments {
  readonly restrictionsFile: string | undefined;
  readonly address: string;
  /** Undefined when only help is asked for. */
  readonly program: string | undefined;
  readonly args: readonly string[];
}

const options = {
  restrictions: { type: 'string' },
  ip: { type: 'string', default: '127.0.0.1' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Everything after PROGRAM is the program's own, also what looks like an option of ours.
 * @throws ConfigError USAGE
 */
export function parseRepyArguments(argv: readonly string[]): RepyArguments {
  const at = programIndex(argv);
  const { values } = parseOwn(argv.slice(0, at));
  const program = argv[at];
  if (values.help) return { restrictionsFile: undefined, address: values.ip, program: undefined, args: [] };
  if (program === undefined) throw usage('expected a PROGRAM, got none');
  if (isIP(values.ip) === 0) throw usage(`expected an IP address after --ip, got "${values.ip}"`);
  return { restrictionsFile: values.restrictions, address: values.ip, program, args: argv.slice(at + 1) };
}

function programIndex(argv: readonly string[]): number {
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  return tokens.find(({ kind }) => kind === 'positional')?.index ?? argv.length;
}

function parseOwn(args: string[]) {
  try {
    return parseArgs({ args, options });
  } catch (cause) {
    throw usage(cause instanceof Error ? (cause.message.split('. ')[0] ?? '') : String(cause));
  }
}

function usage(what: string): ConfigError {
  return new ConfigError('USAGE', `${what}\n${USAGE}`);
}
