import type { Failure } from './bulk.ts';
import { COMMANDS } from './commands/table.ts';
import { failureText } from './report.ts';
import type { Progress } from './session.ts';
import type { CommandResult } from './shell.ts';
import { type Style, styleOf, visible, visibleAll, wantsColour } from './style.ts';

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

/** Tells people, or with `json` programs, how commands went: results on stdout, what went wrong on stderr. */
export class Reporter {
  readonly #streams: Streams;
  readonly #json: boolean;
  readonly #out: Style;
  readonly #err: Style;
  #progressShown = false;

  constructor(streams: Streams, init: { json: boolean }) {
    this.#streams = streams;
    this.#json = init.json;
    this.#out = styleOf(wantsColour(streams.stdout, streams.env));
    this.#err = styleOf(wantsColour(streams.stderr, streams.env));
  }

  /** @param where what stands before a message: the script's name and line, or nothing in a conversation. */
  report(result: CommandResult, where = ''): void {
    this.#clearProgress();
    if (this.#json) {
      this.#streams.stdout.write(`${JSON.stringify(result)}\n`);
      return;
    }
    const {
      error,
      parsed,
      warning,
      failed = [],
      ...facts
    } = visibleAll(result) as CommandResult & { failed?: Failure[] };
    if (warning !== undefined) this.#streams.stderr.write(`${this.#err.warning(warning)}\n`);
    if (parsed !== undefined) this.#streams.stdout.write(`${this.#out.faint(`Parsed as: ${parsed}`)}\n`);
    if (error !== undefined) {
      this.fail(error.message, where);
      return;
    }
    const text = COMMANDS.find(({ name }) => name === result.command)?.render(facts, this.#out) ?? '';
    if (text !== '') this.#streams.stdout.write(`${text}\n`);
    if (failed.length > 0) this.#streams.stderr.write(`${failureText(failed, this.#err)}\n`);
  }

  /** One sentence on stderr. */
  fail(message: string, where = ''): void {
    this.#clearProgress();
    this.#streams.stderr.write(`${this.#err.bad(`${where}${visible(message)}`)}\n`);
  }

  /** One live line, on a terminal only. */
  progress({ done, total, failed }: Progress): void {
    const { stderr } = this.#streams;
    if (this.#json || stderr.isTTY !== true || total < 2) return;
    this.#progressShown = true;
    const bad = failed === 0 ? '' : `, ${this.#err.bad(`${failed} failed`)}`;
    stderr.write(`\r\u001b[K${this.#err.faint(`${done} of ${total}`)}${bad}`);
  }

  #clearProgress(): void {
    if (!this.#progressShown) return;
    this.#progressShown = false;
    this.#streams.stderr.write('\r\u001b[K');
  }
}
