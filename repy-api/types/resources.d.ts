// #region Resources
// What the vessel may use, what it uses, and randomness, which is one of its resources.

/** How much there may be and how much there is, by the names of resources. */
interface RepyResources {
  /** As the owner set them; `cpu` in processors, `memory` and `diskused` in bytes, rates in units or bytes a second. */
  readonly limits: { messport: number[]; connport: number[] } & { [resource: string]: number };
  /**
   * Held now; of rates, what the last second left. `cpu` is seconds of a processor since the program began, in steps of
   * 0.01; `memory` is bytes of the program's own heap.
   */
  readonly usage: { [resource: string]: number };
  /**
   * The last hundred times at which the vessel was stopped to hold its `cpu`: when, in seconds since the program began,
   * and for how many seconds. It learns of them about once a second, and only while the program waits.
   */
  readonly stoptimes: [time: number, seconds: number][];
}

/**
 * Limits and usage, as copies.
 * @example
 * const { limits, usage } = getresources();
 * log(usage.events, 'of', limits.events, 'events\n');
 */
declare function getresources(): RepyResources;

/**
 * A number from 0 up to and without 1, from the system's own source of randomness.
 * @example
 * const heads = randomfloat() < 0.5;
 * log(heads ? 'heads\n' : 'tails\n');
 */
declare function randomfloat(): number;

/**
 * 1024 random bytes from the system.
 * @throws ResourceExhaustedError the vessel may use no randomness, or too many calls wait
 * @charges `random`, 1024 bytes; above the rate it waits
 * @example
 * const bytes = await randombytes();
 * log(bytes.length, '\n'); // logs: 1024
 */
declare function randombytes(): Promise<Uint8Array>;
// #endregion
