import { lstat, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, FILE_COST_BYTES } from '../src/host/disk.ts';
import { FileSession } from '../src/host/file-session.ts';
import type { Call } from '../src/process/calls.ts';
import { Files } from '../src/process/files.ts';
import type { World } from '../src/process/world.ts';

type Charges = { fileread: number; filewrite: number };

/** What a vessel process does with files and what its node manager does for it, in one process and never waiting. */
export function directFiles(disk: Disk): { files: Files; session: FileSession; charged: () => Charges } {
  const unbraked = { fileread: 1e15, filewrite: 1e15 };
  const session = new FileSession(disk, { quantities: unbraked, tell: () => {} });
  let charges: Charges = { fileread: 0, filewrite: 0 };
  const meter = {
    acquire: () => {},
    release: () => {},
    waitMs: () => 0,
    add: (name: keyof Charges, amount: number) => {
      charges[name] += amount;
    },
  };
  const call = async ({ operation, arguments: given, attachment = new Uint8Array(), room = 0 }: Call) => {
    const answer = await session.services[operation]?.(given, { attachment, room });
    return { value: answer?.value, attachment: answer?.attachment ?? new Uint8Array() };
  };
  let numbers = 0;
  const world = {
    meter,
    calls: { call },
    number: () => {
      numbers += 1;
      return numbers;
    },
  } as unknown as World;
  const charged = (): Charges => {
    const since = charges;
    charges = { fileread: 0, filewrite: 0 };
    return since;
  };
  return { files: new Files(world), session, charged };
}

/** What the system says that the files of a vessel take. */
export async function measuredBytes(directory: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(directory)) {
    const stat = await lstat(join(directory, name));
    if (stat.isFile() && stat.nlink === 1) sum += stat.size + FILE_COST_BYTES;
  }
  return sum;
}

/** Brings a file in as an upload does, by way of `path`. */
export async function bring(disk: Disk, name: string, bytes: Uint8Array, path: string): Promise<void> {
  const room = await disk.reserve(name, bytes.byteLength);
  try {
    await writeFile(path, bytes);
    await room.commit(path);
  } finally {
    room.release();
  }
}
