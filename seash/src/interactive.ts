import { createInterface, type Interface } from 'node:readline/promises';
import { complete } from './completion.ts';
import { factsOf } from './errors.ts';
import { HISTORY_LINES, readHistory, writeHistory } from './history.ts';
import type { Plan } from './plan.ts';
import type { Reporter, Streams } from './reporter.ts';
import type { Confirm } from './session.ts';
import type { Shell } from './shell.ts';
import { styleOf, wantsColour } from './style.ts';

export interface InteractiveInit {
  readonly reporter: Reporter;
  readonly streams: Streams & { readonly stdin: NodeJS.ReadStream };
  /** Where lines are remembered, or undefined for nowhere. */
  readonly historyPath: string | undefined;
  /** Whether nothing is asked. */
  readonly yes: boolean;
}

/** Only "yes" and "y" are a yes. */
export function isYes(answer: string): boolean {
  return /^\s*y(es)?\s*$/i.test(answer);
}

/** A conversation with a person at a terminal, until `exit` or Ctrl-D. Ctrl-C cancels the command, or the line. */
export class Interactive {
  readonly #shell: Shell;
  readonly #init: InteractiveInit;
  #running: AbortController | undefined;

  constructor(shell: Shell, init: InteractiveInit) {
    this.#shell = shell;
    this.#init = init;
  }

  async run(): Promise<void> {
    const { stdin, stdout } = this.#init.streams;
    const style = styleOf(wantsColour(stdout, this.#init.streams.env));
    stdout.write(`Potluck's shell. ${style.faint('"help" lists the commands, Tab completes, Ctrl-D leaves.')}\n`);
    using lines = createInterface({
      input: stdin,
      output: stdout,
      completer: (line: string) => complete(this.#shell.session, line),
      history: this.#history(),
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
    });
    lines.on('SIGINT', () => this.#interrupt(lines));
    lines.on('history', (history) => this.#remember(history));
    const ask = (): void => {
      lines.setPrompt(style.strong(this.#shell.prompt));
      lines.prompt();
    };
    ask();
    for await (const line of lines) {
      await this.#carryOut(line, async (question) => isYes(await lines.question(question(style))));
      if (this.#shell.session.done) return;
      ask();
    }
    stdout.write('\n');
  }

  async #carryOut(line: string, question: Confirm): Promise<void> {
    const { reporter, yes } = this.#init;
    const confirm = yes ? undefined : question;
    for (const plan of this.#planned(line)) {
      const running = new AbortController();
      this.#running = running;
      const { signal } = running;
      const result = await this.#shell.run(plan, { signal, confirm, ...reporter.listening });
      this.#running = undefined;
      reporter.report(result);
      if (!result.ok || this.#shell.session.done) return;
    }
  }

  #planned(line: string): Plan[] {
    try {
      return this.#shell.plan(line);
    } catch (error) {
      this.#init.reporter.fail(factsOf(error).message);
      return [];
    }
  }

  #interrupt(lines: Interface): void {
    if (this.#running !== undefined) {
      this.#running.abort();
      return;
    }
    this.#init.streams.stdout.write('^C\n');
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' }); // Draws the prompt again.
  }

  #history(): string[] {
    return this.#init.historyPath === undefined ? [] : readHistory(this.#init.historyPath);
  }

  #remember(history: string[]): void {
    if (this.#init.historyPath === undefined) return;
    try {
      writeHistory(this.#init.historyPath, history);
    } catch (error) {
      this.#init.reporter.fail(`expected to write the history, got: ${factsOf(error).message}`);
    }
  }
}
