import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Terminals } from './terminal.ts';

const BIN = fileURLToPath(new URL('../bin/seash.ts', import.meta.url));
const run = promisify(execFile);

describe('completion in other shells', () => {
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
    env = {
      ...process.env,
      PATH: [join(directory, 'bin'), process.env.PATH].join(delimiter),
      XDG_CONFIG_HOME: join(directory, 'config'),
      PS1: '> ',
    };
  });
  after(async () => await rm(directory, { recursive: true }));
  afterEach(() => terminals.stop());

  const offers = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await run('seash', ['--complete', ...words], { cwd: join(directory, 'here'), env });
    return stdout.split('\n').slice(0, -1);
  };

  it('offers options once, files, folders, and after completion the shells', async () => {
    assert.deepEqual(await offers('--json', '--'), [
      ...['--account', '--clearinghouse', '--command', '--directory', '--help', '--keep-going', '--no-history'],
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
    assert.deepEqual(await offers('-c', 'upload m'), ["upload 'my file.js' "]);
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
    const command = 'exec bash --norc --noprofile -i';
    const { out } = await terminals.talk({ command, directory: join(directory, 'here'), env }, [
      ['> ', 'bind "set enable-bracketed-paste off"; source <(seash completion bash); PS1="ready> "\r'],
      ['\r\nready> ', 'seash --js\t'],
      ['seash --json ', '-c "brow\t'],
      ['-c "browse ', '; help sh\t'],
      ['help show ', '"; echo done-$?\r'],
      ['done-0\r\nready> ', 'seash exa\t'],
      ['seash examples/', 'p\t'],
      ['ping.ts ', '\u0003'],
      ['^C\r\nready> ', "seash '$(t\t"],
      ["seash '$(touch pwned).js' ", '\u0003'],
      ['^C\r\nready> ', 'exit\r'],
    ]);
    assert.match(out, /"command":"help"/);
  });

  it('zsh completes options, files and commands', async function () {
    if (!isThere('zsh')) this.skip();
    const setUp = 'autoload -Uz compinit; compinit -u -D; source <(seash completion zsh); PS1="ready> "';
    await terminals.talk({ command: 'exec zsh -f -i', directory: join(directory, 'here'), env }, [
      ['> ', `unsetopt PROMPT_SP ZLE_BRACKETED_PASTE; unset zle_bracketed_paste; ${setUp}\r`],
      ['\r\nready> ', 'seash --js\t'],
      ['seash --json ', '-c "brow\t'],
      ['-c "browse ', '; help sh\t'],
      ['help show ', '"; echo done-$?\r'],
      ['done-0\r\nready> ', 'exit\r'],
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
