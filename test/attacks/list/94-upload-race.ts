/**
 * 94 upload-race: replaces the program while it starts, stops it while it starts, starts it twice, all at once
 * expected: held
 */
import { RequestError } from '@potluck/protocol';
import type { Drive } from '../scene.ts';

const ROUNDS = 3;
const ALLOWED = ['BAD_STATE', 'START_FAILED', 'BUSY'];
const program = (name: string) => `log('${name}.'); settimer(1000, () => {});`;

export const run: Drive = async (scene) => {
  const found: string[] = [];
  const { client, place } = scene;
  const start = () => client.call('StartVessel', { vessel: place.vessel, program: 'attack.js' as never, args: [] });
  const stop = () => client.call('StopVessel', { vessel: place.vessel });
  for (let round = 0; round < ROUNDS; round++) {
    await scene.upload(program('one'));
    const all = await Promise.allSettled([
      start(),
      scene.upload(program('two')),
      start(),
      stop(),
      start(),
      scene.upload(program('three')),
    ]);
    for (const one of all) {
      if (one.status === 'fulfilled') continue;
      if (!(one.reason instanceof RequestError) || !ALLOWED.includes(one.reason.code)) found.push(`${one.reason}`);
    }
    const { state } = await scene.info();
    if (state === 'Started') await stop();
    const log = await scene.log();
    if (!/^((one|two|three)\.)*$/.test(log)) found.push(`half of a program: ${log}`);
    const after = (await scene.info()).state;
    if (!['Stopped', 'Fresh', 'Terminated'].includes(after)) found.push(after);
    await scene.reset();
  }
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};
