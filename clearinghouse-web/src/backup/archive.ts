import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { constants, type FileHandle, link, open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { describeError, parseJson, privateJwkSchema } from '@potluck/protocol';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { BACKUP_LIMITS } from '../limits.ts';
import type { Value } from '../store/snapshot.ts';

export const FORMAT = 'potluck clearinghouse backup 1';

/** A file of lines of JSON, compressed: a header, then each table followed by its rows, then how many rows there were. */
const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** Milliseconds since the epoch. */
  madeAt: z.int(),
  /** The newest migration that the main database had had. */
  schema: z.string(),
  /** No site ran while it was made. */
  stopped: z.boolean(),
  gatewayKey: privateJwkSchema,
});
const lineSchema = z.union([
  z.strictObject({ database: z.enum(['main', 'keys']), table: z.string(), columns: z.array(z.string()).min(1) }),
  z.array(z.union([z.string(), z.number(), z.null()])).min(1),
  z.strictObject({ end: z.literal(true), rows: z.int() }),
]);
export type Header = z.infer<typeof headerSchema>;
export type Line = z.infer<typeof lineSchema>;
/** Resolves when there is room for the next line. */
export type Write = (line: Header | Line) => Promise<void>;

/**
 * Writes a backup that only its owner can read, whole or not at all.
 * @param fill writes the lines.
 * @throws ServiceError BACKUP_EXISTS, BACKUP_FAILED
 */
