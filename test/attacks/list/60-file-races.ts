/**
 * 60 file-races: opens, writes and removes the same files all at once, while its user copies, replaces and resets them
 * expected: held or stopped
 * resource diskused 300000
 * resource filewrite 100000000
 * resource fileread 100000000
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileName, RequestError } from '@potluck/protocol';
import type { Drive } from '../scene.ts';

const LIMIT_BYTES = 300_000;
const ROUNDS = 40;
const PROGRAM = `
  const names = ['a', 'b', 'c'];
  const forgive = (error) => { if (!(error instanceof RepyError)) throw error; };
  const play = async (name) => {
    for (let at = 0; ; at++) {
      try {
        const file = await openfile(name, true);
        await Promise.allSettled([file.writeat('x'.repeat(5000), 0), file.writeat('y', 1), file.readat(null, 0), file.close(), file.writeat('z', 0)]);
      } catch (error) { forgive(error); }
      await removefile(names[at % 3]).catch(forgive);
    }
  };
  log('running');
  for (const name of [...names, ...names]) play(name);`;

export const run: Drive = async (scene) => {
  const { client, place } = scene;
  await scene.perform(PROGRAM);
  await scene.logged('running');
  const found: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const name = ['a', 'b', 'c'][round % 3] as FileName;
    const calls = [
      client.call('AddFileToVessel', { vessel: place.vessel, name }, { attachment: Buffer.alloc(6000) }),
      client.call('RetrieveFileFromVessel', { vessel: place.vessel, name }),
      client.call('ListFilesInVessel', { vessel: place.vessel }),
    ];
    for (const one of await Promise.allSettled(calls)) {
      if (one.status === 'rejected' && !(one.reason instanceof RequestError && one.reason.code !== 'INTERNAL'))
        found.push(`${one.reason}`);
    }
  }
  await scene.stop();
  const sizes = await Promise.all(
    (await readdir(scene.files)).map(async (name) => (await stat(join(scene.files, name))).size + 4096),
  );
  if (sizes.reduce((sum, size) => sum + size, 0) > LIMIT_BYTES) found.push('more than its disk');
  return found.length === 0 ? await scene.outcome() : `open: ${found.join(', ')}`;
};
