import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Ending } from '@potluck/protocol';
import { excerptOf, type Place, type Problem, placeIn, sentenceOf } from '@potluck/repy-api';

export interface Checked {
  readonly program: string;
  readonly errors: number;
  readonly warnings: number;
  /** Of the compiler that looked at its types; null when there was none. */
  readonly typescript: string | null;
}

/** What is told of a run. */
export interface Reporter {
  started(start: { program: string; ip: string; args: readonly string[] }): void;
  /** Some of the program's log, as it comes. */
  log(text: string): void;
  problem(problem: Problem): void;
  /** With `--watch`: a file, named from here, has changed after the program had ended. */
  changed(file: string): void;
  /** A program was looked at and not run. */
  checked(result: Checked): void;
  /** What kept the program from starting, as far as `problem` has not said it. */
  failed(message: string, code: string): void;
  ended(ending: Ending, usage: Readonly<Record<string, number>>): void;
  /** Files that it wrote were not to be kept. */
  filesGone(count: number): void;
}

/** Where texts go. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** The log as it is, all else on stderr. @param folder the program's own, in which its files are named */
export function textReporter({ out, err }: Output, folder: string): Reporter {
  return {
    started: () => {},
    log: out,
    problem: (problem) => {
      const label = problem.severity === 'warning' ? 'warning: ' : '';
      const sentence = sentenceOf({ ...problem, message: `${label}${problem.message}` });
      err(
        `repy: ${sentence}\n${problem.line === 0 ? '' : `${excerptOf(problem, problem.lineText, problem.length)}\n`}`,
      );
    },
    changed: (file) => err(`repy: ${file} changed\n`),
    checked: (result) => out(`${sentenceOfCheck(result)}\n`),
    failed: (message) => err(`repy: ${message}\n`),
    ended: (ending) => {
      if (endedWell(ending)) return;
      const place = placeOf(ending);
      const lineText = place === undefined ? undefined : readLine(folder, place);
      const excerpt = place === undefined || lineText === undefined ? '' : `${excerptOf(place, lineText)}\n`;
      err(`repy: ${ending.message}\n${excerpt}`);
    },
    filesGone: (count) => err(`repy: its files (${count}) are gone with it; --files DIR keeps them\n`),
  };
}

/** One object a line, all on stdout, in the shapes of docs/repy-json.md. */
export function jsonReporter({ out }: Output): Reporter {
  const print = (type: string, facts: object) => out(`${JSON.stringify({ type, ...facts })}\n`);
  let open = '';
  const flush = () => {
    if (open !== '') print('log', { text: open });
    open = '';
  };
  return {
    started: (start) => print('start', start),
    log: (text) => {
      const lines = `${open}${text}`.split('\n');
      open = lines.pop() ?? '';
      for (const line of lines) print('log', { text: line });
    },
    problem: ({ lineText, ...problem }) => print('problem', { ...problem, source: lineText }),
    changed: (file) => print('change', { file }),
    checked: (result) => print('check', result),
    failed: (message, code) => print('failed', { code, message }),
    ended: (ending, usage) => {
      flush();
      const { kind, message, exitCode, limit } = ending;
      print('end', { kind, code: exitCode, message, place: placeOf(ending), limit, usage });
    },
    filesGone: () => {},
  };
}

function sentenceOfCheck({ program, errors, warnings, typescript }: Checked): string {
  const count = (number: number, what: string) => `${number === 0 ? 'no' : number} ${what}${number === 1 ? '' : 's'}`;
  const types =
    typescript === null
      ? 'types not checked, for no TypeScript is in its project'
      : `types by TypeScript ${typescript}`;
  const warned = warnings === 0 ? '' : `, ${count(warnings, 'warning')}`;
  return `${program}: ${count(errors, 'problem')}${warned}; ${types}`;
}

function endedWell({ kind }: Ending): boolean {
  return kind === 'finished' || kind === 'exitall';
}

/** Only these two are about a line of the author's. */
function placeOf({ kind, message }: Ending): Place | undefined {
  return kind === 'error' || kind === 'refused' ? placeIn(message) : undefined;
}

/** The file may have changed or gone since it was bundled, and its name came through the program's own trace. */
function readLine(folder: string, { file, line }: Place): string | undefined {
  try {
    return readFileSync(resolve(folder, file), 'utf8').split('\n')[line - 1];
  } catch {
    return undefined;
  }
}
