import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { PeerError } from './errors.ts';
import type { Identity } from './identity.ts';
import type { KeyId } from './keys.ts';
import { LIMITS } from './limits.ts';
import { type Address, addressText } from './reach.ts';
import { RELAY_REFUSALS } from './refusals.ts';
import { peerKeyOf, tlsOptionsOf } from './tls.ts';

export interface PinnedSocketInit {
  readonly address: Address;
  readonly path?: string;
  /**
   * Which numeric addresses may be dialled, all unless given. A name is looked up once: what is dialled is what was
   * judged. Of no meaning with a `carrier`.
   */
  readonly permits?: Permits | undefined;
  /** Which of this machine's addresses to dial from; the system's choice unless given. */
  readonly from?: string | undefined;
  /** Carries the TLS in the place of a connection to the address. */
  readonly carrier?: Duplex;
  /** Whose key is proved to the other side. */
  readonly identity?: Identity | undefined;
  /** The key the other side must prove; without it, any Ed25519 key is taken and returned. */
  readonly key?: KeyId | undefined;
  readonly maxPayloadBytes: number;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type Permits = (address: string) => boolean;

export interface PinnedSocket {
  readonly socket: WebSocket;
  /** The key that was proved. */
  readonly key: KeyId;
  /** The TLS connection under it. */
  readonly stream: Duplex;
}

/** The pin replaces the authorities. */
const PINNED = { rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;

/**
 * Opens a WebSocket over TLS 1.3 to a server whose certificate is pinned to its key.
 * @throws PeerError UNREACHABLE, TIMEOUT, WRONG_IDENTITY
 */
export async function openPinnedSocket(init: PinnedSocketInit): Promise<PinnedSocket> {
  // Not written at the call, since the types of `ws` do not know `closeTimeout` yet.
  const { address, path = '/', carrier, identity, from, permits } = init;
  if (carrier === undefined && isIP(address.host) !== 0 && permits?.(address.host) === false) throw forbidden(address);
  const options = {
    ...(identity === undefined ? {} : await tlsOptionsOf(identity)),
    ...(carrier === undefined ? {} : { createConnection: () => connect({ socket: carrier, ...PINNED }) }),
    ...(from === undefined ? {} : { localAddress: from }),
    ...(permits === undefined ? {} : { lookup: permittedOf(address, permits) }),
    ...PINNED,
    maxPayload: init.maxPayloadBytes,
    perMessageDeflate: false,
    closeTimeout: LIMITS.farewellMs,
  } as const;
  const socket = new WebSocket(`wss://${addressText(address)}${path}`, options);
  const abort = (): void => socket.terminate();
  init.signal?.addEventListener('abort', abort, { once: true });
  try {
    const key = pinned(socket, init);
    if (init.signal?.aborted) abort(); // Before us: the event will not come.
    return { socket, ...(await key) };
  } catch (error) {
    socket.on('error', () => undefined);
    socket.terminate();
    throw error;
  } finally {
    init.signal?.removeEventListener('abort', abort);
  }
}

async function pinned(socket: WebSocket, init: PinnedSocketInit): Promise<Omit<PinnedSocket, 'socket'>> {
  const where = addressText(init.address);
  const { promise, resolve, reject } = Promise.withResolvers<Omit<PinnedSocket, 'socket'>>();
  const timeoutMs = init.connectTimeoutMs ?? LIMITS.connectTimeoutMs;
  // `ws` only counts the time of silence: a server that sends a byte now and then would be waited for without end.
  const timer = setTimeout(() => reject(new PeerError('TIMEOUT', `no answer from ${where} in time`)), timeoutMs);
  let stream: TLSSocket | undefined;
  socket.once('upgrade', (response) => {
    stream = response.socket as TLSSocket;
  });
  socket.once('open', () => {
    const key = stream && peerKeyOf(stream);
    const isWanted = init.key === undefined || init.key === key;
    if (stream !== undefined && key !== undefined && isWanted) return resolve({ key, stream });
    const got = key ?? 'a certificate without an Ed25519 key';
    reject(new PeerError('WRONG_IDENTITY', `expected key ${init.key ?? 'of type Ed25519'} at ${where}, got ${got}`));
  });
  socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
    const why = RELAY_REFUSALS[statusCode] ?? `it answered with HTTP status ${statusCode}`;
    const message = `expected ${where} to take the connection, got a refusal: ${why}`;
    reject(new PeerError('UNREACHABLE', message, { details: { refusal: why } }));
  });
  socket.once('error', (cause: NodeJS.ErrnoException) => {
    reject(
      cause instanceof PeerError ? cause : new PeerError('UNREACHABLE', `nobody can be reached at ${where}`, { cause }),
    );
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Looks names up as the system does, and leaves out what may not be dialled. */
function permittedOf(address: Address, permits: Permits): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, all) => {
      if (error !== null) return done(error, []);
      const found = all.filter((one) => permits(one.address));
      const [first] = found;
      if (first === undefined) done(forbidden(address), []);
      else if (options.all) done(null, found);
      else done(null, first.address, first.family);
    });
  };
}

/** Where a name leads is not said: who chose it may be feeling his way through our network. */
function forbidden(address: Address): PeerError {
  return new PeerError(
    'UNREACHABLE',
    `expected an address that may be dialled at ${addressText(address)}, got another`,
  );
}
