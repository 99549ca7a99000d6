import assert from 'node:assert/strict';
import { Shell } from '../src/index.ts';
import { knowVessel } from './support.ts';

describe('questions before something is lost', () => {
  let shell: Shell;
  let asked: string[];
  let answer: boolean;

  const plain = (text: string): string => text;
  const style = {
    strong: plain,
    faint: plain,
    good: plain,
    warning: plain,
    bad: plain,
    tint: (_: number, text: string) => text,
  };
  const say = async (line: string) =>
    await shell.execute(line, {
      confirm: async (question) => {
        asked.push(question(style));
        return answer;
      },
    });

  before(async () => {
    shell = new Shell({ directory: '/nowhere', clearinghouse: 'http://127.0.0.1:1/' });
    for (const host of ['127.0.0.1', '127.0.0.2']) knowVessel(shell, {}, host);
  });
  after(async () => await shell.stop());
  beforeEach(() => {
    asked = [];
    answer = false;
  });

  for (const [line, question] of [
    ['on %all reset', 'Reset 2 vessels: 127.0.0.1:1224:v1 and 127.0.0.2:1224:v1? [y/N] '],
    ['on %all delete a.txt', 'Remove a.txt from 2 vessels: 127.0.0.1:1224:v1 and 127.0.0.2:1224:v1? [y/N] '],
    ['release %all', 'Release all vessels that the account holds? [y/N] '],
  ] as const) {
    it(`${line} asks; another answer than yes leaves all as it is`, async () => {
      const result = await say(line);
      assert.deepEqual(asked, [question]);
      assert.equal(result.error?.code, 'CANCELLED');
    });

    it(`${line} --yes does not ask`, async () => {
      const result = await say(`${line} --yes`);
      assert.deepEqual(asked, []);
      assert.notEqual(result.error?.code, 'CANCELLED');
    });
  }

  it('one vessel is not worth a question, and stop loses nothing', async () => {
    await say('on %1 reset');
    await say('on %all stop');
    assert.deepEqual(asked, []);
  });

  it('a yes goes on', async () => {
    answer = true;
    assert.notEqual((await say('on %all reset')).error?.code, 'CANCELLED');
    assert.equal(asked.length, 1);
  });
});
