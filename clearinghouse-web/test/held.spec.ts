import assert from 'node:assert/strict';
import { Held, type Holder } from '../src/held.ts';

describe('what is held for connections', () => {
  const cuts: string[] = [];
  const holderOf = (account: string, name: string): Holder => ({ account, cut: () => cuts.push(name) });
  const open = () => new Held({ heldConnectionBytes: 100, heldAccountBytes: 150, heldBytes: 300 });
  beforeEach(() => cuts.splice(0));

  it('may be as much as each limit, and not a byte more', () => {
    const held = open();
    const [one, two] = [holderOf('a', 'one'), holderOf('a', 'two')];
    held.add(one, 100);
    held.add(two, 50);
    assert.deepEqual(cuts, []);
    held.add(two, 1);
    assert.deepEqual(cuts, ['one']);
    held.add(two, 50);
    assert.deepEqual(cuts, ['one', 'two']);
    assert.equal(held.bytes, 0);
  });

  it('ends for the account that holds the most, where it is too much for all', () => {
    const held = open();
    const [large, other, little] = [holderOf('a', 'large'), holderOf('a', 'other'), holderOf('b', 'little')];
    held.add(large, 90);
    held.add(other, 60);
    held.add(little, 80);
    held.add(holderOf('c', 'newest'), 70);
    assert.deepEqual(cuts, []);
    held.add(little, 1);
    assert.deepEqual(cuts, ['large']);
    assert.equal(held.bytes, 211);
  });

  it('is given back by who has sent it on, and by who has gone', () => {
    const held = open();
    const one = holderOf('a', 'one');
    for (let count = 0; count < 10; count += 1) {
      held.add(one, 90);
      held.add(one, -90);
    }
    held.add(one, 60);
    held.forget(one);
    held.forget(one);
    assert.deepEqual([cuts, held.bytes], [[], 0]);
  });
});
