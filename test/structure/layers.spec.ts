import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { importsOf, manifestOf, ROOMS, sourceFiles } from './workspace.ts';

/** From the lowest to the highest; a room may use lower ones only, and none beside it. */
const LAYERS = [
  ['protocol'],
  ['repy-api', 'clearinghouse'],
  ['vessel-runtime'],
  ['nodemanager'],
  ['clearinghouse-web', 'seash', 'installer'],
  ['examples', 'bench', 'docs', 'test'],
];
const SCOPE = '@potluck/';
/** These look at the whole from outside. */
const FREE = ['examples', 'bench', 'test'];

const layerOf = (room: string): number => LAYERS.findIndex((rooms) => rooms.includes(room));
const roomOf = (path: string): string => path.split('/')[0] ?? '';

/** The rooms that a package.json names. */
function neighbours(room: string): string[] {
  const names = Object.keys(manifestOf(room).dependencies ?? {});
  return names.filter((name) => name.startsWith(SCOPE)).map((name) => name.slice(SCOPE.length));
}

describe('layers', () => {
  it('are made of exactly the workspaces of the root package.json', () => {
    const workspaces = [...(manifestOf('.').workspaces ?? [])].sort();
    assert.deepEqual(workspaces, [...ROOMS].sort());
    assert.deepEqual(LAYERS.flat().sort(), workspaces);
  });

  for (const room of ROOMS) {
    it(`${room} depends on lower rooms only`, () => {
      const wrong = neighbours(room).filter((other) => layerOf(other) === -1 || layerOf(other) >= layerOf(room));
      assert.deepEqual(wrong, [], `expected ${room}/package.json to name lower rooms only`);
    });
  }

  it('an import of a room is declared in the package.json of the importing room', () => {
    const wrong = sourceFiles().flatMap((path) => {
      const room = roomOf(path);
      const allowed = new Set([room, ...neighbours(room)]);
      return FREE.includes(room)
        ? []
        : importsOf(path)
            .filter((name) => name.startsWith(SCOPE))
            .filter((name) => !allowed.has(name.slice(SCOPE.length).split('/')[0] ?? ''))
            .map((name) => `${path}: ${name}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('a room is imported by its name alone, so that only what its index exports is used', () => {
    const wrong = sourceFiles().flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith(SCOPE) && name.slice(SCOPE.length).includes('/'))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('no relative import leaves its room', () => {
    const wrong = sourceFiles().flatMap((path) =>
      FREE.includes(roomOf(path))
        ? []
        : importsOf(path)
            .filter((name) => name.startsWith('.') && roomOf(join(dirname(path), name)) !== roomOf(path))
            .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('sources import no file of a test', () => {
    const wrong = sourceFiles()
      .filter((path) => /^[^/]+\/(src|bin)\//.test(path))
      .flatMap((path) =>
        importsOf(path)
          .filter((name) => name.startsWith('.') && join(dirname(path), name).includes('/test/'))
          .map((name) => `${path}: ${name}`),
      );
    assert.deepEqual(wrong, []);
  });
});
