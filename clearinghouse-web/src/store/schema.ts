import type { AcquireType, KeyId, VesselName } from '@potluck/protocol';
import type { ColumnType, Generated } from 'kysely';
import type { CreditTables } from './credits.ts';
import type { PatienceColumns, TurnColumns } from './due.ts';

/** An administrator may see and stop everything, and every one of his acts is in the audit log. */
export type Role = 'user' | 'admin';

/** All times are milliseconds since the epoch. */
export interface AccountsTable {
  id: string;
  username: string;
  /** `username` in lower case: two names that look alike are one. */
  username_key: string;
  email: string | null;
  /** Argon2id as a PHC string. */
  password: string;
  /** The user's public key, as its JWK member `x`. */
  public_x: string;
  key_id: KeyId;
  user_port: number | null;
  /** The key that owns what the account donates; only the backend has its private part. */
  donor_key: KeyId | null;
  /** 128 bits in base64url: who has it may download the account's archive. */
  donor_token: string;
  created_at: number;
  role: Generated<Role>;
  /** Since when the account may do nothing. */
  banned_at: ColumnType<number | null, number | null | undefined, number | null>;
  /** Since when it is deleted: the row of nobody, see `closing.ts`. */
  closed_at: ColumnType<number | null, number | null | undefined, number | null>;
}

export interface SessionsTable {
  /** SHA-256 of the cookie's value. */
  token_hash: string;
  account_id: string;
  expires_at: number;
  created_at: number;
  /** To the minute. */
  seen_at: number;
  /** The /24 or /48 that it was begun from. */
  network: string;
  /** The browser that it was begun with, in a few words. */
  agent: string;
}

/** Browsers that have logged in to an account before. */
export interface DevicesTable {
  /** SHA-256 of the cookie's value. */
  token_hash: string;
  account_id: string;
  expires_at: number;
}

/** How often something was tried, until its window ends. */
export interface AttemptsTable {
  key: string;
  count: number;
  until: number;
}

/** API tokens. */
export interface TokensTable {
  id: string;
  account_id: string;
  /** SHA-256 of the secret part. */
  secret_hash: string;
  name: string;
  /** The first characters of the secret part. */
  hint: string;
  /** Separated by spaces. */
  scopes: string;
  created_at: number;
  expires_at: number;
  used_at: ColumnType<number | null, number | null | undefined, number>;
}

/** WebAuthn credentials. */
export interface PasskeysTable {
  /** The credential's id, in base64url. */
  id: string;
  account_id: string;
  name: string;
  /** COSE, in base64url. */
  public_key: string;
  counter: number;
  /** As JSON: how a browser reaches the authenticator. */
  transports: string;
  created_at: number;
  used_at: ColumnType<number | null, number | null | undefined, number>;
}

/**
 * `accepting`: names a donor's key, and is being looked at. `splitting`: what was donated whole is being split.
 * `offered`: its vessels may be had. `broken`: a step has failed too often, or the node does not keep what it said.
 * `gone`: not seen for so long that nobody waits for it. How one becomes the other: `life.ts`.
 */
export type NodeLife = 'accepting' | 'splitting' | 'offered' | 'broken' | 'gone';

export interface NodesTable extends PatienceColumns {
  id: KeyId;
  /** As JSON: every address and relay that it advertised. */
  reach: string;
  /** 1 for a node that has no address of its own and is reached through relays only. */
  relayed: number;
  /** The signed text, as it came. */
  advertisement: string;
  advertised_at: number;
  advertised_until: number;
  /** 1 while a connection of it to a gateway is open, and to which site's. */
  connected: number;
  site_id: ColumnType<number | null, number | null | undefined, number | null>;
  /** The network and the country that its connection comes from; null while nobody has proved them. */
  network: string | null;
  country: string | null;
  /** As JSON: what its operator calls it. */
  labels: Generated<string>;
  first_seen: number;
  last_seen: number;
  /** Null for a node that donates nothing. */
  life: ColumnType<NodeLife | null, NodeLife | null | undefined, NodeLife | null>;
  life_since: ColumnType<number, number | undefined, number>;
  /** What brought it there, for the operator. */
  life_reason: ColumnType<string | null, string | null | undefined, string | null>;
  /** 1: the operator wants it to be empty, and nobody gets anything on it. */
  draining: ColumnType<number, number | undefined, number>;
  /** When it is to be looked at again. */
  inspect_at: ColumnType<number, number | undefined, number>;
}

/** Which keys a node's current advertisement names. */
export interface NodeKeysTable {
  node_id: KeyId;
  key_id: KeyId;
}

