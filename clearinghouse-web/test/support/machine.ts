import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** What this machine has, with all that is written kept in memory; and a network of its own. */
const MAKE = `
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root" "$1/packages" "$1/making"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
mount -t tmpfs tmpfs "$1/root/run"
mkdir -p "$1/root/srv/node_modules" "$1/root/srv/origin"
mount -t overlay overlay -o "lowerdir=$2/node_modules,upperdir=$1/packages,workdir=$1/making" "$1/root/srv/node_modules"
mount --rbind "$2" "$1/root/srv/origin"
ip link set lo up
echo ready
exec sleep infinity
`;

/**
 * A machine to try commands on as root, as they are written: this one's own programs and files, of which it sees a copy that
 * goes with it, in namespaces of their own. It has no systemd and no way out. `/srv/origin` is this repository, and
 * `/srv/node_modules` its packages.
 */
export class Machine implements AsyncDisposable {
  readonly #directory: string;
  readonly #keeper: ChildProcess;
  /** Its first process: all others end with it. */
  readonly #pid: number;

  private constructor(directory: string, keeper: ChildProcess) {
    this.#directory = directory;
    this.#keeper = keeper;
    this.#pid = Number(readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, 'utf8'));
  }

  /** @returns undefined where the system gives nobody such a thing. */
  static async start(): Promise<Machine | undefined> {
    if (process.getuid?.() !== 0) return undefined;
    const directory = mkdtempSync(join(tmpdir(), 'potluck-machine-'));
    const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
    const args = [...namespaces, 'sh', '-ec', MAKE, 'sh', directory, ROOT];
    // However this process ends, the machine goes with it.
    const keeper = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exit = once(keeper, 'exit').then(() => false);
    const isReady = await Promise.race([once(createInterface(keeper.stdout), 'line').then(() => true), exit]);
    if (isReady) return new Machine(directory, keeper);
    rmSync(directory, { recursive: true, force: true });
    return undefined;
  }

  /** @returns what it has written on its standard output. Fails unless it ends well. */
  run(script: string, input: string | Buffer = ''): string {
    const inside = ['chroot', join(this.#directory, 'root'), 'sh', '-ec', `cd /root\n${script}`];
    const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc'];
    const args = ['-t', String(this.#pid), ...namespaces, ...inside];
    const { status, stdout, stderr } = spawnSync('nsenter', args, { input, env: ENVIRONMENT, encoding: 'utf8' });
    assert.equal(status, 0, `expected this to go well:\n${script}\n${stdout}${stderr}`);
    return stdout;
  }

  write(path: string, text: string | Buffer, mode = '644'): void {
    this.run(`mkdir -p "$(dirname ${path})"; cat > ${path}; chmod ${mode} ${path}`, text);
  }

  read(path: string): string {
    return this.run(`cat ${path}`);
  }

  /** Joins them by a switch in the first one. @param addresses one for each, of one network. */
  static connect(machines: readonly Machine[], addresses: readonly string[]): void {
    const [first] = machines;
    first?.run(`ip link add switch type bridge; ip addr add ${addresses[0]}/24 dev switch; ip link set switch up`);
    for (const [index, machine] of machines.entries()) {
      if (index === 0 || first === undefined) continue;
      const cable = ['link', 'add', `cable${index}`, 'netns', String(first.#pid), 'type', 'veth'];
      const made = spawnSync('ip', [...cable, 'peer', 'name', 'eth0', 'netns', String(machine.#pid)], {
        encoding: 'utf8',
      });
      assert.equal(made.status, 0, made.stderr);
      first.run(`ip link set cable${index} master switch up`);
      machine.run(`ip addr add ${addresses[index]}/24 dev eth0; ip link set eth0 up`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#keeper, 'exit');
    process.kill(this.#pid, 'SIGKILL');
    await gone;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
