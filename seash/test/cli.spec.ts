import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Terminals } from './terminal.ts';

const BIN = fileURLToPath(new URL('../bin/seash.ts', import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('seash on the command line', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-'));
    await seash(['-c', 'genkeys alice']);
  });
  after(async () => await rm(directory, { recursive: true }));

  const seash = async (args: string[], input = ''): Promise<Ended> => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: directory,
      env: { ...process.env, XDG_CONFIG_HOME: join(directory, 'config') },
    });
    child.stdin.end(input);
    const closed = once(child, 'close');
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await closed;
    return { code, out, err };
  };

  describe('exit codes', () => {
    const cases: [what: string, args: string[], code: number, err: RegExp][] = [
      ['0 when all went well', ['-c', 'loadkeys alice; show identities # and a comment'], 0, /^$/],
      ['0 for a script without commands', ['-c', ' # nothing\n;'], 0, /^$/],
      ['0 for --help', ['--help'], 0, /^$/],
      ['1 when a command failed', ['-c', 'loadkeys nobody'], 1, /^seash: expected a key file at .*, got none\n$/],
      ['1 when the script cannot be read', ['nowhere'], 1, /^seash: expected a script at nowhere, got none\n$/],
      [
        '2 for an unknown command',
        ['-c', 'lsit'],
        2,
        /^seash: expected a command, got "lsit": did you mean "list"\?\n$/,
      ],
      ['2 for a wrong argument', ['-c', 'list x'], 2, /^seash: expected "list", got "x" after its end\n$/],
      ['2 for an open quote', ['-c', "upload 'x"], 2, /^seash: expected a closing '/],
      ['2 for an unknown option', ['--frobnicate'], 2, /^seash: expected options .*frobnicate/],
      ['2 for two scripts', ['a', 'b'], 2, /^seash: expected one FILE/],
      ['2 for a clearinghouse that is no http URL', ['--clearinghouse', 'ftp://x', '-c', 'help'], 2, /http:\/\//],
    ];
    for (const [what, args, code, err] of cases) {
      it(what, async () => {
        const ended = await seash(args);
        assert.equal(ended.code, code);
        assert.match(ended.err, err);
      });
    }
  });

  it('a script ends at the first command that fails, and says in which line', async () => {
    await writeFile(join(directory, 'script'), 'loadkeys alice\n\nloadkeys nobody\nshow identities\n');
    const ended = await seash(['script']);
    assert.equal(ended.code, 1);
    assert.match(ended.err, /^seash: script:3: /);
    assert.doesNotMatch(ended.out, /Default/);
  });

  it('--keep-going carries out the rest, and the exit code still tells', async () => {
    const ended = await seash(['--keep-going', '-c', 'loadkeys nobody; loadkeys alice; show identities']);
    assert.equal(ended.code, 1);
    assert.match(ended.out, /Default/);
  });

  it('nothing is carried out when a later line cannot be understood', async () => {
    const ended = await seash(['-c', 'genkeys bob\ngenkeys']);
    assert.deepEqual([ended.code, ended.out], [2, '']);
    await assert.rejects(stat(join(directory, 'bob.private.jwk')), { code: 'ENOENT' });
  });

  it('a script comes through standard input too', async () => {
    for (const args of [[], ['-']]) {
      const ended = await seash(args, 'loadkeys alice\nlsit\n');
      assert.equal(ended.code, 2);
      assert.match(ended.err, /^seash: standard input:2: /);
    }
  });

  it('a module that is disabled stays so until it is enabled', async () => {
    const off = await seash(['-c', 'disable variables; set x 1']);
    assert.equal(off.code, 1);
    assert.match(off.err, /^seash: .*"set" of variables, which is disabled: say "enable variables" first\n$/);
    assert.equal((await seash(['-c', 'enable variables'])).code, 0);
    const twice = await seash(['-c', 'enable variables']);
    assert.deepEqual([twice.code, twice.out], [1, '']);
    assert.match(twice.err, /^seash: expected a module that is disabled, got variables, which is enabled already\n$/);
  });

  it('variables and showparse: a line is understood when its turn comes', async () => {
    const ended = await seash(['-c', "loadkeys alice; set showparse on; set who 'al ice'; genkeys x as $who; stop"]);
    assert.equal(ended.code, 1);
    assert.match(ended.err, /got "ice" after its end\n$/);
    const line = await seash(['-c', `loadkeys alice; set showparse on; set what 'identities'; show $what`]);
    assert.match(line.out, /^Parsed as: as alice show identities$/m);
  });

  it('--timeout ends all commands in time, and says what was still under way', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const ended = await seash(['--timeout', '0.5', '-c', `loadkeys alice; contact 127.0.0.1:${port}; exit`]);
    silent.close();
    assert.equal(ended.code, 1);
    assert.match(
      ended.err,
      /seash: expected all commands to end within 0\.5 s \(--timeout\), got "contact 127\.0\.0\.1:\d+" still under way\n$/,
    );
  });

  it('--timeout takes 1000000 seconds and no more, and nothing that is no number of seconds', async () => {
    assert.equal((await seash(['--timeout', '1000000', '-c', 'exit'])).code, 0);
    for (const text of ['1000001', '0', '1e3']) {
      const ended = await seash(['--timeout', text, '-c', 'exit']);
      assert.equal(ended.code, 2);
      assert.match(ended.err, /expected --timeout SECONDS above 0 and at most 1000000, got "/);
    }
  });

  it('exit ends a script', async () => {
    const ended = await seash(['-c', 'exit; loadkeys nobody']);
    assert.deepEqual([ended.code, ended.out, ended.err], [0, '', '']);
  });

  it('--json prints one object for each command, errors with code and message, and nothing on stderr', async () => {
    const ended = await seash(['--json', '-c', 'loadkeys alice; on %all; stop']);
    const [keys, on, stop, ...more] = ended.out.trimEnd().split('\n');
    assert.equal(more.length, 0);
    const { files, key, ...facts } = JSON.parse(keys ?? '');
    assert.deepEqual(facts, { command: 'loadkeys', ok: true, identity: 'alice', isDefault: true });
    assert.deepEqual(JSON.parse(on ?? ''), { command: 'on', ok: true, target: '%all', vessels: 0 });
    const failed = JSON.parse(stop ?? '');
    assert.deepEqual([failed.command, failed.ok, failed.error.code], ['stop', false, 'NO_TARGET']);
    assert.deepEqual([ended.code, ended.err], [1, '']);
    const wrong = await seash(['--json', '--frobnicate']);
    assert.equal(JSON.parse(wrong.out).error.code, 'USAGE');
    assert.equal(wrong.code, 2);
  });

  it('uses no colour where there is no terminal', async () => {
    const { out, err } = await seash(['-c', 'help; loadkeys nobody']);
    assert.ok(!`${out}${err}`.includes('\u001b'));
  });

  describe('at a terminal', () => {
    const terminals = new Terminals();
    afterEach(() => terminals.stop());

    const converse = async (steps: [see: string, type: string][], env: NodeJS.ProcessEnv = {}) => {
      const command = `exec ${process.execPath} ${BIN} --clearinghouse http://127.0.0.1:1/`;
      const own = { POTLUCK_HISTORY: join(directory, 'history'), XDG_CONFIG_HOME: join(directory, 'config') };
      return await terminals.talk({ command, directory, env: { ...own, ...env } }, steps);
    };

    it('shows the identity and the target in its prompt, suggests, and leaves by exit', async () => {
      const { code, out } = await converse([
        ['!> ', 'loadkeys alice\r'],
        ['alice@ !> ', 'on %all\r'],
        ['alice@%all !> ', 'lsit\r'],
        ['"list"?\r\nalice@%all !> ', 'exit\r'],
      ]);
      assert.ok(out.includes('\u001b[31mexpected a command'), 'expected errors in red');
      assert.equal(code, 0);
    });

    it('completes with the Tab key', async () => {
      const { code } = await converse([
        ['!> ', 'loadk'],
        ['!> loadk', '\t'],
        ['!> loadkeys ', 'al'],
        ['!> loadkeys al', '\t'],
        ['!> loadkeys alice ', '\r'],
        ['alice@ !> ', 'exit\r'],
      ]);
      assert.equal(code, 0);
    });

    it('Ctrl-C drops the line and Ctrl-D leaves', async () => {
      const { code, out } = await converse([
        ['!> ', 'nonsense'],
        ['!> nonsense', '\u0003'],
        ['^C\r\n!> ', 'loadkeys alice\r'],
        ['alice@ !> ', '\u0004'],
      ]);
      assert.doesNotMatch(out, /expected a command/);
      assert.equal(code, 0);
    });

    it('uses no colour where NO_COLOR asks for none', async () => {
      const { out } = await converse(
        [
          ['!> ', 'lsit\r'],
          ['"list"?\r\n!> ', 'exit\r'],
        ],
        { NO_COLOR: '1' },
      );
      assert.ok(!out.includes('\u001b[3'), out);
    });

    it('remembers lines in a file for its user alone', async () => {
      await converse([
        ['!> ', 'show identities\r'],
        ['genkeys NAME".\r\n!> ', 'exit\r'],
      ]);
      const path = join(directory, 'history');
      assert.match(await readFile(path, 'utf8'), /^show identities\nexit\n$/m);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
    });
  });
});
