import { gzipSync } from 'node:zlib';
import { Header } from 'tar';

/** What the site appends for one donor: `potluck/donation.json` and the end of the archive, as a gzip member. */
export function personalPart(text: string): Buffer {
  const content = Buffer.from(text);
  const header = new Header({
    path: 'potluck/donation.json',
    mode: 0o644,
    size: content.length,
    type: 'File',
    mtime: new Date(0),
  });
  header.encode();
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return gzipSync(Buffer.concat([header.block ?? Buffer.alloc(512), content, padding, Buffer.alloc(1024)]));
}
