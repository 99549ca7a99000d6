/** Every limit of the clearinghouse, in one place. */
export const LIMITS = {
  usernameShortest: 3,
  usernameLongest: 40,
  passwordShortest: 8,
  passwordLongest: 1000,
  /** Body of one request to the site, and places told of what is wrong with it: more than any has fields. */
  bodyBytes: 64 * 1024,
  fieldsTold: 100,
  /** Vessels in one request to acquire, renew or release. */
  vesselsPerRequest: 500,
  sessionMs: 7 * 24 * 3_600_000,
  /** A browser that an account has logged in with is known for so long, and so many of them. */
  deviceMs: 365 * 24 * 3_600_000,
  devicesPerAccount: 20,
  /** How exactly it is written down when a session or a token was used last. */
  seenMs: 60_000,
  /** Failed log-ins of one address in `windowMs`, those under way counted with them; twice a class that sits behind one. */
  loginFailuresPerAddress: 400,
  /** Failed log-ins to one account in `windowMs`: of one address or known browser, and of all that are not known. */
  loginFailuresPerClient: 10,
  loginFailuresPerAccount: 100,
  /** Wrong passwords in `windowMs` where a session has to give its account's password again. */
  passwordFailures: 10,
  /** API tokens of one address in `windowMs` that nobody has. */
  tokenFailures: 100,
  tokensPerAccount: 50,
  tokenMs: 365 * 24 * 3_600_000,
  passkeysPerAccount: 20,
  /** From what a browser needs for a passkey to what it answers. */
  challengeMs: 5 * 60_000,
  /** Names that people give to their tokens and passkeys. */
  labelLength: 64,
  /** Registrations of one address in `windowMs`: twice a class that sits behind one. */
  registrations: 400,
  windowMs: 15 * 60_000,
  /** Requests of one account, by its pages and its programs. */
  requestsPerMinute: 300,
  /** Requests in a minute of one address that says nobody's name; a class may sit behind one. */
  strangersPerMinute: 3000,
  /** Rows of a list in one answer: unless asked for, and at most; and the text that asks for the next ones. */
  pageUsual: 100,
  pageLongest: 500,
  cursorLength: 512,
  /** A line by which a key is claimed. */
  keyProofLength: 4096,
  /** The `Authorization` header of a signed request. */
  authorizationLength: 4096,
  /** The caller's own name of an acquisition, how long it is remembered, and how many of one account are. */
  idempotencyKeyLength: 64,
  idempotencyMs: 24 * 3_600_000,
  idempotencyKeysPerAccount: 1000,
  /** What a list is searched or filtered for. */
  searchLength: 100,
  /** Why an administrator did something, in words. */
  reasonLength: 500,
  gatewayConnections: 20_000,
  gatewayConnectionsPerHost: 512,
  /** New connections from one address to the gateway, on average and after a pause: nodes, callers, and nodes that answer. */
  gatewayDialsPerHostPerSecond: 50,
  gatewayDialsPerHostBurst: 1024,
  /** Messages of one connection to the gateway in a minute. */
  gatewayMessagesPerMinute: 30,
  /** From a connection to the gateway to its first advertisement. */
  gatewayHelloMs: 10_000,
  /** A node that donates nothing is forgotten this long after it was last there: anybody can make up such nodes. */
  strangerMs: 3_600_000,
  /** Vessels that one node may offer: as many as a node manager has. */
  vesselsPerNode: 64,
  /** Advertisements in one answer, and their characters together: less than what a reader takes. */
  advertisementsPerKey: 1000,
  advertisementsBytes: 4 * 1024 * 1024,
  /** Of them to one address, on average and after a pause: anybody may ask, and a key may name many nodes. */
  advertisementsSecondBytes: 1024 * 1024,
  advertisementsBurstBytes: 64 * 1024 * 1024,
  /** Addresses for which that is counted apart. */
  weighedAddresses: 50_000,
  /** A connection without a request; longer than a proxy's and a client's own, so that none of them asks on one just closed. */
  keepAliveMs: 75_000,
  /** Requests under way may end within this time when the site stops. */
  stopMs: 2_000,
} as const;

