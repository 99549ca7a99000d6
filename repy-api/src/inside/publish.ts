import { lineOf } from './inspect.ts';
import { publish } from './language.ts';
import { URLSearchParams } from './params.ts';
import { defineHidden } from './primordials.ts';
import { crypto } from './random.ts';
import { clearTimeout, setInterval, setTimeout } from './time.ts';
import { URL } from './url.ts';

/** Of what JavaScript has everywhere, what needs the host. */
const web: Record<string, unknown> = {
  setTimeout,
  setInterval,
  clearTimeout,
  clearInterval: clearTimeout,
  crypto,
  URL,
  URLSearchParams,
};

/** What every program has beside the calls of the API. */
export function publishProgram(write: (text: string) => unknown, callargs: readonly string[]): void {
  publish(web);
  const writeLine = (...values: unknown[]) => {
    write(`${lineOf(values)}\n`);
  };
  defineHidden(globalThis, 'console', { log: writeLine, info: writeLine, warn: writeLine, error: writeLine });
  // A layer has one.
  defineHidden(globalThis, 'layer', undefined);
  defineHidden(globalThis, 'mycontext', {});
  defineHidden(globalThis, 'callfunc', 'initialize');
  defineHidden(globalThis, 'callargs', callargs);
}