export interface DonationsTable {
  node_id: KeyId;
  account_id: string;
  created_at: number;
  /** Credits that it gives now, as the ledger has them. */
  credited: Generated<number>;
}

/**
 * `free` -> `reserved` (an acquisition is under way) -> `leased` -> `cleaning` -> `free`. Whoever holds it holds it until
 * `expires_at`; `fence` grows with every change of holder, and who acts on a vessel names the fence that he was given.
 */
export type LeaseState = 'free' | 'reserved' | 'leased' | 'cleaning';

export interface VesselsTable {
  node_id: KeyId;
  name: VesselName;
  owner: KeyId;
  restrictions: string;
  state: LeaseState;
  fence: number;
  account_id: string | null;
  attempt: string | null;
  expires_at: number | null;
  /** Random, see `offers.ts`. */
  lot: Generated<number>;
}

/** Ports that a vessel owns for both UDP and TCP. */
export interface VesselPortsTable {
  node_id: KeyId;
  name: VesselName;
  port: number;
  /** Random, see `offers.ts`. */
  lot: Generated<number>;
}

/** What a donated machine gave its donor on one day; `day` is its beginning in UTC. */
interface ContributionsTable {
  account_id: string;
  /** Kept when the node is forgotten. */
  node_id: KeyId;
  day: number;
  online_ms: number;
  /** Of each vessel that was leased. */
  lent_ms: number;
}

/** How the whole was at one time. */
interface PulsesTable {
  at: number;
  nodes: number;
  vessels: number;
  free: number;
  /** 1 when the backend took tasks. */
  backend: number;
}

export type TaskState = 'waiting' | 'claimed' | 'done' | 'failed';

export interface TasksTable extends TurnColumns {
  id: Generated<number>;
  kind: string;
  /** What it works on; tasks on one subject never run at once. */
  subject: string;
  node_id: KeyId | null;
  payload: string;
  state: TaskState;
  attempts: ColumnType<number, number | undefined, number>;
  run_at: number;
  /** The fencing token of the claim: a result is taken only under it. */
  token: string | null;
  claimed_until: number | null;
  error: string | null;
  /** The code of that error, and what the node measured where that was too far. */
  cause: ColumnType<string | null, string | null | undefined, string | null>;
  measured_ms: ColumnType<number | null, number | null | undefined, number | null>;
  created_at: number;
  ended_at: number | null;
}

/** Signed requests that were carried out, until they have expired. */
export interface NoncesTable {
  key_id: KeyId | 'passkey';
  nonce: string;
  expires_at: number;
}

/** An acquisition that its caller has named, so that asking again gives the same vessels. */
export interface AcquisitionsTable {
  account_id: string;
  /** The caller's name for it. */
  key: string;
  attempt: string;
  count: number;
  type: AcquireType;
  /** As JSON, in the order in which they were given. */
  rules: Generated<string>;
  /** 1 when all vessels were leased. */
  done: number;
  expires_at: number;
}

/** Who did what to what: only ever added to. */
export interface AuditTable {
  /** In order of time. */
  id: string;
  at: number;
  actor: string;
  action: string;
  subject: string;
  /** JSON */
  details: string;
}

/** What the operator has switched off or on for the whole site; without a row it is as always. */
export interface SwitchesTable {
  name: 'emergency-stop';
  since: number;
  actor: string;
  reason: string;
}

/** Processes that run the site; one that has died stops moving its `expires_at` on. */
export interface SitesTable {
  id: Generated<number>;
  /** Where other sites reach its gateway. */
  link_host: string | null;
  link_port: number | null;
  started_at: number;
  expires_at: number;
}

/** One row: the key that nodes know the gateway by. */
export interface GatewayTable {
  id: number;
  key_id: KeyId;
  /** Of the database of the donors' keys; null until a backend has shown one. */
  keys_id: ColumnType<string | null, string | null | undefined, string | null>;
}

export interface Tables extends CreditTables {
  contributions: ContributionsTable;
  pulses: PulsesTable;
  sites: SitesTable;
  gateway: GatewayTable;
  accounts: AccountsTable;
  sessions: SessionsTable;
  devices: DevicesTable;
  attempts: AttemptsTable;
  tokens: TokensTable;
  passkeys: PasskeysTable;
  nodes: NodesTable;
  node_keys: NodeKeysTable;
  donations: DonationsTable;
  vessels: VesselsTable;
  vessel_ports: VesselPortsTable;
  tasks: TasksTable;
  nonces: NoncesTable;
  acquisitions: AcquisitionsTable;
  audit: AuditTable;
  switches: SwitchesTable;
}
