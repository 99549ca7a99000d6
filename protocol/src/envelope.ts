import { z } from 'zod';
import { digest, fromBase64url, newNonce } from '#platform';
import { describeIssues, PeerError, REQUEST_CODES, type RequestCode, RequestError } from './errors.ts';
import { type KeyId, keyIdSchema, type Signer } from './keys.ts';
import { LIMITS } from './limits.ts';
import type { Message } from './message.ts';
import type { ReplayStore } from './replay.ts';
import { placeSchema, type Reply, type RowPlace } from './row.ts';
import { openSigned, signJson } from './signed.ts';

/**
 * The signed envelope of requests and replies: a JWS (RFC 7515, EdDSA by RFC 8037) whose protected header carries the
 * signer's public key and whose payload says what, to whom, until when, once.
 */
export const sha256Schema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
export const nonceSchema = z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'expected a nonce of 16 bytes in base64url');

const requestSchema = z.strictObject({
  method: z.string().max(64),
  params: z.unknown(),
  /** The node that is asked; another node refuses. */
  node: keyIdSchema,
  /** Seconds since the epoch. */
  iat: z.number(),
  exp: z.number(),
  nonce: nonceSchema,
  /** SHA-256 of the attachment, also when it is empty. */
  sha256: sha256Schema,
});

/** What a request that is not checked yet claims. */
const claimSchema = z.object({ nonce: nonceSchema });

