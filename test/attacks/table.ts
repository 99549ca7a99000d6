import { OUTER_WALLS, type OuterWall } from '@potluck/vessel-runtime';
import { type Attack, expectedOf } from './catalogue.ts';
import type { Outcome } from './run.ts';

/** Seconds, tenths are enough. */
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** The table of a run: `=` is the same outcome as with all walls, `-` was not run. */
export function formatTable(outcomes: readonly Outcome[]): string {
  const attacks = [...new Set(outcomes.map(({ attack }) => attack))].sort((a, b) => a.number - b.number);
  const tried = OUTER_WALLS.filter((wall) => outcomes.some(({ without }) => without.includes(wall)));
  const head = ['#', 'attack', 'expected', 'all walls', ...tried.map((wall) => `no ${wall}`), 'time'];
  const rows = attacks.map((attack) =>
    rowOf(
      attack,
      outcomes.filter((outcome) => outcome.attack === attack),
      tried,
    ),
  );
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function rowOf(attack: Attack, outcomes: readonly Outcome[], tried: readonly OuterWall[]): string[] {
  const all = outcomes.find(({ without }) => without.length === 0);
  const cells = tried.map((wall) => {
    const outcome = outcomes.find(({ without }) => without[0] === wall);
    if (outcome === undefined || outcome.verdict === 'not run') return '-';
    if (outcome.told === all?.told) return '=';
    return mark(outcome);
  });
  const ms = all?.ms ?? 0;
  return [`${attack.number}`, attack.name, attack.expected, all === undefined ? '-' : mark(all), ...cells, seconds(ms)];
}

function mark({ verdict, told }: Outcome): string {
  return verdict === 'wrong' ? `WRONG: ${told}` : told;
}

/** What there is to say about the outcomes that are wrong. */
export function formatDetails(outcomes: readonly Outcome[]): string {
  return outcomes
    .filter(({ verdict }) => verdict === 'wrong')
    .map(({ attack, missing, told, detail }) => {
      const where = missing.length === 0 ? 'with all walls' : `without ${missing.join(', ')}`;
      return `\n${attack.number} ${attack.name} ${where}: ${told}\n${detail.replace(/^/gm, '  ')}\n`;
    })
    .join('');
}

/** The same list for docs/SECURITY.md: what is tried and expected, without what a single run took. */
export function formatPage(attacks: readonly Attack[]): string {
  const rows = attacks.map((attack) => {
    const weaker = OUTER_WALLS.filter((wall) => attack.without.has(wall)).map(
      (wall) => `without ${wall}: ${expectedOf(attack, [wall])}`,
    );
    const cells = [attack.number, attack.name, attack.tries, attack.expected, weaker.join('; ') || 'the same'];
    return `| ${cells.map((cell) => `${cell}`.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const head = ['| # | attack | what it tries | expected | where a wall is missing |', '|---|---|---|---|---|'];
  return `${[...head, ...rows].join('\n')}\n`;
}
