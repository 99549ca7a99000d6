const BLOCK_BYTES = 4096;

/**
 * What reading or writing is charged: 4096 for each block of 4096 bytes that is touched, as in Seattle, and for one block
 * when it touches none, for it is work all the same.
 */
export function fileCost(offset: number, bytes: number): number {
  const first = Math.floor(offset / BLOCK_BYTES);
  const last = Math.floor((offset + Math.max(1, bytes) - 1) / BLOCK_BYTES);
  return (last - first + 1) * BLOCK_BYTES;
}
