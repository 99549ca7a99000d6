import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  generateIdentity,
  keyIdOf,
  loadIdentity,
  loadPublicKey,
  privateJwkSchema,
  publicJwkSchema,
  saveIdentity,
  savePublicKey,
} from '../src/index.ts';

describe('an identity', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-identity-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });
  const path = (): string => join(directory, 'alice.private.jwk');

  it('has the id of RFC 8037 appendix A.3 for the key of appendix A.1', () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
    assert.equal(keyIdOf(jwk), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('has one spelling, so that one key has one id', () => {
    const { publicJwk, privateJwk } = generateIdentity();
    const next = (text: string): string => `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(42) + 1)}`;
    const other = { ...publicJwk, x: next(publicJwk.x) };
    assert.deepEqual(Buffer.from(other.x, 'base64url'), Buffer.from(publicJwk.x, 'base64url'));
    assert.ok(publicJwkSchema.safeParse(publicJwk).success);
    assert.ok(!publicJwkSchema.safeParse(other).success);
    assert.ok(!privateJwkSchema.safeParse({ ...privateJwk, d: next(privateJwk.d) }).success);
  });

  it('comes back from its file the same, and nobody else may read the file', async () => {
    const identity = generateIdentity();
    await saveIdentity(path(), identity);
    assert.equal((await stat(path())).mode & 0o777, 0o600);
    assert.deepEqual((await loadIdentity(path())).privateJwk, identity.privateJwk);
  });

  it('never overwrites a key file', async () => {
    await saveIdentity(path(), generateIdentity());
    const before = await readFile(path());
    await assert.rejects(saveIdentity(path(), generateIdentity()), { code: 'KEY_FILE_EXISTS' });
    assert.deepEqual(await readFile(path()), before);
  });

  it('is refused when others may read its file, with the command that mends it', async () => {
    await saveIdentity(path(), generateIdentity());
    await chmod(path(), 0o640);
    await assert.rejects(loadIdentity(path()), { code: 'KEY_FILE_EXPOSED', message: /0640.*chmod 600/ });
  });

  it('is refused when its file is missing, empty, not JSON, another key type, or a mismatched pair', async () => {
    await assert.rejects(loadIdentity(path()), { code: 'KEY_FILE_MISSING' });
    const { privateJwk } = generateIdentity();
    const broken = [
      '',
      'potluck',
      '[]',
      JSON.stringify({ ...privateJwk, crv: 'X25519' }),
      JSON.stringify({ ...privateJwk, d: 'short' }),
      JSON.stringify({ ...privateJwk, x: generateIdentity().publicJwk.x }),
    ];
    for (const text of broken) {
      await writeFile(path(), text, { mode: 0o600 });
      await assert.rejects(loadIdentity(path()), { code: 'KEY_FILE_BROKEN' }, text);
    }
  });

  it('shows only its public part in a public key file', async () => {
    const identity = generateIdentity();
    const publicPath = join(directory, 'alice.public.jwk');
    await savePublicKey(publicPath, identity.publicJwk);
    assert.deepEqual(await loadPublicKey(publicPath), identity.publicJwk);
    assert.ok(!(await readFile(publicPath, 'utf8')).includes(identity.privateJwk.d));
    await saveIdentity(path(), identity);
    assert.deepEqual(await loadPublicKey(path()), identity.publicJwk, 'the private part is dropped on reading');
  });
});
