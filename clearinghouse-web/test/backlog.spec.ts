import assert from 'node:assert/strict';
import { Backlog } from '../client/backlog.ts';

describe('what of a log waits while its reader has it paused', () => {
  const init = { mostCharacters: 20, pieceCharacters: 4 };
  const mark = { textContent: '[gap]' };

  it('is all of it, in its order, up to so many characters', () => {
    const backlog = new Backlog<typeof mark>(init);
    for (const piece of ['abc', 'd', 'efg', mark, 'h'.repeat(8)]) backlog.add(piece);
    assert.deepEqual(backlog.take(), ['abcd', 'efg', mark, 'h'.repeat(8)]);
    assert.equal(backlog.isEmpty, true);
  });

  it('loses the oldest with one character more, however few pieces they are', () => {
    const backlog = new Backlog<typeof mark>(init);
    for (const piece of ['abcd', 'efgh', mark, 'i'.repeat(8)]) backlog.add(piece);
    assert.deepEqual(backlog.take(), ['efgh', mark, 'i'.repeat(8)]);
  });

  it('keeps the newest piece, also when it is too long', () => {
    const backlog = new Backlog<typeof mark>(init);
    for (const piece of ['abcd', mark, 'e'.repeat(21)]) backlog.add(piece);
    assert.deepEqual(backlog.take(), ['e'.repeat(21)]);
    for (const piece of ['f'.repeat(15), mark]) backlog.add(piece);
    assert.deepEqual(backlog.take(), ['f'.repeat(15), mark]);
  });
});
