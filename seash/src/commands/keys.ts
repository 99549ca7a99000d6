import { keyIdSchema } from '@potluck/protocol';
import { z } from 'zod';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { checkedIdentityName, keyFilesOf, readKeyFiles, writeKeyFiles } from '../keys.ts';
import type { Session } from '../session.ts';
import type { Style } from '../style.ts';

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

export const keyCommands = [genkeys, loadkeys];

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
