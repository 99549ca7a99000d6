import type { QuantityName } from '@potluck/protocol';

/** What an operator offers at least in one vessel, in Seattle's names and units, and how many ports of each kind with it. */
export type SliceSizes = Readonly<Record<QuantityName | 'ports', number>>;

/** What users of Seattle's clearinghouse got (`twopercent.resources`), ports and all. */
export const SLICE: SliceSizes = {
  cpu: 0.02,
  memory: 25_000_000,
  diskused: 100_000_000,
  events: 50,
  filesopened: 10,
  insockets: 10,
  outsockets: 10,
  filewrite: 10_000,
  fileread: 10_000,
  netsend: 10_000,
  netrecv: 10_000,
  loopsend: 100_000,
  looprecv: 100_000,
  lograte: 10_000,
  random: 1000,
  ports: 10,
};
