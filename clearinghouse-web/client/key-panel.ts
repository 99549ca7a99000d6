import { keyIdSchema, type Signer } from '@potluck/protocol';
import { byId, say, sentenceOf } from './dom.ts';
import { forgetKey, keptKey, openKey } from './key.ts';

/** The part of a page in which the account's key is opened and forgotten. @param onKey called with each change */
export async function keyPanel(onKey: (signer: Signer | undefined) => void): Promise<void> {
  const account = keyIdSchema.parse(byId('key').dataset.key);
  const file = byId<HTMLInputElement>('key-file');
  const trouble = byId('key-trouble');
  const show = (signer: Signer | undefined): void => {
    byId('key-closed').hidden = signer !== undefined;
    byId('key-open').hidden = signer === undefined;
    say(byId('key-state'), signer === undefined ? 'Closed. Open it to see and run what is on your vessels.' : 'Open.');
    onKey(signer);
  };
  file.addEventListener('change', async () => {
    const [chosen] = file.files ?? [];
    if (chosen === undefined) return;
    say(trouble, '');
    try {
      show(await openKey(await chosen.slice(0, 10_000).text(), account));
    } catch (error) {
      say(trouble, sentenceOf(error));
    }
    file.value = ''; // So that the same file can be chosen again.
  });
  byId('key-forget').addEventListener('click', async () => {
    await forgetKey(account);
    show(undefined);
    file.focus();
  });
  show(await keptKey(account).catch(() => undefined));
}
