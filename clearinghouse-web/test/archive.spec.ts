import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { donationSchema } from '@potluck/protocol';
import { create, extract } from 'tar';
import { Site, temporaryDirectory } from './support/site.ts';

/** A payload as the installer builds it: a tar in gzip without the blocks that end a tar. */
async function buildPayload(directory: string): Promise<string> {
  await mkdir(join(directory, 'potluck'));
  await writeFile(join(directory, 'potluck', 'big'), randomBytes(300_000));
  await create({ file: join(directory, 'whole.tar'), cwd: directory, portable: true }, ['potluck']);
  const tar = await readFile(join(directory, 'whole.tar'));
  let end = tar.length;
  while (end >= 512 && tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  const path = join(directory, 'payload.tgz');
  await writeFile(path, gzipSync(tar.subarray(0, end)));
  return path;
}

describe('a donor’s archive', () => {
  it('is the payload and, after it, the donor’s own part', async () => {
    await using directory = await temporaryDirectory();
    const payload = await buildPayload(directory.path);
    await using site = await Site.start({ payload });
    const donor = await site.api().join('donor');
    const { downloadUrl } = (await donor.get('/donations')).body;
    const response = await fetch(downloadUrl); // No cookie: the link is enough.
    assert.equal(response.status, 200);
    const archive = Buffer.from(await response.arrayBuffer());
    assert.equal(Number(response.headers.get('content-length')), archive.length);
    const payloadBytes = await readFile(payload);
    assert.ok(archive.subarray(0, payloadBytes.length).equals(payloadBytes), 'nothing is packed again');

    const into = join(directory.path, 'into');
    await mkdir(into);
    await writeFile(join(directory.path, 'archive.tgz'), archive);
    await extract({ file: join(directory.path, 'archive.tgz'), cwd: into, strict: true });
    const donation = donationSchema.parse(JSON.parse(await readFile(join(into, 'potluck', 'donation.json'), 'utf8')));
    assert.deepEqual(donation, {
      clearinghouse: site.clearinghouse.url,
      gateway: site.gateway,
      donor: 'donor',
      owner: await site.donorKey('donor'),
    });
    assert.equal(await sha256(join(into, 'potluck', 'big')), await sha256(join(directory.path, 'potluck', 'big')));
    assert.ok(
      gunzipSync(archive)
        .subarray(-1024)
        .every((byte) => byte === 0),
      'it ends as a tar ends',
    );
    assert.equal((await stat(join(into, 'potluck', 'donation.json'))).mode & 0o777, 0o644);
  });

  it('is asked for in vain without a payload, and by a link that nobody has', async () => {
    await using site = await Site.start();
    const donor = await site.api().join('donor');
    const { downloadUrl } = (await donor.get('/donations')).body;
    const answer = await donor.get(downloadUrl);
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'NO_PAYLOAD');
    const nobody = await donor.get(`/download/${'x'.repeat(22)}/potluck-linux-x64.tgz`);
    assert.equal(nobody.body.code, 'NO_SUCH_PAGE');
  });

  it('has a link of 128 bits, different for each donor', async () => {
    await using site = await Site.start();
    const tokens = await Promise.all(
      ['one', 'two'].map(
        async (name) => (await (await site.api().join(name)).get('/donations')).body.downloadUrl.split('/')[4],
      ),
    );
    for (const token of tokens) assert.equal(Buffer.from(token ?? '', 'base64url').length, 16);
    assert.notEqual(tokens[0], tokens[1]);
  });
});

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
