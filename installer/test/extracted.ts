import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Donation, generateIdentity, type Identity } from '@potluck/protocol';
import { buildPayload } from '../src/build.ts';
import { personalPart } from './personal.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; its words and its exit code, whatever they are. */
export async function run(command: string, args: readonly string[], env = process.env): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  execFile(command, [...args], { env }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code ?? 255), stdout, stderr });
  });
  return await promise;
}

/** A donor's archive, as the site hands it out, extracted into a temporary directory by the system's tar. */
export class Extracted implements AsyncDisposable {
  /** Temporary; everything of a test goes in here. */
  readonly directory: string;
  /** The top folder of the archive. */
  readonly top: string;
  readonly donation: Donation;
  /** Of the vessels; the clearinghouse's backend would hold it. */
  readonly owner: Identity;

  private constructor(directory: string, owner: Identity) {
    this.directory = directory;
    this.top = join(directory, 'potluck');
    this.owner = owner;
    this.donation = {
      clearinghouse: 'http://127.0.0.1:8080',
      // Nobody answers there: a node must serve its vessels all the same.
      gateway: { host: '127.0.0.1', port: 9, key: generateIdentity().id },
      donor: 'alice',
      owner: owner.id,
    };
  }

  static async make(): Promise<Extracted> {
    const directory = await mkdtemp(join(tmpdir(), 'potluck-installer-'));
    const archive = join(directory, 'archive.tgz');
    await buildPayload(archive);
    const made = new Extracted(directory, generateIdentity());
    await appendFile(archive, personalPart(JSON.stringify(made.donation)));
    const { code, stderr } = await run('tar', ['xzf', archive, '-C', directory]);
    assert.deepEqual([code, stderr], [0, ''], 'expected tar to extract it without a word');
    await rm(archive);
    return made;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Runs the archive's `install.sh`. */
  async install(...args: string[]): Promise<Outcome> {
    return await run(join(this.top, 'install.sh'), args);
  }

  /** The same archive with one file of another content, at `name`; large files are shared, not copied. */
  async variant(name: string, file: string, content: string): Promise<string> {
    const top = this.path(name);
    spawnSync('cp', ['-al', this.top, top]);
    await rm(join(top, file));
    await writeFile(join(top, file), content);
    return join(top, 'install.sh');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of await processesUnder(this.directory)) process.kill(pid, 'SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The processes whose program or arguments lie below `directory`. */
export async function processesUnder(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.split('\0').some((part) => part.startsWith(`${directory}/`)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
