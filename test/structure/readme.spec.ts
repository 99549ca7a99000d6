import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOf, manifestOf, ROOMS, readText, root } from './workspace.ts';

const ROOM_LINES = 60;

describe('readme', () => {
  for (const room of ROOMS) {
    it(`${room} says in one screen what it is for`, () => {
      const path = join(room, 'README.md');
      assert.ok(existsSync(join(root, path)), `expected ${path}`);
      const lines = readText(path).trimEnd().split('\n');
      assert.match(lines[0] ?? '', /^# \S/, `expected ${path} to start with its title`);
      assert.ok(
        lines.length <= ROOM_LINES,
        `expected ${path} to have at most ${ROOM_LINES} lines, got ${lines.length}`,
      );
    });
  }

  it('the commands that the README names exist', () => {
    const scripts = manifestOf('.').scripts ?? {};
    const readme = readText('README.md');
    const named = [...readme.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    for (const command of ['start', 'test'])
      assert.ok(named.includes(command), `expected README.md to name npm ${command}`);
    assert.deepEqual(
      named.filter((name) => scripts[name] === undefined),
      [],
    );
  });

  it('a relative link leads to a file', () => {
    const broken = filesOf('*.md', '*/**/*.md').flatMap((path) =>
      [...readText(path).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
        .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});
