import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pageOf } from './page.ts';
import { record } from './record.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const { cast, shown } = await record();
await writeFile(join(docs, 'first-ten-minutes.cast'), cast);
await writeFile(join(docs, 'first-ten-minutes.md'), pageOf(shown));
