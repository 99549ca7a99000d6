import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, parseRestrictions } from '@potluck/protocol';
import { type Run, runRepy, temporaryDirectory } from '../helper.ts';

const LEAST =
  'resource cpu 1\nresource memory 60000000\nresource diskused 1000\nresource events 1\nresource lograte 1000\n';

async function repyUnder(restrictions: string): Promise<Run> {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'main.js'), "log('ran', getresources().limits.memory);\n");
  await writeFile(join(directory.path, 'limits'), restrictions);
  return await runRepy(directory.path, ['--restrictions', 'limits', 'main.js']);
}

describe("Seattle's semantics of restriction files", () => {
  const refused: readonly [what: string, text: string, line: number][] = [
    ['an unknown resource', `${LEAST}resource bananas 1\n`, 6],
    ['a bad number', `${LEAST}resource insockets many\n`, 6],
    ['a negative number', `${LEAST}resource insockets -1\n`, 6],
    ['a number and more', `${LEAST}resource insockets 1 2\n`, 6],
    ['no number', `${LEAST}resource insockets\n`, 6],
    ['a line twice', `${LEAST}resource events 2\n`, 6],
    ['a port twice', `${LEAST}resource messport 12345\nresource messport 12345\n`, 7],
    ['another word', `${LEAST}resources insockets 1\n`, 6],
    ['no cpu', LEAST.replace(/.*cpu.*\n/, ''), 5],
    ['no memory', LEAST.replace(/.*memory.*\n/, ''), 5],
    ['no diskused', LEAST.replace(/.*diskused.*\n/, ''), 5],
  ];
  for (const [what, text, line] of refused) {
    it(`Seattle 35: ${what} is refused, with its line`, () => {
      assert.throws(
        () => parseRestrictions(text, 'limits'),
        (error) =>
          error instanceof ConfigError &&
          error.code === 'RESTRICTIONS_BROKEN' &&
          error.message.startsWith(`limits:${line}: expected`),
      );
    });
  }

  it('Seattle 35: nothing runs under a file that is refused', async () => {
    const run = await repyUnder(`${LEAST}resource bananas 1\n`);
    assert.deepEqual([run.code, run.stdout], [1, '']);
    assert.match(run.stderr, /^repy: limits:6: expected one of .*, got "bananas"\n$/);
  });

  it('Seattle 35: comments, empty lines and CRLF are accepted', async () => {
    const run = await repyUnder(`# of this vessel\r\n\r\n${LEAST.replaceAll('\n', ' # so much\r\n')}   \r\n`);
    assert.deepEqual([run.code, run.stdout, run.stderr], [0, 'ran 60000000', '']);
  });
});
