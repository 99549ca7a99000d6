import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { generateIdentity, saveIdentity } from '@potluck/protocol';
import { DonorKeys } from '../src/backend/keys.ts';
import { writeArchive } from '../src/backup/archive.ts';
import { restore } from '../src/backup/restore.ts';
import { backup } from '../src/backup/save.ts';
import { BACKUP_LIMITS } from '../src/limits.ts';
import { statePaths } from '../src/paths.ts';
import { Store } from '../src/store/store.ts';
import { accountOf } from './support/rows.ts';
import { temporaryDirectory } from './support/site.ts';

type Line = Record<string, unknown> | unknown[];
const { lineLength, expansion, expansionLeastBytes } = BACKUP_LIMITS;

describe('a backup that somebody has made up', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  /** A good one, line by line. */
  let lines: string[];
  let whole: Buffer;

  before(async () => {
    directory = await temporaryDirectory();
    const state = join(directory.path, 'state');
    const file = join(directory.path, 'good');
    const paths = statePaths(state);
    await saveIdentity(paths.gatewayKey, generateIdentity());
    await (await DonorKeys.open(paths.backendKeys))[Symbol.asyncDispose]();
    await using store = await Store.open(paths.database);
    await accountOf(store, 'anna');
    await backup({ state }, file);
    whole = await readFile(file);
    lines = gunzipSync(whole).toString('utf8').trimEnd().split('\n');
  });
  after(async () => await directory[Symbol.asyncDispose]());

  /** @returns where it is restored. */
  async function restored(bytes: Uint8Array, state = join(directory.path, randomUUID())): Promise<string> {
    const file = join(directory.path, randomUUID());
    await writeFile(file, bytes, { mode: 0o600 });
    await restore({ state, file });
    return state;
  }

  /** And leaves nothing behind, there or beside it. */
  async function refused(bytes: Uint8Array, expected: RegExp): Promise<void> {
    const around = join(directory.path, randomUUID());
    const state = join(around, 'state');
    await assert.rejects(restored(bytes, state), ({ code, message }) => {
      assert.match(message, expected);
      return code === 'BACKUP_REFUSED';
    });
    if (!existsSync(around)) return;
    assert.deepEqual(readdirSync(around), ['state']);
    assert.deepEqual(
      readdirSync(state, { recursive: true }).filter((name) => !/lock|^backend$/.test(String(name))),
      [],
    );
  }

  const packed = (all: readonly string[]): Uint8Array => gzipSync(`${all.join('\n')}\n`);
  /** The first line that is so, changed. */
  function changed(which: (line: Line) => boolean, change: (line: Line) => string | Line): string[] {
    const at = lines.findIndex((line) => which(JSON.parse(line)));
    assert.ok(at >= 0);
    const text = change(JSON.parse(lines[at] ?? ''));
    return lines.with(at, typeof text === 'string' ? text : JSON.stringify(text));
  }
  const isTable = (line: Line): boolean => 'table' in line;
  const isAccount = (line: Line): boolean => Array.isArray(line) && line.includes('anna');

  it('is a good one as it was saved, before anything is changed', async () => {
    assert.ok(existsSync(statePaths(await restored(packed(lines))).database));
  });

  it('is refused when a bit of it is turned, or its checksum', async () => {
    for (const at of [Math.floor(whole.length / 2), whole.length - 8, whole.length - 1]) {
      await refused(whole.with(at, (whole[at] ?? 0) ^ 1), /a whole file/);
    }
  });

  it('is refused when it ends too early, wherever that is', async () => {
    for (const part of [0.1, 0.5, 0.99]) await refused(whole.subarray(0, whole.length * part), /a whole file/);
    for (const left of [1, 2, lines.length - 1]) {
      await refused(packed(lines.slice(0, left)), /a whole file|a backup of/);
    }
  });

  it('leads nowhere by the names in it', async () => {
    for (const table of [
      '../evil',
      '/etc/passwd',
      'sqlite_master',
      'kysely_migration',
      '__proto__',
      'a"; drop table accounts; --',
    ]) {
      await refused(packed(changed(isTable, (line) => ({ ...line, table }))), /only tables and columns|fit together/);
    }
    for (const column of ['rowid', '__proto__', '../evil']) {
      await refused(
        packed(changed(isTable, (line) => ({ ...line, columns: [column] }))),
        /only tables and columns|rows of 1 values/,
      );
    }
    for (const schema of ['../evil', '__proto__', 'constructor', '']) {
      await refused(
        packed(
          changed(
            (line) => 'format' in line,
            (line) => ({ ...line, schema }),
          ),
        ),
        /this or an older version/,
      );
    }
  });

  it('has rows of tables, each as long as its table is wide and of plain values', async () => {
    for (const row of [['x'], [[]], [{}], [true], {}, 'null', '[1e999]', '{"__proto__":1}', '"text"', 'nonsense']) {
      await refused(packed(changed(isAccount, () => row as Line | string)), /lines of a backup|rows of \d+ values/);
    }
    await refused(packed([lines[0] ?? '', '["a row"]', ...lines.slice(1)]), /rows of a table, got some of none/);
    await refused(
      packed([...lines.slice(0, -1), lines.find((line) => isAccount(JSON.parse(line))) ?? '', '{"end":true,"rows":9}']),
      /a whole file|fit together/,
    );
    const doubled = lines.flatMap((line) => (isAccount(JSON.parse(line)) ? [line, line] : [line]));
    const { rows } = JSON.parse(lines.at(-1) ?? '') as { rows: number };
    await refused(
      packed([...doubled.slice(0, -1), JSON.stringify({ end: true, rows: rows + 1 })]),
      /rows that fit together/,
    );
  });

  it('has a key of a gateway that is one', async () => {
    for (const gatewayKey of [undefined, null, {}, '../evil', { kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd' }]) {
      await refused(
        packed(
          changed(
            (line) => 'format' in line,
            (line) => ({ ...line, gatewayKey }),
          ),
        ),
        /a backup of a clearinghouse/,
      );
    }
  });

  it(`has lines of at most ${lineLength} characters, however deep they are`, async () => {
    const filled = (length: number): string[] =>
      changed(isAccount, (line) => {
        const row = (line as unknown[]).map((value) => (value === 'none' ? '' : value));
        const at = (line as unknown[]).indexOf('none');
        // By chance, so that it is packed no better than others.
        const random = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
          .toString('base64')
          .repeat(20);
        return row.with(at, random.slice(0, length - JSON.stringify(row).length));
      });
    await restored(packed(filled(lineLength)));
    await refused(packed(filled(lineLength + 1)), /lines of at most/);
    await refused(packed([...lines.slice(0, 2), '['.repeat(lineLength)]), /lines of a backup|times its size/);
  });

  it(`is not unpacked when more than ${expansion} times its size would come out`, async () => {
    const row = JSON.stringify(['x'.repeat(lineLength / 2)]);
    const bomb = packed([...lines.slice(0, 2), ...Array<string>(2 + (2 * expansionLeastBytes) / lineLength).fill(row)]);
    await refused(bomb, /at most 200 times its size to come out, got more/);
    const endless = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await refused(endless, /times its size|lines of at most/);
  });

  it('is not made either: what is packed too well fails while it is saved, and leaves nothing behind', async () => {
    const around = join(directory.path, randomUUID());
    await mkdir(around);
    // With the brackets, the quotes and the end of its line.
    const filled = (length: number): string[] => ['x'.repeat(length - 5)];
    const written = async (name: string, lengths: readonly number[]): Promise<void> =>
      await writeArchive(join(around, name), async (write) => {
        for (const length of lengths) await write(filled(length));
      });
    const most = Array<number>((2 * expansionLeastBytes) / lineLength).fill(lineLength / 2);
    await written('most', most);
    await assert.rejects(written('more', most.with(0, lineLength / 2 + 1)), { code: 'BACKUP_FAILED' });
    assert.deepEqual(readdirSync(around), ['most']);
  });

  it('is no pipe, which would let it wait for ever', async () => {
    const file = join(directory.path, 'pipe');
    execFileSync('mkfifo', ['-m', '600', file]);
    await assert.rejects(restore({ state: join(directory.path, 'x'), file }), { code: 'BACKUP_REFUSED' });
  });
});
