import { OP } from '../ops.ts';
import { invoke } from './bridge.ts';
import { parseJson } from './primordials.ts';

/** @returns `{ limits, usage, stoptimes }`, made anew for each call. */
export function getresources(): unknown {
  return parseJson(invoke(OP.getresources) as string);
}
