import { isIP } from 'node:net';
import { homedir, networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, type DestinationRule, formatDestination, parseDestination } from '@potluck/protocol';
import { InstallError } from './errors.ts';
import { PORTS_PER_VESSEL, vesselCount } from './share.ts';

/** Limits of the command line; docs/LIMITS.md lists them. */
export const INSTALL_LIMITS = {
  /** A donor gives at least this much of the machine. */
  percentLeast: 1,
  percentMost: 50,
  /** Below it ports belong to the system. */
  portBaseLeast: 1024,
  destinationsMost: 64,
} as const;

export interface InstallOptions {
  /** Of the machine, given away in all. */
  readonly percent: number;
  /** Absolute. */
  readonly directory: string;
  /** IP address where the node manager listens. */
  readonly address: string;
  /** Of the node manager; 0 for any that is free. */
  readonly port: number;
  /** First port of the first vessel. */
  readonly portBase: number;
  /** What programs may reach beside the open network. */
  readonly destinations: readonly DestinationRule[];
  /** What they may not, in the words of `nodemanager.json`. */
  readonly denied: readonly string[];
  readonly start: boolean;
}

export const INSTALL_USAGE = `usage: ./install.sh [OPTION]...
  --percent N             share of this machine to give, ${INSTALL_LIMITS.percentLeast} to ${INSTALL_LIMITS.percentMost} (10)
  --directory DIR         where to install; nothing is written elsewhere (~/.potluck; of root /opt/potluck)
  --address IP            address of this machine to listen at (its first outside address)
  --port PORT             port to listen at, 0 for any that is free (1224)
  --port-base PORT        first port of the first vessel, ${PORTS_PER_VESSEL} for each vessel (63100)
  --allow-destination "ADDRESS[/N] [PORT[-PORT]]"
                          lets programs reach this part of your own network; may be repeated
  --deny-destination "ADDRESS[/N] [PORT[-PORT]]"
                          keeps programs from this part of any network; may be repeated
  --no-start              install without starting`;

const FLAGS = {
  percent: { type: 'string', default: '10' },
  directory: { type: 'string' },
  address: { type: 'string' },
  port: { type: 'string', default: '1224' },
  'port-base': { type: 'string', default: '63100' },
  'allow-destination': { type: 'string', multiple: true, default: [] as string[] },
  'deny-destination': { type: 'string', multiple: true, default: [] as string[] },
  'no-start': { type: 'boolean', default: false },
} as const;

/** @throws InstallError USAGE with one sentence about the first flag that is wrong */
export function parseInstallOptions(args: readonly string[]): InstallOptions {
  const flags = readFlags(args);
  const percent = wholeNumber('--percent', flags.percent, INSTALL_LIMITS.percentLeast, INSTALL_LIMITS.percentMost);
  const lastBase = 65_536 - PORTS_PER_VESSEL * vesselCount(percent);
  return {
    percent,
    directory: resolve(flags.directory ?? usualDirectory()),
    address: addressOf(flags.address),
    port: wholeNumber('--port', flags.port, 0, 65_535),
    portBase: wholeNumber('--port-base', flags['port-base'], INSTALL_LIMITS.portBaseLeast, lastBase),
    destinations: destinationsOf('allow', flags['allow-destination']),
    denied: destinationsOf('deny', flags['deny-destination']).map(formatDestination),
    start: !flags['no-start'],
  };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (cause) {
    const said = cause instanceof Error ? (cause.message.split('. ')[0] ?? '') : '';
    throw new InstallError('USAGE', `expected the options that --help lists, got another: ${said}`, { cause });
  }
}

function wholeNumber(flag: string, text: string, first: number, last: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= first && value <= last) return value;
  throw new InstallError(
    'USAGE',
    `expected ${flag} to be a whole number of ${first} to ${last}, got ${JSON.stringify(text)}`,
  );
}

function addressOf(text: string | undefined): string {
  if (text === undefined) return outsideAddress();
  if (isIP(text) !== 0) return text;
  throw new InstallError(
    'USAGE',
    `expected --address to be an IP address of this machine, got ${JSON.stringify(text)}`,
  );
}

/** The first address that other machines can see, of IPv4 if there is one; without any, the machine serves itself only. */
function outsideAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const seen = all.filter(({ internal, address }) => !internal && !/^fe[89ab]/.test(address));
  return (seen.find(({ family }) => family === 'IPv4') ?? seen[0])?.address ?? '127.0.0.1';
}

/** The restrictions' own parser decides what a destination is, so that the two can never differ. */
function destinationsOf(action: 'allow' | 'deny', texts: readonly string[]): DestinationRule[] {
  const flag = `--${action}-destination`;
  if (texts.length > INSTALL_LIMITS.destinationsMost) {
    const most = INSTALL_LIMITS.destinationsMost;
    throw new InstallError('USAGE', `expected ${flag} at most ${most} times, got it ${texts.length} times`);
  }
  return texts.map((text) => {
    const refused = `expected ${flag} "ADDRESS[/N] [PORT[-PORT]]", got ${JSON.stringify(text)}`;
    try {
      return parseDestination(`${action} ${text}`);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new InstallError('USAGE', refused);
    }
  });
}

/** The node manager of root runs as a user of its own, who does not get into root's home. */
function usualDirectory(): string {
  return process.getuid?.() === 0 ? '/opt/potluck' : join(homedir(), '.potluck');
}