const replySchema = z.strictObject({
  /** The nonce of the request that this answers. */
  re: nonceSchema,
  /** Of requests that get more than one reply. */
  place: placeSchema.optional(),
  result: z.unknown().optional(),
  error: z
    .strictObject({
      code: z.enum(REQUEST_CODES),
      message: z.string().max(4096),
      details: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
  sha256: sha256Schema,
});

export interface RequestInit {
  readonly method: string;
  readonly params: unknown;
  readonly node: KeyId;
  readonly attachment?: Uint8Array;
  readonly lifetimeSeconds?: number;
}

/** A request whose signature, destination, life time, nonce and attachment have been checked. */
export interface VerifiedRequest {
  readonly method: string;
  readonly params: unknown;
  readonly nonce: string;
  /** The key that signed it. */
  readonly signer: KeyId;
  readonly attachment: Uint8Array;
  /** To be called once, before the request is carried out. @throws RequestError REPLAYED */
  claim(): Promise<void>;
}

const TYPE = { request: 'potluck-request', reply: 'potluck-reply' } as const;

/** @returns the message and the nonce that its reply must name. */
export async function signRequest(signer: Signer, init: RequestInit): Promise<{ message: Message; nonce: string }> {
  const attachment = init.attachment ?? new Uint8Array();
  const iat = Math.floor(Date.now() / 1000);
  const nonce = newNonce();
  const payload: z.infer<typeof requestSchema> = {
    method: init.method,
    params: init.params,
    node: init.node,
    iat,
    exp: iat + (init.lifetimeSeconds ?? LIMITS.requestLifetimeSeconds / 2),
    nonce,
    sha256: await digest(attachment),
  };
  return { message: { envelope: await signJson(signer, TYPE.request, payload), attachment }, nonce };
}

/**
 * The order is: signature, shape, destination, life time, attachment. The nonce is taken by `claim`, when all else that
 * could refuse the request is looked at: so nobody uses up a nonce, or the disk that remembers it, with what is refused.
 * @param nowSeconds seconds since the epoch.
 * @throws RequestError BAD_SIGNATURE, BAD_MESSAGE, WRONG_NODE, EXPIRED, BAD_ATTACHMENT
 */
export async function verifyRequest(
  message: Message,
  context: { node: KeyId; replays: ReplayStore; nowSeconds: number },
): Promise<VerifiedRequest> {
  const { payload, signer } = await openAs(message.envelope, TYPE.request, requestSchema);
  if (payload.node !== context.node) {
    throw new RequestError('WRONG_NODE', `expected a request for node ${context.node}, got one for ${payload.node}`);
  }
  checkLifetime(payload, context.nowSeconds);
  await checkAttachment(message.attachment, payload.sha256);
  const claim = async (): Promise<void> => {
    if (await context.replays.claim(payload.nonce, payload.exp + LIMITS.clockSkewSeconds)) return;
    throw new RequestError('REPLAYED', 'expected a request that was not seen before, got one again');
  };
  const { method, params, nonce } = payload;
  return { method, params, nonce, signer, attachment: message.attachment, claim };
}

/**
 * The nonce that a request claims to have, to answer a refusal under; nothing about the request is checked.
 * @returns undefined when there is none, so that nobody could tell what a reply is about.
 */
export function nonceOf({ envelope }: Message): string | undefined {
  const [, payload] = envelope.split('.');
  if (payload === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(fromBase64url(payload)));
    return claimSchema.safeParse(json).data?.nonce;
  } catch {
    return undefined;
  }
}

/** What a node says to a request, and where that stands if the request gets more than one reply. */
export interface Outcome {
  readonly outcome: Reply | RequestError;
  readonly place?: RowPlace | undefined;
}

/** @param re the nonce of the request that is answered. */
export async function signReply(signer: Signer, re: string, { outcome, place }: Outcome): Promise<Message> {
  const failed = outcome instanceof RequestError;
  const attachment = failed ? new Uint8Array() : outcome.attachment;
  const body = failed
    ? { error: { code: outcome.code, message: outcome.message.slice(0, 4096), details: outcome.details } }
    : { result: outcome.result };
  return {
    envelope: await signJson(signer, TYPE.reply, { re, place, ...body, sha256: await digest(attachment) }),
    attachment,
  };
}

/**
 * @returns the nonce that the reply answers, its outcome and its place.
 * @throws PeerError BAD_REPLY, WRONG_IDENTITY
 */
export async function verifyReply(message: Message, node: KeyId): Promise<Outcome & { re: string }> {
  const { payload, signer } = await openAs(message.envelope, TYPE.reply, replySchema).catch((cause: unknown) => {
    throw new PeerError('BAD_REPLY', 'expected a reply signed by the node, got something else', { cause });
  });
  if (signer !== node) {
    throw new PeerError('WRONG_IDENTITY', `expected a reply signed by node ${node}, got one by ${signer}`);
  }
  if ((await digest(message.attachment)) !== payload.sha256) {
    throw new PeerError('BAD_REPLY', 'expected the attached bytes that the node signed, got others');
  }
  return { re: payload.re, place: payload.place, outcome: outcomeOf(payload, message.attachment) };
}

function outcomeOf(payload: z.infer<typeof replySchema>, attachment: Uint8Array): Reply | RequestError {
  if (payload.error === undefined) return { result: payload.result, attachment };
  const { code, message, details } = payload.error;
  return new RequestError(code satisfies RequestCode, message, details === undefined ? {} : { details });
}

export async function openAs<T>(
  envelope: string,
  typ: string,
  schema: z.ZodType<T>,
): Promise<{ payload: T; signer: KeyId }> {
  const signed = await openSigned(envelope).catch((cause: unknown) => {
    throw new RequestError('BAD_SIGNATURE', 'expected an envelope with a valid EdDSA signature, got another', {
      cause,
    });
  });
  if (signed.typ !== typ) throw new RequestError('BAD_SIGNATURE', `expected a ${typ} signed by an Ed25519 key`);
  return { payload: parsePayload(signed.payload, schema), signer: signed.signer };
}

function parsePayload<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RequestError('BAD_MESSAGE', 'expected a payload in JSON, got something else', { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RequestError('BAD_MESSAGE', `expected another payload: ${describeIssues(parsed.error.issues)}`);
}

export function checkLifetime({ iat, exp }: { iat: number; exp: number }, nowSeconds: number): void {
  const skew = LIMITS.clockSkewSeconds;
  if (exp - iat > LIMITS.requestLifetimeSeconds || exp < iat) {
    throw new RequestError(
      'EXPIRED',
      `expected a life of at most ${LIMITS.requestLifetimeSeconds} s, got ${exp - iat} s`,
    );
  }
  if (exp + skew < nowSeconds) {
    const late = Math.round(nowSeconds - exp);
    throw new RequestError(
      'EXPIRED',
      `expected a request that is still valid, got one that expired ${late} s ago: check both clocks`,
    );
  }
  if (iat - skew > nowSeconds) {
    const early = Math.round(iat - nowSeconds);
    throw new RequestError('EXPIRED', `expected a request of now, got one of ${early} s ahead: check both clocks`);
  }
}

async function checkAttachment(attachment: Uint8Array, expected: string): Promise<void> {
  if ((await digest(attachment)) === expected) return;
  throw new RequestError('BAD_ATTACHMENT', 'expected the attached bytes that were signed, got others');
}
