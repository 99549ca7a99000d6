/**
 * 19 source-too-big: uploads a program of 100 MB, one of the greatest size, and one a byte greater
 * expected: held
 */
import { LIMITS, openPinnedSocket } from '@potluck/protocol';
import type { Drive } from '../scene.ts';

export const run: Drive = async (scene) => {
  const { world } = scene;
  const before = await world.managerBytes();
  const { socket } = await openPinnedSocket({
    address: world.address,
    key: undefined,
    maxPayloadBytes: LIMITS.messageBytes,
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.send(Buffer.alloc(100_000_000));
  await closed;
  const grown = (await world.managerBytes()) - before;
  if (grown > 90_000_000) return `open: the node manager took ${grown} bytes`;
  const refused = await scene.upload(Buffer.alloc(LIMITS.fileBytes + 1, ' ')).then(
    () => false,
    () => true,
  );
  if (!refused) return 'open: a byte too many';
  // Its vessel has a million bytes, and no more.
  const over = await scene.upload(Buffer.alloc(1_000_000, ' ')).then(
    () => false,
    ({ code }) => code === 'QUOTA_EXCEEDED',
  );
  return over ? 'held' : 'open: a file beyond the quota';
};
