import assert from 'node:assert/strict';
import fc from 'fast-check';
import { generateIdentity, seal, sealedFor, unseal } from '../src/index.ts';

describe('a sealed text', () => {
  const alice = generateIdentity();
  const broken = { code: 'SEAL_BROKEN' };

  it('is opened by the identity that it was sealed for, and never the same twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        const text = await seal(alice, 'a', bytes);
        assert.equal(sealedFor('a', text), alice.id);
        assert.deepEqual(Buffer.from(await unseal(alice, 'a', text)), Buffer.from(bytes));
        assert.notEqual(await seal(alice, 'a', bytes), text);
      }),
      { numRuns: 30 },
    );
  });

  it('is closed to another identity and for another type, and says whose it is', async () => {
    const text = await seal(alice, 'a', Buffer.from('secret'));
    await assert.rejects(unseal(generateIdentity(), 'a', text), { ...broken, message: new RegExp(alice.id) });
    await assert.rejects(unseal(alice, 'b', text), broken);
    assert.equal(sealedFor('b', text), undefined);
    assert.ok(!text.includes(Buffer.from('secret').toString('base64url')));
  });

  it('is refused when a character was changed, and when it is something else', async () => {
    const text = await seal(alice, 'a', Buffer.from('secret'));
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'Q' : 'A';
      if (text[at] === '.') continue;
      const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
      const opened = await unseal(alice, 'a', changed).catch((error: { code?: string }) => error.code);
      // The last bits of base64url may be spelled in several ways; they change no byte.
      if (opened !== 'SEAL_BROKEN') assert.equal(Buffer.from(opened as Uint8Array).toString(), 'secret');
    }
    for (const other of ['', '....', 'x', '{}', text.slice(0, -9)])
      await assert.rejects(unseal(alice, 'a', other), broken);
  });
});
