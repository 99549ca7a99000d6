import assert from 'node:assert/strict';
import { removeRuntime } from '../helper.ts';
import { runCaught } from '../process-helper.ts';

describe("Seattle's semantics of randomness", () => {
  after(removeRuntime);

  it('Seattle 30: randombytes gives 1024 bytes, all 256 values roughly as often', async () => {
    const source = `const counts = new Array(256).fill(0); let lengths = 0;
      for (let i = 0; i < 256; i++) { const bytes = await randombytes(); lengths += bytes.length; for (const byte of bytes) counts[byte] += 1; }
      log(lengths, Math.min(...counts) > 824, Math.max(...counts) < 1224);`;
    // 1024 of each are expected, with a deviation of 32: beyond 6 of them is less likely than 1 in a million.
    assert.equal(await runCaught(source, { restrictions: 'resource random 10000000' }), '262144 true true');
  });

  it('Seattle 30: 20 calls at 10,000 bytes a second take a second', async () => {
    const source = `const start = getruntime(); let last; for (let i = 0; i < 20; i++) last = await randombytes();
      log(last.length, getruntime() - start >= 0.94);`;
    // Seattle waits after a call until it is paid, we before the next: 19 of the 20 are paid, less a second's worth.
    assert.equal(await runCaught(source, { restrictions: 'resource random 10000' }), '1024 true');
  });

  it('Seattle 30: without random there is none', async () => {
    assert.match(
      await runCaught('await randombytes();', { restrictions: 'resource random 0' }),
      /^ResourceExhaustedError/,
    );
  });
});
