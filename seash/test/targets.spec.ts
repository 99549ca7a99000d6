import assert from 'node:assert/strict';
import type { VesselInfo } from '@potluck/protocol';
import { CommandError } from '../src/errors.ts';
import { Shell } from '../src/index.ts';
import { knowVessel } from './support.ts';

describe('targets', () => {
  const shell = new Shell();
  const { targets } = shell.session;
  const idsOf = (expression: string) => targets.resolve(expression).map(({ id }) => id.slice(1));

  before(() => {
    const put = (number: number, facts: Partial<VesselInfo>) =>
      knowVessel(shell, facts, `10.0.${number % 2}.${number}`);
    put(1, {});
    put(2, { state: 'Started', program: 'hello.js' });
    put(3, { state: 'Terminated', program: 'ping.js', ending: { kind: 'error', message: 'x', exitCode: 1 } });
    put(4, { state: 'Terminated', program: 'hello.js', ending: { kind: 'limit', message: 'x', exitCode: 98 } });
    put(5, { state: 'Started', program: 'ping.js' });
    targets.setGroup('broken', targets.resolve('%3,%4'));
    targets.setGroup('my-group', targets.resolve('%1'));
    targets.setGroup('none', []);
  });
  after(() => shell.stop());

  const cases: [expression: string, ids: string[]][] = [
    ['%all', ['1', '2', '3', '4', '5']],
    ['%2-%4', ['2', '3', '4']],
    ['%2-4', ['2', '3', '4']],
    ['%5-%5', ['5']],
    ['%4,%1,%1', ['1', '4']],
    ['%1,broken', ['1', '3', '4']],
    ['my-group', ['1']],
    ['10.0.0.4:1224:v1', ['4']],
    ['%all - broken', ['1', '2', '5']],
    ['%all - broken + %3', ['1', '2', '3', '5']],
    ['%all - broken + %3 & %2-%5', ['2', '3', '5']],
    ['broken + none', ['3', '4']],
    ['broken & none', []],
    ['  broken   -   %3  ', ['4']],
    ['state=Started', ['2', '5']],
    ['state=started', ['2', '5']],
    ['state!=Started', ['1', '3', '4']],
    ['program=*.js', ['2', '3', '4', '5']],
    ['program!=hello.js', ['1', '3', '5']],
    ['program=h*', ['2', '4']],
    ['program=h?llo.js', []],
    ['host=10.0.0.*', ['2', '4']],
    ['ending=limit', ['4']],
    ['code>1', ['4']],
    ['code<=1', ['3']],
    ['code>=0', ['3', '4']],
    ['code<98', ['3']],
    ['state=Terminated & program=hello.js', ['4']],
    ['state=Fresh,state=Started', ['1', '2', '5']],
    ['vessel=v2', []],
  ];
  for (const [expression, ids] of cases) {
    it(`"${expression}" means ${ids.map((id) => `%${id}`).join(' ') || 'none'}`, () => {
      assert.deepEqual(idsOf(expression), ids);
    });
  }

  const refused: [expression: string, expected: RegExp][] = [
    ['%0', /got "%0"/],
    ['%6', /got "%6"/],
    ['%0-%2', /known are %1 to %5\), got "%0-%2"$/],
    ['%4-%6', /got "%4-%6"$/],
    ['%4-%2', /the lower number first/],
    ['%all -', /expected a target on both sides of each sign, got "%all -"$/],
    ['%all broken', /expected "\+", "-" or "&" between two targets, got "broken"$/],
    ['- %1', /got "-"/],
    ['%1,', /on both sides/],
    ['', /on both sides/],
    ['colour=red', /expected a condition on one of state, .*, got "colour=red"$/],
    ['constructor=x', /expected a condition/],
    ['state=', /expected a value after "state=", got none$/],
    ['code>many', /expected a number after "code>", got "many"$/],
    ['brokne', /did you mean "broken"/],
    ['%1,'.repeat(1366), /at most 4096 characters, got one of 4098/],
  ];
  for (const [expression, expected] of refused) {
    it(`"${expression.slice(0, 20)}" is refused`, () => {
      assert.throws(
        () => targets.resolve(expression),
        (error) => error instanceof CommandError && error.code === 'UNKNOWN_TARGET' && expected.test(error.message),
      );
    });
  }

  it('a target of 4096 characters is read', () => {
    assert.deepEqual(idsOf(`${'%1,'.repeat(1364)}%2-4`), ['1', '2', '3', '4']);
  });

  it('of several words stand before a command, as a default and inside of a command', async () => {
    const [plan] = shell.plan('on %all - broken + %3 show files');
    assert.deepEqual([plan?.parsed?.command.name, plan?.parsed?.targetName], ['show files', '%all - broken + %3']);
    assert.deepEqual(await shell.execute('on %all - broken'), {
      command: 'on',
      ok: true,
      target: '%all - broken',
      vessels: 3,
    });
    assert.equal(shell.prompt, '@%all - broken !> ');
    assert.deepEqual((await shell.execute('add to rest')).vessels, ['%1', '%2', '%5']);
    assert.deepEqual((await shell.execute('add %1-%2 & state=Started to one')).vessels, ['%2']);
    assert.deepEqual((await shell.execute('remove state=Started - %5 from rest')).vessels, ['%1', '%5']);
  });

  it('a quoted sign is a word of the command', () => {
    const [plan] = shell.plan(`on %1 start hello.js '-' x`);
    assert.deepEqual(
      plan?.parsed?.words.map(({ text }) => text),
      ['hello.js', '-', 'x'],
    );
    assert.throws(() => shell.plan(`on %1 '-' %2 list`), { code: 'UNKNOWN_COMMAND' });
    assert.throws(() => shell.plan('on %1 - %2 as bob'), { code: 'USAGE' });
  });
});
