import assert from 'node:assert/strict';
import { filesOf, readText, sourceFiles } from './workspace.ts';

/** Written in two parts, so that this file does not hold what it looks for. */
const word = (...parts: string[]): string => parts.join('');

/** Comments and texts in quotes, of which only the line ends are kept: a test may hold a program that is not ours. */
function codeOf(path: string): string {
  const aside = /\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/gm;
  return readText(path).replace(aside, (text) => text.replace(/[^\n]/g, ''));
}

/** Lines of the files that match, as `path:line: text`. */
function find(paths: readonly string[], pattern: RegExp, read = readText): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function texts(): string[] {
  return [...sourceFiles(), ...filesOf('*.{md,json,mjs}', '*/**/*.{md,mjs,js,css,eta,json,d.ts}', '.ci/*')].filter(
    (path) => path !== 'package-lock.json',
  );
}

describe('house style', () => {
  it('an error that is raised has a class of ours and a code', () => {
    assert.deepEqual(
      find(sourceFiles(), new RegExp(word('\\b(?<!extends )(throw|new) ', '(new )?Error\\(')), codeOf),
      [],
    );
  });

  it('no type is given up', () => {
    assert.deepEqual(
      find(sourceFiles(), new RegExp(word('((?<! ):|<|\\bas)\\s*', 'any\\b(?!one)(?=[\\s,;)>=[|&]|$)')), codeOf),
      [],
    );
  });

  it('nothing is left to do in a comment', () => {
    assert.deepEqual(find(texts(), new RegExp(word('\\b(TO', 'DO|FIX', 'ME|XX', 'X)\\b'))), []);
  });

  it('no path of a particular machine is written down', () => {
    assert.deepEqual(find(texts(), new RegExp(word('(^|[\\s\'"`(=])/(ho', 'me|Us', 'ers|wo', 'rk)/'))), []);
  });

  it('the lock file names no registry, so that npm asks the one that it is set to', () => {
    const lock: { packages: Record<string, { resolved?: string }> } = JSON.parse(readText('package-lock.json'));
    const wrong = Object.entries(lock.packages)
      .filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:/.test(resolved))
      .map(([name, { resolved }]) => `${name}: ${resolved}`);
    assert.deepEqual(wrong, []);
  });

  it('imports of Node say so, and imports of ours name the file', () => {
    const wrong = find(sourceFiles(), /^(import|export)\b.*from '\.{1,2}\/[^']*(?<!\.(ts|mjs|js|json|css))';/);
    assert.deepEqual(wrong, []);
  });
});
