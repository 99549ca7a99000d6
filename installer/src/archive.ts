import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Header } from 'tar';
import { BuildError } from './errors.ts';

/** One file of an archive: its bytes, or where they are. */
export interface ArchiveFile {
  /** Path inside the archive, with `/`. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer | { readonly file: string; readonly size: number };
}

const BLOCK = 512;
/** Each piece becomes a gzip member of its own, so that all cores pack at once: RFC 1952 lets members follow each other. */
const PIECE_BYTES = 4 * 1024 * 1024;
const PIECES_AT_ONCE = 4;
/** Of zlib: 2 packs 150 MB in seconds; 9 would take a minute for a tenth less. */
const LEVEL = 2;
/** The same for every file and every build, so that the same parts give the same bytes. */
const MTIME = new Date('2026-01-01T00:00:00Z');

const pack = promisify(gzip);

/**
 * Writes a gzip'd tar file WITHOUT its end-of-archive blocks: another gzip member with further entries and the end is
 * appended by whoever hands it out. Directories come before their files. `path` must not exist.
 * @throws BuildError NAME_TOO_LONG (a path of more than 100 bytes), and what the file system throws
 */
export async function writeArchive(path: string, files: readonly ArchiveFile[]): Promise<void> {
  const out = createWriteStream(path, { flags: 'wx' });
  await once(out, 'open');
  const waiting: Promise<Buffer>[] = [];
  try {
    for await (const piece of piecesOf(tarOf(files))) {
      const packed = pack(piece, { level: LEVEL });
      packed.catch(() => undefined); // It is awaited below, in order; an earlier failure must not leave it unheard.
      waiting.push(packed);
      if (waiting.length >= PIECES_AT_ONCE) await write(out, await waiting.shift());
    }
    for (const packed of waiting) await write(out, await packed);
    out.end();
    await once(out, 'close');
  } catch (error) {
    out.destroy();
    throw error;
  }
}

async function write(out: WriteStream, bytes: Buffer | undefined): Promise<void> {
  if (!out.write(bytes)) await once(out, 'drain');
}

async function* tarOf(files: readonly ArchiveFile[]): AsyncGenerator<Buffer> {
  for (const directory of directoriesOf(files)) yield headerOf(directory, 0o755, 0, 'Directory');
  for (const { path, mode, content } of files) {
    const size = Buffer.isBuffer(content) ? content.length : content.size;
    yield headerOf(path, mode, size, 'File');
    let written = 0;
    for await (const chunk of Buffer.isBuffer(content) ? [content] : createReadStream(content.file)) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) {
      throw new BuildError('WRITE_FAILED', `expected ${size} bytes for ${path}, got ${written}: it changed meanwhile`);
    }
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
}

function directoriesOf(files: readonly ArchiveFile[]): string[] {
  const found = new Set<string>();
  for (const { path } of files) {
    const names = path.split('/').slice(0, -1);
    for (const [index] of names.entries()) found.add(`${names.slice(0, index + 1).join('/')}/`);
  }
  return [...found].sort();
}

function headerOf(path: string, mode: number, size: number, type: 'File' | 'Directory'): Buffer {
  const header = new Header({ path, mode, size, type, mtime: MTIME, uid: 0, gid: 0, uname: '', gname: '' });
  if (header.encode()) {
    throw new BuildError('NAME_TOO_LONG', `expected a name that a plain tar header holds, got ${path}`);
  }
  return header.block ?? Buffer.alloc(BLOCK);
}

/** Joins and cuts a stream of bytes into pieces of the same size; the last one may be shorter. */
async function* piecesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < PIECE_BYTES) continue;
    yield Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
  }
  if (heldBytes > 0) yield Buffer.concat(held, heldBytes);
}
