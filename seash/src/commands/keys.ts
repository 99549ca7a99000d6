import {
  type KeyId,
  keyIdOf,
  keyIdSchema,
  loadIdentity,
  loadPublicKey,
  publicJwkSchema,
  signKeyProof,
} from '@potluck/protocol';
import { z } from 'zod';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { checkedIdentityName, keyFilesOf, readKeyFiles, writeKeyFiles } from '../keys.ts';
import type { Session } from '../session.ts';
import { type Style, table } from '../style.ts';

const result = z.object({ identity: z.string(), key: keyIdSchema, files: z.array(z.string()), isDefault: z.boolean() });

const slots = [
  { name: 'FILE', kind: 'keys' },
  { name: 'NAME', kind: 'text', after: 'as', optional: true },
] as const;

const genkeys = command({
  name: 'genkeys',
  summary: 'Make a new pair of keys, in FILE.private.jwk and FILE.public.jwk; load it.',
  slots,
  example: 'genkeys alice',
  result,
  run: async ({ session }, { FILE, NAME }) => {
    const { files, name } = placeOf(session, FILE, NAME);
    session.addIdentity(name, await writeKeyFiles(files));
    return loaded(session, name, [files.privatePath, files.publicPath]);
  },
  render: ({ files, ...rest }, style) => `Wrote ${files.join(' and ')}.\n${renderLoaded(rest, style)}`,
});

const loadkeys = command({
  name: 'loadkeys',
  summary: 'Load the pair of keys in FILE.private.jwk and FILE.public.jwk.',
  slots,
  example: 'loadkeys alice',
  result,
  run: async ({ session }, { FILE, NAME }) => {
    const { files, name } = placeOf(session, FILE, NAME);
    session.addIdentity(name, await readKeyFiles(files));
    return loaded(session, name, [files.privatePath]);
  },
  render: renderLoaded,
});

const loadpub = command({
  name: 'loadpub',
  summary: 'Load the public key in FILE.public.jwk alone, of one who may own or use vessels.',
  slots,
  example: 'loadpub bob',
  result: result.omit({ isDefault: true }),
  run: async ({ session }, { FILE, NAME }) => {
    const { files, name } = placeOf(session, FILE, NAME);
    const publicJwk = await loadPublicKey(files.publicPath);
    const key = keyIdOf(publicJwk);
    checkPair(name, session.identities.get(name)?.id, key);
    if (!session.identities.has(name)) session.publicKeys.set(name, publicJwk);
    return { identity: name, key, files: [files.publicPath] };
  },
  render: ({ identity, key }, style) => {
    return `Loaded the public key of ${style.strong(identity)}, key ${key}, for "set users" and "set owner".`;
  },
});

const loadpriv = command({
  name: 'loadpriv',
  summary: 'Load the private key in FILE.private.jwk without looking for its public one.',
  slots,
  example: 'loadpriv alice',
  result,
  run: async ({ session }, { FILE, NAME }) => {
    const { files, name } = placeOf(session, FILE, NAME);
    const identity = await loadIdentity(files.privatePath);
    const known = session.publicKeys.get(name);
    checkPair(name, known && keyIdOf(known), identity.id);
    session.addIdentity(name, identity);
    return loaded(session, name, [files.privatePath]);
  },
  render: renderLoaded,
});

const showKeys = command({
  name: 'show keys',
  summary: 'Show the keys that are loaded, with their public parts.',
  slots: [],
  example: 'show keys',
  result: z.object({
    keys: z.array(z.object({ name: z.string(), key: keyIdSchema, private: z.boolean(), jwk: publicJwkSchema })),
  }),
  run: async ({ session }) => {
    const pairs = [...session.identities].map(([name, { publicJwk }]) => ({ name, private: true, jwk: publicJwk }));
    const others = [...session.publicKeys].map(([name, jwk]) => ({ name, private: false, jwk }));
    return { keys: [...pairs, ...others].map((row) => ({ ...row, key: keyIdOf(row.jwk) })) };
  },
  render: ({ keys }, style) => {
    if (keys.length === 0) return 'No key is loaded: say "loadkeys NAME", "loadpub NAME" or "genkeys NAME".';
    const rows = keys.map((row) => [row.name, row.private ? 'both' : 'public', row.key, JSON.stringify(row.jwk)]);
    return table(['Name', 'Parts', 'Key', 'Public part'], rows, style);
  },
});

const provekey = command({
  name: 'provekey',
  summary: 'Print a line by which your account at the clearinghouse takes the default identity’s key: paste it there.',
  slots: [{ name: 'USERNAME', kind: 'text' }],
  example: 'provekey alice',
  result: z.object({ key: keyIdSchema, clearinghouse: z.string(), account: z.string(), proof: z.string() }),
  run: async ({ clearinghouse, identity }, { USERNAME: account }) => {
    const audience = clearinghouse.href.replace(/\/$/, '');
    const proof = await signKeyProof(identity, { audience, subject: account });
    return { key: identity.id, clearinghouse: audience, account, proof };
  },
  render: ({ proof }) => proof,
});

export const keyCommands = [genkeys, loadkeys, loadpub, loadpriv, showKeys, provekey];

/** @throws CommandError BAD_KEY: the two parts of a pair are not of one */
function checkPair(name: string, known: KeyId | undefined, found: KeyId): void {
  if (known === undefined || known === found) return;
  throw new CommandError('BAD_KEY', `expected the other part of ${name}, key ${known}, got one of key ${found}`);
}

function placeOf(session: Session, file: string, name: string | undefined) {
  const files = keyFilesOf(session.path(file));
  if (file === '' || file.endsWith('/')) {
    throw new CommandError('BAD_NAME', `expected the name of a key file, such as alice, got "${file}"`);
  }
  return { files, name: checkedIdentityName(name ?? files.name) };
}

function loaded(session: Session, name: string, files: string[]): z.infer<typeof result> {
  return { identity: name, key: session.identity(name).id, files, isDefault: session.identityName === name };
}

function renderLoaded(
  { identity, key, isDefault }: Pick<z.infer<typeof result>, 'identity' | 'key' | 'isDefault'>,
  style: Style,
): string {
  const next = isDefault ? `; commands are signed by ${identity}` : `: say "as ${identity}" to sign commands by it`;
  return `Loaded ${style.strong(identity)}, key ${key}${next}.`;
}
