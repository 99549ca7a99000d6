import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OPTIONS, WORDS } from '../src/cli.ts';
import { Shell } from '../src/index.ts';
import { completeArgs } from '../src/shells/args.ts';
import { Terminals } from './terminal.ts';

const BIN = fileURLToPath(new URL('../bin/seash.ts', import.meta.url));
const run = promisify(execFile);

describe('completion in other shells', function () {
  this.timeout(120_000);
  let shell: Shell;
  const terminals = new Terminals();
  let directory: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-'));
    const bin = join(directory, 'bin', 'seash');
    await mkdir(join(directory, 'bin'));
    await writeFile(bin, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    await chmod(bin, 0o755);
    await mkdir(join(directory, 'here', 'examples'), { recursive: true });
    for (const name of ['hello.js', 'my file.js', '$(touch pwned).js', 'two\nlines', 'examples/ping.ts']) {
      await writeFile(join(directory, 'here', name), '');
    }
    shell = new Shell({ directory: join(directory, 'here') });
    env = {
      ...process.env,
      PATH: [join(directory, 'bin'), process.env.PATH].join(delimiter),
      XDG_CONFIG_HOME: join(directory, 'config'),
    };
  });
  after(async () => {
    await shell.stop();
    await rm(directory, { recursive: true });
  });
  afterEach(() => terminals.stop());

  const offers = async (...words: string[]): Promise<string[]> => {
    return await completeArgs(shell.session, words, { options: OPTIONS, words: WORDS });
  };

  it('offers options once, files, folders, and after completion the shells', async () => {
    assert.deepEqual(await offers('--json', '--'), [
      ...[
        '--account',
        '--clearinghouse',
        '--command',
        '--directory',
        '--help',
        '--keep-going',
        '--no-history',
        '--timeout',
        '--yes',
      ],
    ]);
    assert.deepEqual(await offers('--clearinghouse', ''), []);
    assert.deepEqual(await offers('--clearinghouse', 'http://x', 'he'), ['hello.js']);
    assert.deepEqual(await offers('examples/'), ['examples/ping.ts']);
    assert.deepEqual(await offers('completion', ''), ['bash', 'fish', 'zsh']);
    assert.deepEqual(await offers('completion', 'bash', ''), []);
    assert.deepEqual(await offers('hello.js', ''), []);
  });

  it('offers whole lines of commands after -c', async () => {
    assert.deepEqual(await offers('-c', 'browse; on %all sto'), ['browse; on %all stop ']);
    assert.deepEqual(await offers('--json', '-c', 'show lo'), ['show location ', 'show log ']);
    assert.deepEqual(await offers('-c', "upload 'm"), ["upload 'my file.js' "]);
    assert.deepEqual(await offers('-c', 'upload '), [
      ...["upload 'my file.js' ", 'upload examples/', 'upload hello.js '],
    ]);
  });

  it('puts no name into a line that the shell around it would carry out, and none that is two lines', async () => {
    assert.deepEqual(await offers('-c', 'upload $'), []);
    assert.deepEqual(await offers('tw'), []);
  });

  it('refuses to make one for a shell that it does not know', async () => {
    const refused = run('seash', ['completion', 'fsih'], { env });
    await assert.rejects(refused, { code: 2, stderr: /got "fsih": did you mean "fish"\?\n$/ });
  });

  it('bash completes options, files and commands', async function () {
    if (!isThere('bash')) this.skip();
    const command = "exec env PS1='> ' bash --norc --noprofile -i";
    await terminals.talk({ command, directory: join(directory, 'here'), env }, [
      ['> ', 'bind "set enable-bracketed-paste off"; source <(seash completion bash); PS1=re"ady> "\r'],
      ['ready> ', 'seash --js\t'],
      ['seash --json ', '-c "exit; help sho\t'],
      ['w ', '"; echo done-$?\r'],
      ['ready> ', 'seash my\t'],
      ['seash my\\ file.js ', '\u0003'],
      ['ready> ', 'exit\r'],
    ]);
  });

  it('zsh completes options, files and commands', async function () {
    if (!isThere('zsh')) this.skip();
    const setUp = 'autoload -Uz compinit; compinit -u -D; source <(seash completion zsh); PS1=re"ady> "';
    await terminals.talk({ command: "exec env PROMPT='> ' zsh -f -i", directory: join(directory, 'here'), env }, [
      ['> ', `${setUp}\r`],
      ['ready> ', 'seash --js\t'],
      ['seash --json ', '-c "exit; help sho\t'],
      ['w ', '"; echo done-$?\r'],
      ['ready> ', 'exit\r'],
    ]);
  });

  it('fish completes options, files and commands', async function () {
    if (!isThere('fish')) this.skip();
    const script = 'seash completion fish | source; complete -C $argv[1]';
    const asked = async (line: string): Promise<string> => {
      return (await run('fish', ['--no-config', '-c', script, line], { cwd: join(directory, 'here'), env })).stdout;
    };
    assert.equal(await asked('seash --js'), '--json\n');
    assert.equal(await asked('seash hel'), 'hello.js\n');
    assert.match(await asked('seash -c "browse; on %all sto'), /browse; on %all stop/);
  });
});

/** Whether a shell is installed; there is nothing to show without it. */
function isThere(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}
