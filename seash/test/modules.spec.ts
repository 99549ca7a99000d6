import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { command } from '../src/command.ts';
import { COMMANDS } from '../src/commands/table.ts';
import { complete } from '../src/completion.ts';
import { HOME_LIMITS } from '../src/home.ts';
import { Shell, type ShellInit } from '../src/index.ts';
import { VARIABLE_LIMITS } from '../src/modules/variables.ts';
import type { Module } from '../src/modules.ts';
import { knowVessel } from './support.ts';

const saying = (name: string) =>
  command({
    name,
    summary: `Say ${name}.`,
    slots: [],
    example: name,
    result: z.object({}),
    run: async () => ({}),
    render: () => '',
  });

const extra: Module = {
  name: 'extra',
  summary: 'Brings much twice.',
  help: 'Not at all.',
  commands: [saying('list'), saying('uploaddir'), saying('show variables'), saying('greet')],
  preprocessor: { sign: 'x', applies: () => false, rewrite: (words) => [...words] },
};

describe('modules', () => {
  let directory: string;
  let shell: Shell;
  const shells: Shell[] = [];

  const open = async (init: ShellInit = {}): Promise<Shell> => {
    const opened = new Shell({ directory, home: join(directory, 'home'), ...init });
    shells.push(opened);
    await opened.start();
    return opened;
  };
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-modules-'));
    shell = await open();
  });
  afterEach(async () => {
    await Promise.all(shells.splice(0).map((each) => each.stop()));
    await rm(directory, { recursive: true });
  });

  const well = async (line: string, by = shell) => {
    const result = await by.execute(line);
    assert.equal(result.ok, true, JSON.stringify(result));
    return result;
  };
  const errorOf = async (line: string, by = shell): Promise<string> => {
    const { ok, error } = await by.execute(line);
    assert.ok(!ok && error !== undefined, line);
    return `${error.code} ${error.message}`;
  };
  const enabledIn = async (by: Shell) => {
    const { modules } = (await well('show modules', by)) as unknown as {
      modules: { module: string; enabled: boolean }[];
    };
    return modules.filter(({ enabled }) => enabled).map(({ module }) => module);
  };

  it('Seattle 49: an unknown command is told, module conflicts are a list, $variables, and a state that comes back', async () => {
    assert.match(await errorOf('frobnicate'), /^UNKNOWN_COMMAND expected a command, got "frobnicate"$/);
    const crowded = await open({ modules: [extra] });
    assert.equal(
      await errorOf('enable extra', crowded),
      'MODULE_CONFLICT expected a module that brings nothing twice, got extra with "list" (of the shell), ' +
        '"uploaddir" (of uploaddir), "show variables" (of variables) and "$" in lines (of variables): ' +
        'say "disable uploaddir; disable variables" first',
    );
    assert.match(
      await errorOf('enable variables'),
      /^MODULE_STATE expected a module that is disabled, got variables, which is enabled already$/,
    );
    await well('disable variables');
    assert.match(
      await errorOf('disable variables'),
      /^MODULE_STATE expected a module that is enabled, got variables, which is disabled already$/,
    );
    await well('enable variables');
    await well('genkeys alice');
    await well('set group lab');
    const { id } = knowVessel(shell);
    await well('add %all to $group');
    for (const [line, expected] of [
      ['set all $group', 'lab'],
      ['set all $group$oratory', 'laboratory'],
      ['set all 5$', '5$'],
      ['set all $$group', '$group'],
    ] as const) {
      assert.equal((await well(line)).value, expected, line);
    }
    await well('on lab');
    await well('savestate evening');
    const again = await open();
    await well('loadkeys alice', again);
    await well('loadstate evening', again);
    assert.equal(again.prompt, 'alice@lab !> ');
    assert.deepEqual((await well('show targets', again)).vessels, (await well('show targets')).vessels);
    assert.deepEqual((await well('add to rest', again)).vessels, [id]);
    assert.deepEqual((await well('show identities', again)).identities, (await well('show identities')).identities);
  });

  it('are remembered in a folder for the user alone, and enabled unless they were disabled', async () => {
    assert.ok((await enabledIn(shell)).includes('variables'));
    await well('disable uploaddir');
    const home = join(directory, 'home');
    assert.equal((await stat(home)).mode & 0o777, 0o700);
    assert.equal((await stat(join(home, 'settings.json'))).mode & 0o777, 0o600);
    const again = await open();
    assert.ok(!(await enabledIn(again)).includes('uploaddir'));
    await well('enable uploaddir', again);
    assert.deepEqual(await enabledIn(await open()), await enabledIn(again));
  });

  it('leave no trace where no home is given', async () => {
    const homeless = new Shell({ directory });
    await well('disable uploaddir', homeless);
    assert.match(await errorOf('set autosave on', homeless), /^BAD_ARGUMENTS expected a shell with a home/);
    await assert.rejects(stat(join(directory, 'home')), { code: 'ENOENT' });
  });

  it('a disabled one keeps its commands to itself: no help, no completion, and a clear refusal', async () => {
    await well('disable uploaddir');
    assert.match(
      await errorOf('uploaddir x'),
      /^MODULE_DISABLED .* got "uploaddir" of uploaddir, which is disabled: say "enable uploaddir" first$/,
    );
    assert.match(await errorOf('help uploaddir'), /^MODULE_DISABLED/);
    assert.deepEqual(await complete(shell.session, 'uploadd'), [[], 'uploadd']);
    assert.equal((await well('modulehelp uploaddir')).enabled, false);
    assert.match(await errorOf('modulehelp uploaddri'), /^UNKNOWN_MODULE .* did you mean "uploaddir"\?$/);
    assert.deepEqual(await complete(shell.session, 'enable upl'), [['uploaddir '], 'upl']);
  });

  it('a script may enable a module before it uses it', async () => {
    await well('disable variables');
    const plans = shell.plan('enable variables\nset x 1\nshow variables');
    for (const plan of plans) assert.equal((await shell.run(plan)).ok, true);
  });

  it('refuse settings that are none, or too long', async () => {
    await mkdir(join(directory, 'home'));
    const path = join(directory, 'home', 'settings.json');
    await writeFile(path, '{"version":2}');
    await assert.rejects(open(), { code: 'FILE_BROKEN' });
    const settings = '{"version":1,"disabled":["uploaddir","gone"]}';
    await writeFile(path, settings + ' '.repeat(HOME_LIMITS.settingsBytes - settings.length));
    assert.ok(!(await enabledIn(await open())).includes('uploaddir'));
    await truncate(path, HOME_LIMITS.settingsBytes + 1);
    await assert.rejects(open(), { code: 'FILE_TOO_LARGE' });
    await rm(path);
    await chmod(join(directory, 'home'), 0o700);
    await well('disable uploaddir');
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { version: 1, disabled: ['uploaddir'] });
  });

  it('give the shapes that the table declares', async () => {
    for (const line of [
      'show modules',
      'disable variables',
      'enable variables',
      'modulehelp variables',
      'set x y',
      'show variables',
    ]) {
      const { command: name, ok, ...facts } = await well(line);
      assert.equal(ok, true);
      assert.deepEqual(
        COMMANDS.find((row) => row.name === name)
          ?.result.strict()
          .parse(facts),
        facts,
      );
    }
  });

  describe('variables', () => {
    const wordsOf = async (line: string): Promise<unknown> => {
      await well('set showparse on');
      return (await well(line)).parsed;
    };
    beforeEach(async () => {
      await well('set one 1');
      await well(`set two 'a  b'`);
      await well('set none " "');
      await well("set evil 'x; exit # $one'");
    });

    const cases: [line: string, parsed: string][] = [
      ['set y $one', 'set y 1'],
      ['set y x$one$x', 'set y x1x'],
      ['set y $one$$two', 'set y 1a b'],
      ['set y $two', 'set y a b'],
      ['set y "$two"', "set y 'a  b'"],
      ['set y <$two>', 'set y <a b>'],
      [`set y '$two'`, `set y '$two'`],
      [`set y $one'$one'"$one"`, `set y '1$one1'`],
      ['set y [$none]', 'set y [ ]'],
      ['set y "[$none]"', `set y '[ ]'`],
      ['set y $$ 5$ $5 $', "set y '$' '5$' '$5' '$'"],
      ['set y $$one', "set y '$one'"],
      ['set y $evil', "set y 'x;' exit '#' '$one'"],
      ['$none show variables', 'show variables'],
    ];
    for (const [line, parsed] of cases) {
      it(`${line} is ${parsed}`, async () => assert.equal(await wordsOf(line), parsed));
    }

    it('may stand for a command, a target of several words and a keyword', async () => {
      await well('set what "show groups"');
      await well('set where %all - lab');
      await well('add %all to lab');
      assert.equal(await wordsOf('on $where $what'), 'on %all - lab show groups');
    });

    it('an unknown one is told, with one that may be meant', async () => {
      assert.match(await errorOf('set y $noen'), /^UNKNOWN_VARIABLE .*got "noen": did you mean "none"\?/);
      assert.match(await errorOf('set y $noen'), /\$\$, or stands in '\.\.\.'\)$/);
      assert.match(await errorOf('set y $constructor'), /^UNKNOWN_VARIABLE/);
    });

    it('a mistyped setting becomes no variable', async () => {
      assert.match(await errorOf('set ownr bob'), /^UNKNOWN_COMMAND .* got "ownr": did you mean "owner"\?$/);
      assert.match(await errorOf('set 1x bob'), /^BAD_NAME/);
      assert.match(await errorOf('set x'), /^USAGE/);
    });

    it('have names, values and a number with limits', async () => {
      const { variables, nameLength, valueLength } = VARIABLE_LIMITS;
      await well(`set ${'n'.repeat(nameLength)} x`);
      assert.match(await errorOf(`set ${'n'.repeat(nameLength + 1)} x`), /^BAD_NAME/);
      await well(`set long ${'v'.repeat(valueLength)}`);
      assert.match(await errorOf(`set long ${'v'.repeat(valueLength + 1)}`), /^BAD_ARGUMENTS/);
      for (let index = shell.session.variables.size; index < variables; index += 1) await well(`set v${index}x 1`);
      assert.match(await errorOf('set onemore 1'), /^BAD_ARGUMENTS expected at most 1000 variables/);
      await well('set one 2');
    });

    it('without the module a $ is a $', async () => {
      await well('disable variables');
      assert.match(await errorOf('add %all to $one'), /^BAD_NAME .* got "\$one"$/);
    });
  });
});
