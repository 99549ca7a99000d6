/**
 * 55 symlink: uses links that somebody planted in its directory, to a secret, to a neighbour's file and to a directory
 * expected: held
 */
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileName } from '@potluck/protocol';
import type { Drive } from '../scene.ts';

const PROGRAM = `
  const { mark } = JSON.parse(callargs[0]);
  const found = [];
  const use = async (name, call) => { try { const got = await call(); if (String(got).includes(mark)) found.push(name); } catch {} };
  for (const name of ['secret', 'neighbour', 'directory', 'nowhere']) {
    await use('read ' + name, async () => { const file = await openfile(name, false); try { return await file.readat(null, 0); } finally { await file.close(); } });
    await use('open ' + name, async () => { const file = await open(name, 'r'); try { return await file.read(); } finally { await file.close(); } });
    await use('write ' + name, async () => { const file = await openfile(name, true); try { await file.writeat('broken', 0); } finally { await file.close(); } });
    await use('empty ' + name, async () => { const file = await open(name, 'w'); await file.close(); });
    await use('remove ' + name, () => removefile(name));
  }
  log('\\nverdict: ' + (found.length === 0 ? 'held' : 'open: ' + found.join(', ')) + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  const { world, client, place } = scene;
  await scene.upload(PROGRAM);
  const links = {
    secret: join(world.directory, 'outside/secret'),
    neighbour: join(world.directory, 'state/vessels/v1/files/secret.txt'),
    directory: join(world.directory, 'outside'),
    nowhere: join(world.directory, 'outside/made'),
  };
  const found: string[] = [];
  for (const [name, target] of Object.entries(links)) {
    await symlink(target, join(scene.files, name));
    const read = client.call('RetrieveFileFromVessel', { vessel: place.vessel, name: name as FileName });
    if (
      await read.then(
        () => true,
        () => false,
      )
    )
      found.push(`a request reads ${name}`);
  }
  await scene.start();
  const told = await scene.outcome();
  for (const path of [links.secret, links.neighbour]) {
    if ((await readFile(path, 'utf8')) !== world.mark) found.push(`${path} is another`);
  }
  return found.length === 0 ? told : `open: ${found.join(', ')}`;
};