/** Callers that a relay takes to nodes. */
export const RELAY_LIMITS = {
  /** Streams at once, calls that nobody has answered yet included: of all, to one node, and from one address, behind which a class may sit. */
  streams: 4000,
  streamsPerNode: 192,
  streamsPerHost: 2000,
  /** Calls to one node, from one address, and from one to the other, on average and after a pause. */
  callsPerNodePerSecond: 5,
  callsPerNodeBurst: 192,
  callsPerHostPerSecond: 50,
  callsPerHostBurst: 1024,
  callsPerPairPerSecond: 2,
  callsPerPairBurst: 64,
  /** Nodes, addresses, and pairs of them, whose calls are counted apart. */
  rateEntries: 50_000,
  /** From a call to the node's answer. */
  answerMs: 5000,
  /** Without a byte either way; longer than a node waits for a message. */
  idleMs: 330_000,
} as const;

/** Browsers that the site passes on to nodes. */
export const PASS_LIMITS = {
  /** At once: in all (a class with ten vessels each, and some more), of one account, and of one account to one node. */
  connections: 2400,
  perAccount: 128,
  perNode: 4,
  /** New ones of one account, on average and after a pause. */
  connectsPerSecond: 2,
  connectsBurst: 128,
  /** From a browser's coming to the node's. */
  connectMs: 10_000,
  /** Without a message either way; a node that follows a log says something every 15 s. */
  idleMs: 120_000,
  /** Of one connection, both ways together; a browser that needs more opens another. */
  connectionBytes: 1024 * 1024 * 1024,
  /** Held in memory at once: parts of messages, and messages that wait to be sent on. One is of 8 MiB at most, each way. */
  heldConnectionBytes: 17 * 1024 * 1024,
  heldAccountBytes: 64 * 1024 * 1024,
  heldBytes: 256 * 1024 * 1024,
  /** So often it is looked whether the account is still logged in and holds a vessel there. */
  checkMs: 15_000,
} as const;

/** The rules about credits and leases, in Seattle's numbers, unless `--policy FILE` says otherwise. */
export const POLICY = {
  freeCredits: 10,
  creditsPerDonation: 10,
  firstLeaseMs: 4 * 3_600_000,
  renewalMs: 7 * 24 * 3_600_000,
  /** A lease that ends within this time is warned of. */
  warningMs: 3_600_000,
  firstUserPort: 63_100,
  lastUserPort: 63_179,
  /** A node that was not seen for so long is gone: its leases end, until it is back. */
  goneMs: 24 * 3_600_000,
} as const;

/** Pages that are kept up to date while they are open. */
export const EVENT_LIMITS = {
  streamsPerAccount: 20,
  /** A stream ends then; the browser opens the next, and is asked again who it is. */
  streamMs: 10 * 60_000,
  /** Between two signs of life. */
  beatMs: 20_000,
  /** All that happens within this time is said at once. */
  gatherMs: 150,
} as const;

/** What is written down of what has been. */
export const HISTORY_LIMITS = {
  /** From one look at the whole to the next. */
  everyMs: 5 * 60_000,
  pulsesMs: 8 * 24 * 3_600_000,
  contributionsMs: 400 * 24 * 3_600_000,
} as const;

/** What a policy may say in the place of these. */
export const POLICY_LIMITS = {
  fileBytes: 64 * 1024,
  /** For everybody, and for a donation. */
  credits: 100_000,
  leaseHours: 24 * 366,
  /** Of a slice: cores, of anything else, and ports of each kind. */
  sliceCores: 1000,
  sliceAmount: 1_000_000_000_000,
  slicePorts: 1000,
} as const;

export const QUEUE = {
  /** A claim ends by then; the work under it must end before, see `workMs`. */
  claimMs: 45_000,
  workMs: 30_000,
  /** One request to a node. */
  requestMs: 8_000,
  connectMs: 5_000,
  /** Retries of a task whose node is away: first, longest; doubled in between. */
  retryFirstMs: 1_000,
  retryLongestMs: 5 * 60_000,
  /** Looks at the queue even if no wake line came. */
  sweepMs: 1_000,
  /** Tasks under way at once. */
  concurrency: 16,
  /** Of them, tasks for which nobody waits before a page; and of these, tasks that have time: looks at nodes, retries. */
  unawaited: 12,
  background: 8,
  /** Of them, tasks at one node, and for which nobody waits at all nodes of one donor: they may be slow on purpose. */
  perNode: 4,
  perGiver: 4,
  /** Of them, tasks whose node measures first how far a host is: in all, of one account, and how long it may take. */
  ...{ measuring: 6, perAsker: 4, measureMs: 2_000 },
  /** Of them, at all nodes that nobody knows yet or that kept the backend waiting lately. */
  doubted: 6,
  /** A node for which one task has waited longer, all its requests together, rests: first, longest; doubled in between. */
  slowMs: 10_000,
  restFirstMs: 10_000,
  restLongestMs: 5 * 60_000,
  /** A node is doubted for so long after its rest. */
  doubtMs: 3_600_000,
  /** Ended tasks are kept this long, for the operator, with so many characters of why: a node may have chosen them. */
  keepMs: 24 * 3_600_000,
  errorLength: 1000,
  /** Waiting for one wave of an acquisition, then its slow nodes are replaced. */
  acquireMs: 20_000,
  /** How often a donated node is looked at that is there, and one that is broken. */
  inspectMs: 3_600_000,
  inspectBrokenMs: 10 * 60_000,
  /** How often it is looked at because it dials, on average and after a pause. */
  inspectLeastMs: 60_000,
  inspectBurst: 5,
} as const;

