/**
 * The resources of a vessel, in Seattle's names and units (reference: Seattle's resource files).
 * `renewable`: per second, the caller waits. `countable`: held at once. `quantity`: passing it ends the program.
 */
export const QUANTITIES = {
  /** Fraction of one core. */
  cpu: 'renewable',
  /** Bytes of the program, beyond what an idle vessel process takes. */
  memory: 'quantity',
  /** Bytes, and 4096 more for each file. */
  diskused: 'quantity',
  events: 'countable',
  filesopened: 'countable',
  insockets: 'countable',
  outsockets: 'countable',
  filewrite: 'renewable',
  fileread: 'renewable',
  netsend: 'renewable',
  netrecv: 'renewable',
  loopsend: 'renewable',
  looprecv: 'renewable',
  lograte: 'renewable',
  random: 'renewable',
} as const;
export type QuantityName = keyof typeof QUANTITIES;
export const QUANTITY_NAMES = Object.keys(QUANTITIES) as QuantityName[];

export const MANDATORY_QUANTITIES: readonly QuantityName[] = ['cpu', 'memory', 'diskused'];

/** Individual items: `messport` for UDP, `connport` for TCP. */
export const PORT_NAMES = ['messport', 'connport'] as const;
export type PortName = (typeof PORT_NAMES)[number];

export function isQuantityName(name: string): name is QuantityName {
  return Object.hasOwn(QUANTITIES, name);
}

export function isPortName(name: string): name is PortName {
  return (PORT_NAMES as readonly string[]).includes(name);
}
