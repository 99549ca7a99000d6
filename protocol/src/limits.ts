/** Every limit of the wire, in one place; docs/LIMITS.md lists them and test/structure holds the two together. */
export const LIMITS = {
  /** One request or reply, envelope and attachment together. */
  messageBytes: 8 * 1024 * 1024,
  /**
   * The signed part of a request or reply. A list of `filesPerVessel` files with the longest names, and `programArguments`
   * of the greatest length, must fit after base64url.
   */
  envelopeBytes: 512 * 1024,
  /** One uploaded or retrieved file: what is left of a message when the envelope is full. */
  fileBytes: 8 * 1024 * 1024 - 512 * 1024 - 4,
  fileNameLength: 120,
  filesPerVessel: 1000,
  programArguments: 64,
  programArgumentLength: 4096,
  usersPerVessel: 64,
  ownerInformationLength: 256,
  /** A request may live this long between its signing and its expiry. */
  requestLifetimeSeconds: 120,
  /** Two clocks may differ by this much. */
  clockSkewSeconds: 30,
  advertisementLifetimeSeconds: 600,
  advertisedAddresses: 8,
  advertisedRelays: 4,
  advertisedKeys: 256,
  /** What a node's operator calls it. */
  advertisedLabels: 8,
  /** By which one acquisition chooses. */
  rules: 16,
  /** In one of them. */
  ruleCountries: 50,
  /** One signed advertisement. */
  advertisementBytes: 64 * 1024,
  /** Entries of one list in a reply, where nothing else bounds it: vessels, walls, layers, resources. */
  listed: 256,
  /** What is wrong with something by its schema: so many places of it are told, each so long. */
  issuesNamed: 3,
  issueLength: 200,
  restrictionsBytes: 64 * 1024,
  restrictionsLines: 2000,
  /** Unanswered requests of one connection: a client keeps others back, a node answers one more with BUSY. */
  requestsPerConnection: 16,
  replyTimeoutMs: 30_000,
  /** A node that follows a log for somebody says something at least so often, if only that there is nothing new. */
  rowSilenceMs: 15_000,
  /** Bytes of a row of replies that wait at the caller for their reader; past it no more are taken from the connection. */
  rowHeldBytes: 1024 * 1024,
  /** One connection to a node, whatever ways to it are tried. */
  connectTimeoutMs: 10_000,
  /** From the beginning of an attempt to that of the next: the Connection Attempt Delay of RFC 8305. */
  attemptDelayMs: 250,
  /** From a caller's farewell on a connection to its end, whatever the other side does. */
  farewellMs: 1000,
} as const;
