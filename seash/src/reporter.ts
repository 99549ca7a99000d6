import { once } from 'node:events';
import type { Failure } from './bulk.ts';
import { COMMANDS } from './commands/table.ts';
import { eventText, failureText } from './report.ts';
import type { Progress } from './session.ts';
import type { CommandResult, ExecuteOptions, SaidEvent } from './shell.ts';
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

  /** What commands are told to say things to before their results. */
  get listening(): Required<Pick<ExecuteOptions, 'onProgress' | 'onEvent'>> {
    return {
      onProgress: (progress) => this.progress(progress),
      onEvent: async (event) => await this.#event(event),
    };
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

  /** @returns when there is room for more. */
  async #event(event: SaidEvent): Promise<void> {
    this.#clearProgress();
    const isProblem = event.event === 'problem' && !this.#json;
    const stream = isProblem ? this.#streams.stderr : this.#streams.stdout;
    const text = this.#json ? JSON.stringify(event) : eventText(event, isProblem ? this.#err : this.#out);
    if (!stream.write(`${text}\n`) && !stream.destroyed) await once(stream, 'drain').catch(() => undefined);
  }

  #clearProgress(): void {
    if (!this.#progressShown) return;
    this.#progressShown = false;
    this.#streams.stderr.write('\r\u001b[K');
  }
}
