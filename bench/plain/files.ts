// The floor of files: reads or writes BYTES at the start of one file by node:fs, one after the other, for twice MS, and
// prints how often in a second the second time. Usage: files.ts PATH read|write BYTES MS
import { open } from 'node:fs/promises';

const [path = '', operation, bytes = '0', ms = '0'] = process.argv.slice(2);
const length = Number(bytes);
await using file = await open(path, 'w+');
const data = new Uint8Array(length).fill(120);
const write = () => file.write(data, 0, length, 0);
const read = () => file.read(new Uint8Array(length), 0, length, 0);
const work: () => Promise<unknown> = operation === 'read' ? read : write;

async function run(): Promise<number> {
  const begin = performance.now();
  let runs = 0;
  for (; performance.now() - begin < Number(ms); runs++) await work();
  return (runs * 1000) / (performance.now() - begin);
}

await write();
await run();
console.log(await run());
