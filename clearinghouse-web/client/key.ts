import {
  type KeyId,
  keyIdFrom,
  type PrivateJwk,
  type PublicJwk,
  privateJwkSchema,
  type Signer,
} from '@potluck/protocol';
import { PageError } from './errors.ts';

const ED25519 = 'Ed25519';
/** `public/portal.js` deletes it when nobody is logged in, `public/keys.js` fills it when a key is made. */
const DATABASE = 'potluck-keys';
const STORE = 'keys';

/** What is kept: the browser gives the private part to nobody, not to this script either. */
interface KeptKey {
  readonly id: KeyId;
  readonly publicJwk: PublicJwk;
  readonly privateKey: CryptoKey;
}

/**
 * Reads the file of a private key, and keeps the key in this browser.
 * @param account the key that the account has
 * @throws PageError KEY_FILE_BROKEN, WRONG_KEY, NO_CRYPTO
 */
export async function openKey(text: string, account: KeyId): Promise<Signer> {
  requireCrypto();
  const jwk = parseKey(text);
  const id = await keyIdFrom(jwk);
  if (id !== account) {
    throw new PageError(
      'WRONG_KEY',
      `expected the key of your account (${short(account)}), got another (${short(id)})`,
    );
  }
  const kept = await importKey(jwk, id);
  await withStore('readwrite', (store) => store.put(kept));
  return signerOf(kept);
}

/** The key that this browser has of the account. */
export async function keptKey(account: KeyId): Promise<Signer | undefined> {
  const kept = await withStore<KeptKey | undefined>('readonly', (store) => store.get(account));
  return kept === undefined ? undefined : signerOf(kept);
}

/** A key for questions that anybody may ask; nothing keeps it. @throws PageError NO_CRYPTO */
export async function passingKey(): Promise<Signer> {
  requireCrypto();
  const pair = (await crypto.subtle.generateKey(ED25519, false, ['sign', 'verify'])) as CryptoKeyPair;
  const { x = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const publicJwk: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x };
  return signerOf({ id: await keyIdFrom(publicJwk), publicJwk, privateKey: pair.privateKey });
}

export async function forgetKey(account: KeyId): Promise<void> {
  await withStore('readwrite', (store) => store.delete(account));
}

function requireCrypto(): void {
  if (globalThis.crypto?.subtle === undefined) {
    throw new PageError('NO_CRYPTO', 'expected https, got plain http: a browser signs nothing there');
  }
}

function parseKey(text: string): PrivateJwk {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PageError(
      'KEY_FILE_BROKEN',
      'expected the file of a private key such as NAME.private.jwk, got another file',
    );
  }
  const jwk = privateJwkSchema.safeParse(json);
  if (jwk.success) return jwk.data;
  const got = Object.hasOwn(Object(json), 'x') && !Object.hasOwn(Object(json), 'd') ? 'a public one' : 'something else';
  throw new PageError('KEY_FILE_BROKEN', `expected a private Ed25519 key as JWK, got ${got}`);
}

async function importKey(jwk: PrivateJwk, id: KeyId): Promise<KeptKey> {
  const { kty, crv, x, d } = jwk;
  const publicJwk = { kty, crv, x };
  try {
    const privateKey = await crypto.subtle.importKey('jwk', { ...publicJwk, d }, ED25519, false, ['sign']);
    const publicKey = await crypto.subtle.importKey('jwk', publicJwk, ED25519, false, ['verify']);
    const probe = new TextEncoder().encode('probe');
    const signature = await crypto.subtle.sign(ED25519, privateKey, probe);
    if (await crypto.subtle.verify(ED25519, publicKey, signature, probe)) return { id, publicJwk, privateKey };
  } catch (cause) {
    throw new PageError('KEY_FILE_BROKEN', 'expected a key that this browser can sign with, got another', { cause });
  }
  throw new PageError('KEY_FILE_BROKEN', 'expected a matching pair, got a private key with another public key');
}

function signerOf({ id, publicJwk, privateKey }: KeptKey): Signer {
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign(ED25519, privateKey, bytes as Uint8Array<ArrayBuffer>));
  return { id, publicJwk, sign };
}

async function withStore<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: 'id' });
  const database = await settled<IDBDatabase>(opening);
  // Another page of ours may delete it at any time.
  database.onversionchange = () => database.close();
  try {
    return await settled<T>(ask(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

async function settled<T>(request: IDBRequest): Promise<T> {
  return await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function short(id: KeyId): string {
  return `${id.slice(0, 8)}…`;
}
