/// The column of programs in the list of vessels: only a vessel's node knows what runs on it, and tells anybody who asks.
import { type KeyId, keyIdSchema, type VesselInfo } from '@potluck/protocol';
import { byId, sentenceOf } from './dom.ts';
import { keptKey, passingKey } from './key.ts';
import { Nodes } from './nodes.ts';
import { programInWords } from './words.ts';

/** Nodes that are asked at the same time, and in all: each is a connection, of which an account has only so many. */
const AT_ONCE = 6;
const IN_ALL = 24;
/** From one look to the next: at least, and at most when the site says nothing. */
const LEAST_MS = 3000;
const MOST_MS = 10_000;

type Known = ReadonlyMap<string, VesselInfo> | { readonly trouble: string };

/** A node gives more time to the keys that have a vessel on it. */
const account = keyIdSchema.parse(byId('held-vessels').dataset.account);
const nodes = new Nodes((await keptKey(account).catch(() => undefined)) ?? (await passingKey()));
const known = new Map<KeyId, Known>();
let connected = new Set<KeyId>();
let isDue = true;
let wake = (): void => undefined;

function rows(): HTMLTableRowElement[] {
  return [...document.querySelectorAll<HTMLTableRowElement>('#held-rows > tr')];
}

function nodeOf({ dataset }: HTMLTableRowElement): KeyId {
  return keyIdSchema.parse(dataset.node);
}

function show(): void {
  for (const row of rows()) {
    const cell = row.querySelector<HTMLElement>('[data-program]');
    if (cell === null) continue;
    const about = row.dataset.state === 'active' ? known.get(nodeOf(row)) : undefined;
    const { text, more } = wordsOf(about, row.dataset.vessel ?? '');
    if (cell.textContent !== text) cell.textContent = text;
    if (cell.title !== more) cell.title = more;
  }
}

function wordsOf(about: Known | undefined, vessel: string): { text: string; more: string } {
  if (about === undefined) return { text: '–', more: '' };
  if ('trouble' in about) return { text: 'not known', more: about.trouble };
  const info = about.get(vessel);
  return info === undefined ? { text: 'not known', more: 'The node has no such vessel.' } : programInWords(info);
}

/** The first nodes, of those that are there, of which a row is seen. */
function wanted(): KeyId[] {
  const seen = rows().filter(({ hidden, dataset }) => !hidden && dataset.state === 'active');
  return [...new Set(seen.map(nodeOf))].slice(0, IN_ALL);
}

async function look(): Promise<void> {
  const waiting = wanted();
  const together = new Set([...connected, ...waiting]);
  if (together.size > IN_ALL) nodes.close();
  connected = together.size > IN_ALL ? new Set(waiting) : together;
  const ask = async (): Promise<void> => {
    for (let node = waiting.shift(); node !== undefined && !document.hidden; node = waiting.shift()) {
      known.set(node, await toldBy(node));
      show();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
}

async function toldBy(node: KeyId): Promise<Known> {
  try {
    const { vessels } = (await nodes.ask(node, 'GetVessels', {})).result;
    return new Map(vessels.map((vessel) => [vessel.name, vessel]));
  } catch (error) {
    return { trouble: sentenceOf(error) };
  }
}

async function pause(ms: number, isOver: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      if (!isOver()) return;
      clearTimeout(timer);
      resolve();
    };
    wake();
  });
}

// The rows are new when the page was brought up to date.
document.addEventListener('live', () => {
  show();
  isDue = true;
  wake();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) nodes.close();
  isDue = true;
  wake();
});

for (;;) {
  if (!document.hidden) {
    isDue = false;
    await look();
    await pause(LEAST_MS, () => false);
  }
  await pause(MOST_MS, () => isDue && !document.hidden);
}
