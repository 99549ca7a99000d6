/** Remembers which requests were taken, for as long as they could be taken again. */
export interface ReplayStore {
  /**
   * Takes a nonce; must be durable before it resolves, so that a restart forgets nothing.
   * @param expiresAtSeconds seconds since the epoch, after which the nonce may be forgotten.
   * @returns false if it was taken before.
   */
  claim(nonce: string, expiresAtSeconds: number): Promise<boolean>;
}
