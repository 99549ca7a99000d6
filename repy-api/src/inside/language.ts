import { AbortController, AbortSignal } from './abort.ts';
import { atob, btoa } from './base64.ts';
import { structuredClone } from './clone.ts';
import { TextDecoder } from './decoder.ts';
import { ERROR_CLASSES } from './errors.ts';
import { defineHidden, freeze } from './primordials.ts';
import { queueMicrotask } from './tasks.ts';
import { TextEncoder } from './text.ts';

/** What authors of JavaScript expect of every place that it runs in, and that reaches nothing outside. */
const language: Record<string, unknown> = {
  queueMicrotask,
  TextEncoder,
  TextDecoder,
  atob,
  btoa,
  structuredClone,
  AbortController,
  AbortSignal,
};

/** Makes names global, before any program runs. */
export function publish(names: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(names)) {
    freeze(names[name]);
    defineHidden(globalThis, name, names[name]);
  }
}

export function publishLanguage(): void {
  publish(language);
  for (const name of Object.keys(ERROR_CLASSES)) defineHidden(globalThis, name, ERROR_CLASSES[name]);
}
