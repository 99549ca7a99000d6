import { LIMITS } from '@potluck/protocol';

/**
 * Every limit of a node manager beyond those of the wire (`LIMITS` of protocol), in one place; docs/LIMITS.md lists
 * them. A `NodeManager` may be given others, which is how the tests reach them.
 */
export const NODE_LIMITS = {
  /** Connections at once through the relay, those that are being dialled included; one more is not answered. */
  relayedConnections: 192,
  /** Calls through the relay for which the node dials, on average; one more is not answered. */
  relayedPerSecond: 10,
  /** The same after a pause. */
  relayedBurst: 192,
  /** Connections at once, in all; one more takes the place of one of the address that has most, or is dropped. */
  connections: 512,
  /** Connections at once from one address; one more is dropped before its handshake. */
  connectionsPerAddress: 256,
  /** New connections of one address: a second, and at once after a pause; one more is dropped before its handshake. */
  connectionsPerSecond: 50,
  connectionsBurst: 500,
  /** Requests of one connection that are not answered yet; one more is answered with BUSY. */
  requestsPerConnection: LIMITS.requestsPerConnection,
  /** Of them and the refused ones together, from which on the node reads no further until some are answered. */
  repliesPerConnection: 2 * LIMITS.requestsPerConnection,
  /** Requests of one key that wait for or change one vessel; one more is answered with BUSY. */
  requestsPerVessel: 16,
  /** Messages whose signatures are checked at once; the others wait in turn by address. */
  checksAtOnce: 4,
  /** Requests from one address by keys that have no vessel here: a second, and at once after a pause. */
  addressPerSecond: 100,
  addressBurst: 1000,
  /** Requests of one key that has a vessel here: a second, and at once after a pause. */
  keyPerSecond: 200,
  keyBurst: 2000,
  /** Addresses, and keys, whose requests are counted; when there are more, the new ones share one count. */
  rateEntries: 10_000,
  /** Logs that one connection follows; one more is answered with BUSY. */
  followersPerConnection: 64,
  /** Who follow the log of one vessel; one more is answered with BUSY. */
  followersPerVessel: 16,
  /** Bytes of a log in one reply to who follows it. */
  followChunkBytes: 32 * 1024,
  /** Between two replies to who follows a log: what is written meanwhile goes together. */
  followPauseMs: 20,
  /** Without a new line, who follows a log is told that there is none: less than `rowSilenceMs` of the protocol. */
  followSilenceMs: 10_000,
  /** Bytes of messages and replies held in memory for all connections; past it a connection is closed as busy. */
  heldBytes: 128 * 1024 * 1024,
  /** Of it, for the connections of one address. */
  addressHeldBytes: 64 * 1024 * 1024,
  /** From a connection to its completed handshakes (TLS, then WebSocket). */
  handshakeMs: 10_000,
  /** From the first byte of a message to its last, and for a reply to be taken. */
  messageMs: 60_000,
  /** Without any message, a connection is closed. */
  idleMs: 300_000,
  /** From the node's farewell on a connection to its end, whatever the other side does. */
  farewellMs: 1000,
  /** Each of the two files of a vessel's log; the older is dropped when the newer is full. */
  vesselLogBytes: 64 * 1024,
  /** Each of the two files of the daemon's own log. */
  daemonLogBytes: 1024 * 1024,
  /** Characters kept of the message of an ending, so that `GetVessels` fits in one reply whatever programs say. */
  endingMessageLength: 500,
  /** Measurements of how far hosts are, for all owners together; one more is answered with BUSY. */
  latencyPerMinute: 60,
  /** Connections of one measurement, of which the fastest counts, and the longest that one is waited for. */
  latencyAttempts: 3,
  latencyAttemptMs: 2000,
  /** Vessels of one node. */
  vessels: 64,
  /** Destination rules of one node, beside those of its vessels. */
  destinations: 256,
  /** Name servers of one node. */
  nameServers: 8,
  /** Nodes that are told where this one is. */
  directories: 16,
  /** Advertisements that a directory holds; past it the address that has put most there loses what expires first. */
  directoryBytes: 16 * 1024 * 1024,
  /** Advertisements in one answer, the newest first. */
  directoryAnswers: 1000,
  directoryAnswerBytes: 4 * 1024 * 1024,
  /** From one advertisement to a directory to the next; after one that failed. A little less by chance. */
  announceEveryMs: 200_000,
  announceRetryMs: 10_000,
  /** For how long a router is asked to keep a port open; half of it later it is asked again. */
  mappingSeconds: 1800,
  /** From one try to the next: at least, however soon a router forgets; and after one that failed. */
  mappingLeastMs: 60_000,
  mappingRetryMs: 300_000,
  /** A router's answers to all questions of one try by one protocol. */
  mappingAnswerMs: 5000,
  /** The router's answers when the node stops and takes its mappings back. */
  mappingFarewellMs: 2000,
  /** Bytes of one answer of a router. */
  mappingAnswerBytes: 256 * 1024,
  /** Bytes of `nodemanager.json`. */
  configBytes: 8 * 1024 * 1024,
  /** Warm vessel processes. */
  poolSize: 10,
  /** From the last start to the making of new warm processes, unless one is waited for. */
  poolRestMs: 1000,
  /** From StartVessel to the program's first statement, the wait for a warm process included. */
  startMs: 20_000,
  /** Waits before another vessel process is tried when one did not become ready: first, longest; doubled in between. */
  poolRetryFirstMs: 200,
  poolRetryLongestMs: 30_000,
  /** Room kept inside the database, so that requests are still answered when the disk is full. */
  databaseReserveBytes: 256 * 1024,
  /** Connections to the metrics at once. */
  metricsConnections: 8,
  /** For a request for the metrics to be complete, and until an idle connection is closed. */
  metricsMs: 10_000,
} as const satisfies Record<string, number>;

export type NodeLimits = Readonly<Record<keyof typeof NODE_LIMITS, number>>;
