import { CALL_LIMITS } from '../ops.ts';
import { beforeCalls, forgiven, sendTogether } from './bridge.ts';
import { isBytes, lengthOf, toBinary } from './data.ts';
import { charCodeAt, fromCharCode, promiseThen, SafePromise, table } from './primordials.ts';

/** What waits is handed to the host at these counts, too. */
const MOST_MESSAGES = 32;
const MOST_LENGTH = 128 * 1024;

type Long = (given: unknown[]) => Promise<number>;

interface Item {
  readonly given: unknown[];
  promise: Promise<number>;
  resolve: (bytes: unknown) => void;
  reject: (error: unknown) => void;
}

let open = false;
let heads = '';
let texts = '';
let count = 0;
let items = table<Item>();
let sendLong: Long = () => new SafePromise(() => {});

/** @param long sends what cannot go the short way. */
export function connectOutbox(long: Long): void {
  sendLong = long;
}

/** From now on messages wait for `closeOutbox`, for any other call of the host, or for enough of their kind. */
export function openOutbox(): void {
  open = true;
  beforeCalls(flush);
}

export function closeOutbox(): void {
  open = false;
  beforeCalls(undefined);
  flush();
}

/** @returns undefined when it is not taken: no outbox is open, or the long way has to say what is wrong. */
export function collect(route: number, given: unknown[]): Promise<number> | undefined {
  const data = given[2];
  const binary = typeof data !== 'string';
  if (!open || (binary && !isBytes(data))) return undefined;
  const length = binary ? lengthOf(data) : data.length;
  if (length > CALL_LIMITS.messageBytes) return undefined;
  heads += fromCharCode(route, route / 2 ** 16, route / 2 ** 32, binary ? 1 : 0, length);
  texts += binary ? toBinary(data) : data;
  const item = { given } as Item;
  item.promise = new SafePromise<number>((resolve, reject) => {
    item.resolve = resolve as Item['resolve'];
    item.reject = reject;
  });
  items[count] = item;
  count += 1;
  if (count >= MOST_MESSAGES || texts.length >= MOST_LENGTH) flush();
  return item.promise;
}

/** What the host does not take goes the long way, in its order: it waits, or is told what is wrong. */
function flush(): void {
  if (count === 0) return;
  const waiting = items;
  const last = count;
  const sent = sendTogether(heads, texts);
  items = table<Item>();
  count = 0;
  heads = '';
  texts = '';
  for (let at = 0; at < last; at++) {
    const item = waiting[at] as Item;
    if (at < sent.length) item.resolve(charCodeAt(sent, at));
    else promiseThen(sendLong(item.given), item.resolve, forgiving(item));
  }
}

/** Nobody has to await what became of a message. */
function forgiving({ promise, reject }: Item): Item['reject'] {
  forgiven(promise);
  return reject;
}
