/**
 * 73 log-spam: logs lines without end, as fast as it can
 * expected: held
 */
import type { Drive } from '../scene.ts';

const KEPT_BYTES = 2 * 64 * 1024;
const PROGRAM = "for (let line = 0; ; line++) log('running with the line ' + line + '\\n');";

export const run: Drive = async (scene) => {
  const before = await scene.world.managerBytes();
  await scene.perform(PROGRAM);
  const kept = await scene.until('a million bytes of log', async () => {
    const { result, attachment } = await scene.client.call('ReadVesselLog', { vessel: scene.place.vessel });
    return result.droppedBytes > 1_000_000 ? attachment.byteLength : undefined;
  });
  const grown = (await scene.world.managerBytes()) - before;
  await scene.stop();
  if (kept > KEPT_BYTES) return `open: ${kept} bytes kept`;
  return grown < 200_000_000 ? 'held' : `open: the node manager took ${grown} bytes`;
};
