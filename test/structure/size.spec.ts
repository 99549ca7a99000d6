import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { generatedFiles } from '@potluck/docs';
import { filesOf, readText, root, sourceFiles } from './workspace.ts';

const FILE_LINES = 300;
const BIN_LINES = 20;

function linesOf(path: string): number {
  return readText(path).trimEnd().split('\n').length;
}

function longerThan(paths: readonly string[], most: number): string[] {
  return paths.filter((path) => linesOf(path) > most).map((path) => `${path}: ${linesOf(path)} lines`);
}

describe('sizes and names', () => {
  it('finds the sources at all', () => {
    assert.ok(sourceFiles().length > 20, 'expected the repository to hold sources');
  });

  it(`no source file is longer than ${FILE_LINES} lines`, () => {
    const others = filesOf('scripts/*.mjs', '*/src/**/*.{css,js,mjs,eta}', 'examples/**/*.{js,mjs}', '**/*.d.ts');
    const generated = generatedFiles(root);
    const paths = [...sourceFiles(), ...others].filter((path) => !generated.has(path));
    assert.deepEqual(longerThan(paths, FILE_LINES), []);
  });

  it(`an executable is at most ${BIN_LINES} lines over a library`, () => {
    const bins = filesOf('*/bin/*');
    assert.ok(bins.length > 0);
    assert.deepEqual(longerThan(bins, BIN_LINES), []);
    const wrong = bins.filter((path) => !readText(path).startsWith('#!/usr/bin/env node\n'));
    assert.deepEqual(wrong, [], 'expected each executable to start with its interpreter');
  });

  it('files and folders are named in kebab-case', () => {
    const word = '[a-z0-9]+(-[a-z0-9]+)*';
    const name = new RegExp(`^${word}(\\.${word})*$`);
    const wrong = sourceFiles().filter((path) => !path.split('/').every((part) => name.test(part)));
    assert.deepEqual(wrong, []);
  });

  it('an index.ts only exports again what other files hold', () => {
    const wrong = sourceFiles()
      .filter((path) => basename(path) === 'index.ts')
      .filter((path) => {
        const code = readText(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        return code.replace(/export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s+from\s+'[^']+';/g, '').trim() !== '';
      });
    assert.deepEqual(wrong, []);
  });
});
