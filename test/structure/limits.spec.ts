import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readText, root, sourceFiles } from './workspace.ts';

/** Tables of constants that a user, a donor or a peer can run into, by their name in the code. */
const TABLE = /^export const ((?:[A-Z]+_)*LIMITS|GATEWAY|POLICY|QUEUE) = \{/gm;

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

type Numbers = Readonly<Record<string, number>>;

/** `LIMITS of protocol` and the like, with what the code says. */
async function limitsOfCode(): Promise<ReadonlyMap<string, Numbers>> {
  const found = new Map<string, Numbers>();
  for (const path of sourceFiles().filter((file) => file.includes('/src/'))) {
    for (const [, name = ''] of readText(path).matchAll(TABLE)) {
      const module: Record<string, Numbers> = await import(pathToFileURL(join(root, path)).href);
      found.set(`${name} of ${path.split('/')[0]}`, module[name] ?? {});
    }
  }
  return found;
}

/** The same out of the page: `## ... (`NAME` of ROOM)`, then rows `| name | value | meaning | past it |`. */
function limitsOfPage(): ReadonlyMap<string, ReadonlyMap<string, { value: string; cells: string[] }>> {
  const sections = readText('docs/LIMITS.md').split(/^## /m).slice(1);
  return new Map(
    sections.flatMap((section) => {
      const title = /^.*\(`(\w+)` of ([\w-]+)\)$/m.exec(section.split('\n')[0] ?? '');
      if (title === null) return [];
      const rows = [...section.matchAll(/^\| `(\w+)` +\|(.*)\|$/gm)].map(([, name = '', rest = '']) => {
        const cells = rest.split('|').map((cell) => cell.trim());
        return [name, { value: cells[0] ?? '', cells }] as const;
      });
      return [[`${title[1]} of ${title[2]}`, new Map(rows)] as const];
    }),
  );
}

/** `8 MiB`, `30 s`, `1,000` in the unit that the constant's own name states. */
function numberOf(name: string, value: string): number {
  const [, digits = '', unit] = /^([\d,.]+)(?: (\w+))?$/.exec(value) ?? [];
  const number = Number(digits.replaceAll(',', '') || Number.NaN);
  if (unit === undefined) return number;
  if (unit in BYTES && /bytes$/i.test(name)) return number * (BYTES[unit] ?? Number.NaN);
  if (unit in MS && /Ms$/.test(name)) return number * (MS[unit] ?? Number.NaN);
  return /Seconds$/.test(name) ? (number * (MS[unit] ?? Number.NaN)) / 1000 : Number.NaN;
}

describe('docs/LIMITS.md', () => {
  it('has a table for each table of limits in the code, and no other', async () => {
    assert.deepEqual([...limitsOfPage().keys()].sort(), [...(await limitsOfCode()).keys()].sort());
  });

  it('names each limit, and no other', async () => {
    const page = limitsOfPage();
    for (const [table, numbers] of await limitsOfCode()) {
      assert.deepEqual([...(page.get(table)?.keys() ?? [])].sort(), Object.keys(numbers).sort(), table);
    }
  });

  it('states the numbers of the code', async () => {
    const page = limitsOfPage();
    for (const [table, numbers] of await limitsOfCode()) {
      const said = [...(page.get(table) ?? [])].map(([name, { value }]) => [name, numberOf(name, value)]);
      assert.deepEqual(Object.fromEntries(said), { ...numbers }, table);
    }
  });

  it('says of each limit what it is and what happens past it', () => {
    const empty = [...limitsOfPage()].flatMap(([table, rows]) =>
      [...rows]
        .filter(([, { cells }]) => cells.length !== 3 || cells.includes(''))
        .map(([name]) => `${table}: ${name}`),
    );
    assert.deepEqual(empty, []);
  });
});
