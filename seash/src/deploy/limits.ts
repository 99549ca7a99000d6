/** What a deployment may ask for, and what is taken from a vessel as its mark. */
export const DEPLOY_LIMITS = {
  /** The file that declares it. */
  yamlBytes: 64 * 1024,
  vessels: 1000,
  files: 64,
  nodes: 1000,
  /** The mark that a deployment leaves in each vessel. */
  markBytes: 1024 * 1024,
  /** Longest of every time that is declared. */
  longestMs: 30 * 86_400_000,
} as const;
