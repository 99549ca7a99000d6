import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';

export interface TalkInit {
  /** Of `sh`. */
  readonly command: string;
  readonly directory: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Programs in real terminals, with somebody who types. */
export class Terminals {
  readonly #children = new Set<ChildProcess>();

  /**
   * Each step waits until the terminal's last words are the first text, without their colours, and then types the second.
   * @returns all that the terminal has shown, once the program has ended.
   */
  async talk(init: TalkInit, steps: [see: string, type: string][]): Promise<{ code: number; out: string }> {
    const env = { ...process.env, TERM: 'xterm', NO_COLOR: '', ...init.env };
    const child = spawn('script', ['-qec', init.command, '/dev/null'], { cwd: init.directory, env });
    this.#children.add(child);
    const closed = once(child, 'close');
    let out = '';
    const left = [...steps];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      const [see, type] = left[0] ?? [];
      if (see === undefined || !stripVTControlCharacters(out).endsWith(see)) return;
      left.shift();
      child.stdin.write(type ?? '');
    });
    const [code] = await closed;
    assert.deepEqual(left, [], out);
    return { code, out };
  }

  /** Ends those that a failed test left. */
  stop(): void {
    for (const child of this.#children) child.kill();
    this.#children.clear();
  }
}
