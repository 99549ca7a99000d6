import assert from 'node:assert/strict';
import { generatedFiles } from '@potluck/docs';
import { readText, root } from './workspace.ts';

describe('generated files', () => {
  for (const [path, text] of generatedFiles(root)) {
    it(`${path} is what it is made of`, () => {
      assert.ok(readText(path) === text, `expected ${path} to be as its sources are now: run "npm run docs"`);
    });
  }
});
