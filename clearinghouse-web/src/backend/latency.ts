import { hostText, RequestError, type VesselName } from '@potluck/protocol';
import { TaskError } from '../errors.ts';
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

async function measure(
  client: Talk,
  vessel: VesselName,
  { address, port }: LatencyWish,
): Promise<number | null | 'too old'> {
  const params = { vessel, address, port };
  try {
    return (await client.call('MeasureLatency', params)).ms;
  } catch (error) {
    if (error instanceof RequestError && error.code === 'UNKNOWN_METHOD') return 'too old';
    throw error;
  }
}