export async function writeArchive(path: string, fill: (write: Write) => Promise<void>): Promise<void> {
  if (existsSync(path)) throw exists(path);
  const part = `${path}.${process.pid}.part`;
  const gzip = createGzip();
  const target = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
  const written = pipeline(gzip, target);
  written.catch(() => undefined); // Told below, and to who writes.
  let bytes = 0;
  const write: Write = async (line) => {
    if (gzip.destroyed) await written;
    const text = JSON.stringify(line);
    checkLength(text, 'BACKUP_FAILED'); // What nobody could read again is no backup.
    bytes += Buffer.byteLength(text) + 1;
    if (!gzip.write(`${text}\n`)) await Promise.race([once(gzip, 'drain'), written]);
  };
  try {
    await Promise.race([once(target, 'open'), written]);
    await fill(write);
    gzip.end();
    await written;
    if (bytes > mostOutOf(target.bytesWritten)) {
      throw new ServiceError('BACKUP_FAILED', `expected of ${path} at most ${EXPANSION}: nobody could read it again`);
    }
    // Not a renaming: that would replace what is there.
    await link(part, path);
  } catch (error) {
    gzip.destroy();
    await written.catch(() => undefined);
    if (error instanceof ServiceError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(path, error);
    throw new ServiceError('BACKUP_FAILED', `expected to write ${path}, got: ${describeError(error)}`, {
      cause: error,
    });
  } finally {
    await rm(part, { force: true });
  }
}

/**
 * A row as it has room in a line: where it has not, its long texts are cut, those within JSON each by itself so that it
 * stays JSON. What somebody else has made too long must not keep all others from being saved.
 */
export function fitted(row: Value[]): { row: Value[]; cut: boolean } {
  if (JSON.stringify(row).length <= BACKUP_LIMITS.lineLength) return { row, cut: false };
  return { row: row.map((value) => (typeof value === 'string' ? shortened(value) : value)), cut: true };
}

function shortened(text: string): string {
  const json = parseJson(text);
  if (typeof json !== 'object' || json === null) return text.slice(0, BACKUP_LIMITS.cutLength);
  const cut = (_: string, value: unknown) =>
    typeof value === 'string' ? value.slice(0, BACKUP_LIMITS.cutLength) : value;
  return JSON.stringify(json, cut);
}

/** Reads a backup. What it has is believed only when its end has been read. @throws ServiceError BACKUP_REFUSED */
export async function* readArchive(path: string): AsyncGenerator<Header | Line> {
  const { file, size } = await openTrusted(path);
  const source = file.createReadStream();
  const plain = source.pipe(createGunzip());
  source.on('error', (error) => plain.destroy(error));
  let [rows, told, hasTable] = [0, -1, false];
  try {
    let isFirst = true;
    for await (const text of linesOf(bounded(path, plain, size))) {
      if (told >= 0) throw refused(path, 'nothing after its end, got more');
      const line = parsed(path, text, isFirst);
      isFirst = false;
      if ('table' in line) hasTable = true;
      if (Array.isArray(line)) rows += 1;
      if (rows > 0 && !hasTable) throw refused(path, 'rows of a table, got some of none');
      if ('end' in line) told = line.rows;
      else yield line;
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw refused(path, `a whole file, got: ${describeError(error)}`, error);
  } finally {
    source.destroy();
    plain.destroy();
    if (!source.closed) await once(source, 'close');
  }
  if (told !== rows) throw refused(path, `a whole file, got one that ends after ${rows} rows`);
}

function parsed(path: string, text: string, isFirst: boolean): Header | Line {
  const result = (isFirst ? headerSchema : lineSchema).safeParse(parseJson(text));
  if (result.success) return result.data;
  if (!isFirst) throw refused(path, `lines of a backup, got: ${text.slice(0, 40)}`);
  throw refused(path, 'a backup of a clearinghouse that this version can read, got something else');
}

/** Who could have written it could have made himself an administrator, and who can read it has everybody's keys. */
async function openTrusted(path: string): Promise<{ file: FileHandle; size: number }> {
  // Without waiting: a pipe would be opened when somebody writes to it, which may be never.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((cause: unknown) => {
    throw refused(path, `a file that can be read, and no symbolic link, got: ${describeError(cause)}`, cause);
  });
  try {
    const { mode, uid, ...facts } = await file.stat();
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw refused(path, 'a plain file, got something else');
    if (uid !== (process.getuid?.() ?? uid)) throw refused(path, `a file of your own, got one of user ${uid}`);
    if ((mode & 0o077) !== 0) {
      const got = (mode & 0o777).toString(8).padStart(4, '0');
      throw refused(path, `mode 0600, got ${got}: see that nobody has changed it, then run chmod 600`);
    }
    if (facts.size === 0) throw refused(path, 'a whole file, got an empty one');
    return { file, size: facts.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const EXPANSION = `${BACKUP_LIMITS.expansion} times its size to come out, got more`;

/** Bytes that may come out of a file of this size. */
function mostOutOf(size: number): number {
  return Math.max(size * BACKUP_LIMITS.expansion, BACKUP_LIMITS.expansionLeastBytes);
}

/** What is packed a thousandfold is no backup: nobody has to unpack all of it to see that. */
async function* bounded(path: string, plain: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let left = mostOutOf(size);
  for await (const chunk of plain) {
    left -= chunk.length;
    if (left < 0) throw refused(path, `at most ${EXPANSION}`);
    yield chunk;
  }
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of stream) {
    // Only what is new is searched, however long the line is that it goes on.
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    const lines = [rest + first, ...others];
    for (const line of lines) checkLength(line);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

function checkLength({ length }: string, code: 'BACKUP_FAILED' | 'BACKUP_REFUSED' = 'BACKUP_REFUSED'): void {
  if (length <= BACKUP_LIMITS.lineLength) return;
  const message = `expected lines of at most ${BACKUP_LIMITS.lineLength} characters, got a longer one`;
  throw new ServiceError(code, message);
}

function refused(path: string, expectation: string, cause?: unknown): ServiceError {
  return new ServiceError('BACKUP_REFUSED', `expected at ${path} ${expectation}`, { cause });
}

function exists(path: string, cause?: unknown): ServiceError {
  return new ServiceError('BACKUP_EXISTS', `expected nothing at ${path} yet, got a file`, { cause });
}
