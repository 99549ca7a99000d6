import type { Disk } from '../src/host/disk.ts';
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
