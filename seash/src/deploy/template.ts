import { hintFor } from '@potluck/protocol';

/** What an argument may say of the vessel that gets it and of the others. */
export interface Place {
  readonly index: number;
  readonly ip: string;
  /** The first port that the vessel may have messages on. */
  readonly port: number | undefined;
}

const NAMES = ['index', 'count', 'ip', 'port', 'first', 'peers'];
const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** What is wrong with the placeholders of an argument, or undefined. */
export function placeholderFault(text: string): string | undefined {
  for (const [, name = ''] of text.matchAll(PLACEHOLDER)) {
    if (!NAMES.includes(name)) {
      return `expected a placeholder of ${NAMES.join(', ')}, got "${name}"${hintFor(name, NAMES)}`;
    }
  }
  return undefined;
}

/** Whether the arguments name a vessel's port, which only its node knows. */
export function needsPorts(args: readonly string[]): boolean {
  return namesIn(args).includes('port') || namesOthers(args);
}

/** Whether the arguments of one vessel say where others are. */
export function namesOthers(args: readonly string[]): boolean {
  return namesIn(args).some((name) => name === 'first' || name === 'peers');
}

/**
 * The arguments of one vessel. `{{peers}}` alone becomes an argument for each member, in the order of their indices;
 * inside of a text they stand with commas between.
 * @param places of all members, in the order of their indices; undefined where there is none: it is left out.
 */
export function expand(args: readonly string[], own: Place, places: readonly (Place | undefined)[]): string[] {
  const peers = places.flatMap((place) => (place === undefined ? [] : [addressOf(place)]));
  const values: Readonly<Record<string, string>> = {
    index: String(own.index),
    count: String(places.length),
    ip: own.ip,
    port: String(own.port ?? '?'),
    first: peers[0] ?? '?',
    peers: peers.join(','),
  };
  return args.flatMap((arg) => {
    if (/^\{\{\s*peers\s*\}\}$/.test(arg)) return peers;
    return [arg.replace(PLACEHOLDER, (_, name: string) => values[name] ?? '?')];
  });
}

function namesIn(args: readonly string[]): string[] {
  return args.flatMap((arg) => [...arg.matchAll(PLACEHOLDER)].map(([, name = '']) => name));
}

function addressOf({ ip, port }: Place): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port ?? '?'}`;
}
