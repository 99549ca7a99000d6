import { argumentError } from './errors.ts';
import { DONE, type Letter, letter, type Port, put, STEP, THROWN, type Word, wordAt } from './letter.ts';
import { pack, packOne, packThrown } from './pack.ts';
import { apply, SafeRangeError } from './primordials.ts';
import { unpack, unpackOne } from './unpack.ts';

let inbox: Letter = letter();

/** Where words and answers for this realm are put. */
function receive(step: number, word?: Word): number {
  if (step === STEP.begin) inbox = letter();
  else put(inbox, word);
  return DONE;
}

function send(to: Port, words: Letter): void {
  to(STEP.begin);
  for (let index = 0; index < words.length; index++) to(STEP.put, wordAt(words, index));
}

/** @returns undefined for a letter that cannot be read: what was thrown then may be another realm's, and nobody gets it */
function received(): unknown[] | undefined {
  try {
    return unpack(inbox);
  } catch {
    return undefined;
  }
}

function refuseTorn(): never {
  throw argumentError('values that can be passed on', undefined);
}

/** A port to something of this realm. What it runs may throw what it likes: it goes back as a letter. */
export function portOf(run: (...args: unknown[]) => unknown): Port {
  return (step, word) => {
    if (step !== STEP.call) return receive(step, word);
    const given = received();
    let answer: Letter;
    let status: number = DONE;
    try {
      answer = packOne(given === undefined ? refuseTorn() : apply(run, undefined, given));
    } catch (error) {
      answer = packThrown(error);
      status = THROWN;
    }
    send(word as Port, answer);
    return status;
  };
}

/** Calls what is behind another realm's port. @throws what it threw, made anew here */
export function callPort(port: Port, args: unknown[]): unknown {
  const words = pack(args);
  let status: number;
  let answer: Letter;
  try {
    send(port, words);
    status = port(STEP.call, receive);
    answer = inbox;
  } catch {
    // Only the engine throws here, and what it throws is of another realm: nobody looks at it.
    throw new SafeRangeError('expected room for one more call within the others, got none');
  }
  const value = unpackOne(answer);
  if (status === THROWN) throw value;
  return value;
}
