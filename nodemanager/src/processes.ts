import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { mayTakeUsers } from '@potluck/vessel-runtime';
import type Database from 'better-sqlite3';
import { z } from 'zod';
import { codeOf } from './errors.ts';

const rowSchema = z.object({ pid: z.number(), birth: z.string() });

/** How long a killed process may take to be gone, and how often it is looked for: it is not our child. */
const GONE_MS = 5000;
const LOOK_MS = 5;

/**
 * The vessel processes that this node manager has started, in its database: what a killed node manager leaves behind is
 * found by its process id and birth, so that a process id that was given out again is never killed.
 */
export class ProcessStore {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  add(pid: number): void {
    const birth = birthOf(pid);
    if (birth === undefined) return;
    this.#unsynced(() => {
      this.#database.prepare('INSERT OR REPLACE INTO processes (pid, birth) VALUES (?, ?)').run(pid, birth);
    });
  }

  /** A process and its launcher, which may be one. */
  remove(pid: number, launcher: number): void {
    try {
      this.#unsynced(() => this.#database.prepare('DELETE FROM processes WHERE pid IN (?, ?)').run(pid, launcher));
    } catch {
      // The disk is full. One row too many does no harm: no later process has its birth.
    }
  }

  /** Without waiting for the disk: what takes the memory of the system away takes these processes too. */
  #unsynced(write: () => void): void {
    this.#database.pragma('synchronous = NORMAL');
    try {
      write();
    } finally {
      this.#database.pragma('synchronous = FULL');
    }
  }

  /** Kills what an earlier node manager left, and waits until it is gone. @returns how many there were. */
  async killLeftovers(): Promise<number> {
    const rows = this.#database.prepare('SELECT pid, birth FROM processes').all();
    const left = rows.map((row) => rowSchema.parse(row)).filter(({ pid, birth }) => birthOf(pid) === birth);
    for (const { pid } of left) kill(pid);
    const deadline = performance.now() + GONE_MS;
    while (left.some(({ pid, birth }) => birthOf(pid) === birth) && performance.now() < deadline) await delay(LOOK_MS);
    this.#database.exec('DELETE FROM processes');
    return left.length;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (codeOf(error) === 'EPERM') killAsItsUser(pid);
    else if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Its node manager's rights over it ended with that one's namespace; a user may always end what is its own. */
function killAsItsUser(pid: number): void {
  const uid = userOf(pid);
  if (uid === undefined || !mayTakeUsers()) return;
  spawnSync('/bin/sh', ['-c', 'kill -KILL "$1"', 'sh', `${pid}`], { uid, gid: uid, stdio: 'ignore' });
}

/** @returns the user that a process runs as; undefined when it is gone, or without /proc. */
export function userOf(pid: number): number | undefined {
  try {
    return Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

/** @returns what no other process of that id can have: boot and start time; undefined when dead or without /proc. */
export function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // proc_pid_stat(5): the name, field 2, is in parentheses and may hold anything; state is 3, start time 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}