/** What the processes of one clearinghouse tell each other. */
export const BUS_LIMITS = {
  /** One message, question or answer as JSON: PostgreSQL's NOTIFY takes less than 8000 bytes, and some go for the address. */
  messageBytes: 7000,
  /** Messages that wait for one subscriber who is slow. */
  waitingMessages: 256,
  /** Messages that wait for the database to take them, and how many it takes at once. */
  outgoingMessages: 10_000,
  noticesAtOnce: 100,
  /** Between two looks whether the database is there, and as long it may take to answer. */
  checkMs: 10_000,
  /** Waits before it is dialled again: first, longest; doubled in between. */
  redialFirstMs: 100,
  redialLongestMs: 5_000,
} as const;

/** Several site processes of one clearinghouse. */
export const SITE_LIMITS = {
  /** From a site's word that it lives to its death, if it says nothing more; and how often it says it. */
  lifeMs: 15_000,
  liveEveryMs: 3_000,
  /** An answer to another site's question. */
  questionMs: 4_000,
} as const;

/** PostgreSQL, where the clearinghouse is on it. */
export const DATABASE_LIMITS = {
  /** Connections of one process: a site and its backend are two. */
  connections: 10,
  /** From the wish for a connection to having one. */
  connectMs: 10_000,
  /** One statement, and its wait for what another transaction has locked: then the server gives it up. */
  statementMs: 15_000,
  lockMs: 10_000,
  /** From a question to its answer: then the connection is given up, as the server itself may hang. */
  answerMs: 20_000,
  /** As long a page waits for the database that is there to say how it is. */
  statusMs: 3_000,
  /** A transaction whose process says nothing more is given up by the server. */
  idleTransactionMs: 60_000,
  /** A transaction that conflicts with others is tried so often in all; after the first ones it goes alone. */
  attempts: 10,
  attemptsBesideOthers: 4,
  /** At most this long before the second attempt, twice as long before the third, and so on. */
  conflictWaitMs: 10,
} as const;

/** What `clearinghouse doctor` finds wrong, or worth a word. */
export const DOCTOR_LIMITS = {
  /** A task that is due and was never tried, or whose claim has run out. */
  lateMs: 60_000,
  /** Attempts of a task that is tried again and again, though its node is there. */
  attempts: 8,
  /** Between the clocks of two sites. */
  clockMs: 5_000,
  backupMs: 48 * 3_600_000,
  certificateMs: 14 * 24 * 3_600_000,
  /** Free where the state directory is: wrong below the first, a word below the second. */
  diskBytes: 256 * 1024 * 1024,
  diskSoonBytes: 2 * 1024 * 1024 * 1024,
  /** For the portal or the gateway to answer. */
  answerMs: 5_000,
} as const;

/** Where Prometheus asks. */
export const METRICS_LIMITS = {
  /** At once. */
  connections: 8,
  /** For a request to be complete, and until an idle connection is closed. */
  patienceMs: 10_000,
  /** For the database to say what it has. */
  censusMs: 3_000,
} as const;

/** Backups, as they are written and read. */
export const BACKUP_LIMITS = {
  /** Characters of one line, a row of a table, and of a text in one which would be longer. */
  lineLength: 1024 * 1024,
  cutLength: 1000,
  /** So many times larger than the file is what comes out of it, at most; where less than that comes out, it is not asked. */
  expansion: 200,
  expansionLeastBytes: 64 * 1024 * 1024,
  /** Values in one statement of a restoration: a database takes only so many. */
  valuesPerStatement: 10_000,
} as const;
