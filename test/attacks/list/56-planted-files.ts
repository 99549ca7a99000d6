/**
 * 56 planted-files: uses a hard link, a named pipe, a device and a directory that somebody planted in its directory
 * expected: held
 */
import { spawnSync } from 'node:child_process';
import { link, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileName } from '@potluck/protocol';
import type { Drive } from '../scene.ts';

const PROGRAM = `
  const { mark } = JSON.parse(callargs[0]);
  const found = [];
  const use = async (name, call) => { try { const got = await call(); if (String(got).includes(mark)) found.push(name); } catch {} };
  for (const name of ['hard', 'pipe', 'device', 'directory']) {
    await use('read ' + name, async () => { const file = await openfile(name, false); try { return await file.readat(100, 0); } finally { await file.close(); } });
    await use('write ' + name, async () => { const file = await openfile(name, true); try { await file.writeat('broken', 0); } finally { await file.close(); } });
    await use('remove ' + name, () => removefile(name));
  }
  log('\\nverdict: ' + (found.length === 0 ? 'held' : 'open: ' + found.join(', ')) + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  const { world, client, place } = scene;
  await scene.upload(PROGRAM);
  const secret = join(world.directory, 'outside/secret');
  await link(secret, join(scene.files, 'hard'));
  await mkdir(join(scene.files, 'directory'));
  spawnSync('mkfifo', [join(scene.files, 'pipe')]);
  spawnSync('mknod', [join(scene.files, 'device'), 'c', '1', '5']);
  const found: string[] = [];
  for (const name of ['hard', 'pipe', 'device', 'directory']) {
    const read = client.call('RetrieveFileFromVessel', { vessel: place.vessel, name: name as FileName });
    const text = await read.then(
      ({ attachment }) => Buffer.from(attachment).toString(),
      () => '',
    );
    if (text.includes(world.mark)) found.push(`a request reads ${name}`);
  }
  await scene.start();
  const told = await scene.outcome();
  if ((await readFile(secret, 'utf8')) !== world.mark) found.push('the secret is another');
  return found.length === 0 ? told : `open: ${found.join(', ')}`;
};
