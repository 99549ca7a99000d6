import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pageOf, substanceOf } from '../record/page.ts';
import { record } from '../record/record.ts';
import { readText, root } from '../structure/workspace.ts';

const PAGE = 'docs/first-ten-minutes.md';
const CAST = 'docs/first-ten-minutes.cast';

describe('the recorded first ten minutes', function () {
  this.timeout(240_000);

  it('are in substance what the commands say today: "node test/record/main.ts" records them anew', async () => {
    const { shown } = await record();
    assert.deepEqual(substanceOf(pageOf(shown)), substanceOf(readText(PAGE)));
  });

  it('stand in a small asciicast with the same words', () => {
    assert.ok(statSync(join(root, CAST)).size < 200_000);
    const [header, ...events] = readText(CAST).trimEnd().split('\n');
    assert.equal(JSON.parse(header ?? '').version, 2);
    const said = events.map((line) => JSON.parse(line)[2]).join('');
    for (const [, typed = ''] of readText(PAGE).matchAll(/^!> (.*)$/gm)) assert.ok(said.includes(typed), typed);
  });
});
