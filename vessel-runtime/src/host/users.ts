import { readFileSync } from 'node:fs';

/** Bits of CAP_SETGID and CAP_SETUID, see capabilities(7). */
const TAKE_USERS = 0b1100_0000n;

/** A vessel's user has no name and no home; these numbers are below those that systems give out by themselves. */
export const VESSEL_USERS = { first: 60_001, count: 1000 } as const;

let known: bigint | undefined;

/** @returns the rights of root that this process has: all, none, or those over users of its own namespace. */
function capabilities(): bigint {
  known ??= readCapabilities();
  return known;
}

function readCapabilities(): bigint {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  } catch {
    return 0n;
  }
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** @returns whether processes can be started as other users: as root, or with what a node manager keeps of its rights. */
export function mayTakeUsers(): boolean {
  return isRoot() || (capabilities() & TAKE_USERS) === TAKE_USERS;
}

/** @returns whether processes that are started have rights that they must not keep: root's go with its user. */
export function keepsRights(): boolean {
  return !isRoot() && capabilities() !== 0n;
}
