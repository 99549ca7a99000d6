import { describeError } from '@potluck/protocol';
import { PageError } from './errors.ts';

/** @throws PageError BAD_PAGE: the page and its script do not belong together. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new PageError('BAD_PAGE', `expected an element "${id}" in the page, got none`);
  return element as T;
}

type Properties<K extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[K], 'style' | 'attributes'>
> & {
  readonly attributes?: Readonly<Record<string, string>>;
};

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { attributes = {}, ...properties }: Properties<K> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An error's words as a page says them: with a capital and a full stop. */
export function sentenceOf(error: unknown): string {
  const text = describeError(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Says it in an element that is hidden while there is nothing to say. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === '';
}

/** Asks by the page's dialog. */
export async function confirmed(question: string, yesWord: string): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('confirm');
  const yes = dialog.querySelector<HTMLButtonElement>('[data-answer="yes"]');
  byId('confirm-text').textContent = question;
  if (yes !== null) yes.textContent = yesWord;
  dialog.showModal();
  return await new Promise((resolve) => {
    const over = new AbortController();
    const answer = (value: boolean) => (): void => {
      over.abort();
      resolve(value);
    };
    yes?.addEventListener('click', answer(true), { signal: over.signal });
    dialog.addEventListener('close', answer(false), { signal: over.signal });
  });
}

/** Gives a file to the person in front of the page. */
export function offerFile(name: string, bytes: BlobPart): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export async function copyText(text: string): Promise<boolean> {
  return await navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

/** Lets a button be pressed again when what it began is over. */
export function onPress(button: HTMLButtonElement, task: () => Promise<void>): void {
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.setAttribute('aria-busy', 'true');
    try {
      await task();
    } finally {
      button.disabled = false;
      button.removeAttribute('aria-busy');
    }
  });
}
