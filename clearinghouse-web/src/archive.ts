import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Donation } from '@potluck/protocol';
import { Header } from 'tar';
import { PortalError } from './errors.ts';

const BLOCK_BYTES = 512;
/** Where the installer looks for it. */
const ENTRY = 'potluck/donation.json';

/**
 * A donor's archive: the payload, which is the same for all, and then a second gzip member with the donor's part and the
 * end of the tar. Gzip members may be concatenated, so nothing is packed again.
 * @throws PortalError NO_PAYLOAD
 */
export async function openArchive(
  payload: string | undefined,
  donation: Donation,
): Promise<{ stream: Readable; lengthBytes: number }> {
  if (payload === undefined) {
    throw new PortalError(
      'NO_PAYLOAD',
      'expected a payload to build archives from, this clearinghouse was started without',
    );
  }
  const { size } = await stat(payload).catch((cause: unknown) => {
    throw new PortalError('NO_PAYLOAD', 'expected the payload to be readable, it is not', { cause });
  });
  const personal = personalPart(donation);
  async function* parts(): AsyncGenerator<Buffer> {
    // Never more than the length that was promised, even if the file grows meanwhile.
    if (size > 0) yield* createReadStream(payload as string, { end: size - 1 });
    yield personal;
  }
  return { stream: Readable.from(parts(), { objectMode: false }), lengthBytes: size + personal.length };
}

function personalPart(donation: Donation): Buffer {
  const content = Buffer.from(`${JSON.stringify(donation, undefined, 2)}\n`);
  const header = new Header({
    path: ENTRY,
    mode: 0o644,
    size: content.length,
    mtime: new Date(0),
    type: 'File',
    uid: 0,
    gid: 0,
  });
  const block = Buffer.alloc(BLOCK_BYTES);
  header.encode(block);
  const padding = Buffer.alloc(-content.length & (BLOCK_BYTES - 1));
  return gzipSync(Buffer.concat([block, content, padding, Buffer.alloc(2 * BLOCK_BYTES)]));
}
