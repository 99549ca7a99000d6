import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUTER_WALLS, type OuterWall } from '@potluck/vessel-runtime';
import { AttackError } from './errors.ts';

const LIST = join(import.meta.dirname, 'list');
export const BENEATH = join(import.meta.dirname, 'beneath.c');

/** One attack, as the comment at the head of its file describes it. */
export interface Attack {
  readonly number: number;
  readonly name: string;
  /** What it tries, in a sentence. */
  readonly tries: string;
  /** Outcomes that are right, with ` or ` between them. */
  readonly expected: string;
  /** The same where a wall is missing, if it differs. */
  readonly without: ReadonlyMap<OuterWall, string>;
  /** Walls whose absence is tried in the quick run too; the long run tries all. */
  readonly walls: readonly OuterWall[];
  /** Walls that may be missing while this runs: without the others a success would do harm. */
  readonly safeWithout: readonly OuterWall[];
  /** Lines of restrictions beyond the usual ones. */
  readonly restrictions: readonly string[];
  /** Each is run for itself, as the program's second argument. */
  readonly variants: readonly string[];
  /** Once it has logged `running`, a request ends it. */
  readonly stop: boolean;
  /** Too long for every column: it runs with all walls, and without those in `walls`. */
  readonly slow: boolean;
  /** `program`: runs in a vessel. `driven`: has a hand outside. `beneath`: stands in the place of the vessel process. */
  readonly kind: 'program' | 'driven' | 'beneath';
  readonly path: string;
}

const TITLE = /^(\d+) ([a-z0-9-]+): (.+)$/;

/** @returns every attack, in the order of their numbers. @throws AttackError BAD_ATTACK */
export function catalogue(): Attack[] {
  const files = readdirSync(LIST).map((name) => join(LIST, name));
  const alone = files.flatMap((path) => attacksIn(path, path.endsWith('.js') ? 'program' : 'driven').slice(0, 1));
  const all = [...alone, ...attacksIn(BENEATH, 'beneath')].sort((a, b) => a.number - b.number);
  for (const [index, { number, path }] of all.entries()) {
    if (all[index - 1]?.number === number) throw bad(path, `one attack of number ${number}, got two`);
  }
  return all;
}

function attacksIn(path: string, kind: Attack['kind']): Attack[] {
  const comments = [...readFileSync(path, 'utf8').matchAll(/^\/\*\*\n([\s\S]*?)\*\//gm)];
  const attacks = comments.flatMap(([, comment = '']) => {
    const lines = comment.split('\n').map((line) => line.replace(/^ \* ?/, '').trim());
    return TITLE.test(lines[0] ?? '') ? [attackOf(lines.filter(Boolean), path, kind)] : [];
  });
  if (attacks.length === 0) throw bad(path, 'a first comment "NUMBER NAME: WHAT IT TRIES"');
  return attacks;
}

function attackOf(lines: readonly string[], path: string, kind: Attack['kind']): Attack {
  const [, number, name = '', start = ''] = TITLE.exec(lines[0] ?? '') ?? [];
  const firstKey = lines.findIndex((line) =>
    /^(expected|without [\w ]+|walls|safe without|variants|stop|slow):/.test(line),
  );
  const keyed = firstKey < 0 ? [] : lines.slice(firstKey);
  const tries = [start, ...lines.slice(1, firstKey)].join(' ');
  const pairs = keyed.map((line) => /^([\w ]+): (.+)$/.exec(line)?.slice(1) ?? ['', line]);
  const value = (key: string) => pairs.find(([found]) => found === key)?.[1];
  const list = (key: string) => value(key)?.split(', ') ?? [];
  const expected = value('expected');
  if (expected === undefined) throw bad(path, `"expected: ..." of attack ${number}`);
  return {
    number: Number(number),
    name,
    tries,
    expected,
    without: new Map(pairs.flatMap(([key = '', told = '']) => withoutOf(key, told, path))),
    walls: list('walls').map((wall) => wallOf(wall, path)),
    safeWithout: kind === 'beneath' ? list('safe without').map((wall) => wallOf(wall, path)) : OUTER_WALLS,
    restrictions: keyed.filter((line) => /^(resource|destination) /.test(line)),
    variants: list('variants'),
    stop: value('stop') !== undefined,
    slow: value('slow') !== undefined,
    kind,
    path,
  };
}

function withoutOf(key: string, told: string, path: string): [OuterWall, string][] {
  const wall = /^without ([\w ]+)$/.exec(key)?.[1];
  return wall === undefined ? [] : [[wallOf(wall, path), told]];
}

function wallOf(text: string, path: string): OuterWall {
  const wall = OUTER_WALLS.find((name) => name === text);
  if (wall === undefined) throw bad(path, `one of the walls ${OUTER_WALLS.join(', ')}, got "${text}"`);
  return wall;
}

function bad(path: string, expected: string): AttackError {
  return new AttackError('BAD_ATTACK', `${path}: expected ${expected}`);
}

/** @returns what is right where these walls are missing. */
export function expectedOf(attack: Attack, missing: readonly OuterWall[]): string {
  const wall = missing.find((name) => attack.without.has(name));
  return (wall && attack.without.get(wall)) ?? attack.expected;
}
