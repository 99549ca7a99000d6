import { spawn } from 'node:child_process';
import type { User } from './bubblewrap.ts';

interface Bounded {
  /** Which may do this to a process of its own without any privilege. */
  readonly user: User;
  readonly pid: () => number;
}

/**
 * Bounds what a running process may have of writable memory of its own (RLIMIT_DATA): the one limit that the kernel holds
 * by itself, however fast a program writes. What was reserved before counts too, used or not.
 */
export class DataLimit {
  readonly #prlimit: string | undefined;
  readonly #bounded: Bounded;
  #bytes: number | undefined;

  /** @param prlimit path of the util-linux program, for Node has no call for it; without it nothing is bounded. */
  constructor(prlimit: string | undefined, bounded: Bounded) {
    this.#prlimit = prlimit;
    this.#bounded = bounded;
  }

  /** In all; undefined while nothing is bounded. */
  get bytes(): number | undefined {
    return this.#bytes;
  }

  /** It may be made less later, but not more. @param bytes in all, with what the process has. @returns whether it stands. */
  async set(bytes: number): Promise<boolean> {
    if (this.#prlimit === undefined) return false;
    const { user, pid } = this.#bounded;
    const args = ['--pid', `${pid()}`, `--data=${bytes}:${bytes}`];
    const child = spawn(this.#prlimit, args, { ...user, env: {}, cwd: '/', stdio: 'ignore' });
    const stands = await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('exit', (code) => resolve(code === 0));
    });
    if (stands) this.#bytes = bytes;
    return stands;
  }
}
