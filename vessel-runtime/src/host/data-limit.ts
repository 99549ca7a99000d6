import { spawn } from 'node:child_process';
import type { User } from './bubblewrap.ts';

/**
 * Bounds what a running process may have of writable memory of its own (RLIMIT_DATA): the one limit that the kernel holds
 * by itself, however fast a program writes. What was reserved before counts too, used or not.
 * @param prlimit path of the util-linux program, for Node has no call for it; it runs as the user of the process, which
 * may do this without any privilege.
 * @param bytes in all, with what the process has already.
 * @returns whether it stands.
 */
export async function limitData(
  prlimit: string,
  { pid, user }: { pid: number; user: User },
  bytes: number,
): Promise<boolean> {
  const args = ['--pid', `${pid}`, `--data=${bytes}:${bytes}`];
  const child = spawn(prlimit, args, { ...user, env: {}, cwd: '/', stdio: 'ignore' });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
