import type { Failure } from './bulk.ts';
import { count, enumerate, type Style } from './style.ts';

/** `Stopped on 2 vessels: a and b.`; nothing for no vessel. @param on where what is done is done to the vessels: nothing */
export function affectedText(what: string, vessels: readonly { name: string }[], on = ' on'): string {
  if (vessels.length === 0) return '';
  const names = enumerate(vessels.map(({ name }) => name));
  return `${what}${on} ${count(vessels.length, 'vessel')}: ${names}.`;
}

/** One line for each reason, with the vessels or nodes that it hit. */
export function failureText(failures: readonly Failure[], style: Style): string {
  const lines = failures.map(({ message, affected }) => {
    return `${style.bad('Failed:')} ${message.replace(/\.$/, '')}. Affected: ${enumerate(affected)}.`;
  });
  return lines.join('\n');
}
