import { hostText, PeerError, RequestError, type VesselName } from '@potluck/protocol';
import { TaskError } from '../errors.ts';
import { QUEUE } from '../limits.ts';
import type { LatencyWish } from './kinds.ts';
import type { Talk } from './talk.ts';

/**
 * Lets a node measure how far it is from a host, before it is given to somebody who wants it near, or far.
 * @throws TaskError TOO_FAR: with what was measured, `measuredMs`, in its details. @throws RequestError it does not measure
 */
export async function checkLatency(client: Talk, vessel: VesselName, wish: LatencyWish): Promise<void> {
  const { ms, not, estimated } = wish;
  const measuredMs = await measure(client, vessel, wish);
  if (measuredMs === 'too old' && estimated) return;
  if (typeof measuredMs === 'number' && (not ? measuredMs > ms : measuredMs <= ms)) return;
  const got = typeof measuredMs === 'number' ? `${measuredMs} ms` : (measuredMs ?? 'no connection');
  const message = `expected ${client.node} ${not ? 'more than' : 'at most'} ${ms} ms from ${hostText(wish)}, got ${got}`;
  throw new TaskError('TOO_FAR', message, { details: typeof measuredMs === 'number' ? { measuredMs } : {} });
}

/** @returns null also for what takes too long: that is not the node's fault, but may be the wish of whoever has the host. */
async function measure(
  client: Talk,
  vessel: VesselName,
  { address, port }: LatencyWish,
): Promise<number | null | 'too old'> {
  const params = { vessel, address, port };
  try {
    return (await client.call('MeasureLatency', params, QUEUE.measureMs)).ms;
  } catch (error) {
    if (error instanceof RequestError && error.code === 'UNKNOWN_METHOD') return 'too old';
    if (error instanceof PeerError && error.code === 'TIMEOUT') return null;
    throw error;
  }
}
