import type { Failure } from './bulk.ts';
import { changeText, type DeployEvent } from './deploy/words.ts';
import type { ProblemEvent } from './program.ts';
import type { CommandEvent } from './session.ts';
import { count, enumerate, type Style, visible, visibleAll } from './style.ts';

/** `Stopped on 2 vessels: a and b.`; nothing for no vessel. @param on where what is done is done to the vessels: nothing */
export function affectedText(what: string, vessels: readonly { name: string }[], on = ' on'): string {
  if (vessels.length === 0) return '';
  const names = enumerate(vessels.map(({ name }) => name));
  return `${what}${on} ${count(vessels.length, 'vessel')}: ${names}.`;
}

/** What a command says before its result, for people: a vessel's name stands before each line of its log. */
export function eventText(event: CommandEvent, style: Style): string {
  if (event.event === 'problem') return problemText(event, style);
  if (event.event === 'change' || event.event === 'trouble') return deployText(event, style);
  const name = style.tint(Number(event.id.slice(1)), visible(event.name));
  switch (event.event) {
    case 'line':
      return `${name} ${visible(event.line)}`;
    case 'dropped':
      return `${name} ${style.warning(`(${event.droppedBytes} bytes are gone here)`)}`;
    case 'ended':
      return `${name} ${style.faint(`(${event.state}${event.ending === undefined ? '' : `: ${visible(event.ending.message)}`})`)}`;
  }
}

function problemText(problem: ProblemEvent, style: Style): string {
  const { severity, file, line, column, message, excerpt } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const sentence = `${visible(place)}: ${severity}: ${visible(message)}`;
  const painted = severity === 'error' ? style.bad(sentence) : style.warning(sentence);
  return line === 0 ? painted : `${painted}\n${visible(excerpt)}`;
}

/** That programs go on which are no longer followed. */
export function interruptedText(
  vessels: readonly { name: string; state?: string | undefined }[],
  interrupted = false,
): string {
  const going = vessels.filter(({ state }) => state === 'Started');
  if (!interrupted || going.length === 0) return '';
  return `Follows no longer; the programs go on: say "stop" to end them. ${affectedText('They run', going)}`;
}

function deployText(said: DeployEvent, style: Style): string {
  const event = visibleAll(said) as DeployEvent;
  if (event.event === 'change') return changeText(event, style);
  return event.failed.length === 0 ? style.good('All is as declared again.') : failureText(event.failed, style);
}

/** One line for each reason, with the vessels or nodes that it hit. */
export function failureText(failures: readonly Failure[], style: Style): string {
  const lines = failures.map(({ message, affected }) => {
    // A node chooses its words, and must not write a line that reads as seash's own.
    const words = message
      .trim()
      .replaceAll(/\s*\n\s*/g, ' ')
      .replace(/\.$/, '');
    return `${style.bad('Failed:')} ${words}. Affected: ${enumerate(affected)}.`;
  });
  return lines.join('\n');
}
