import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type KeyId, parseJson, writeJson } from '@potluck/protocol';
import { z } from 'zod';
import { CommandError } from './errors.ts';
import { readLimited } from './files.ts';
import type { Modules } from './modules.ts';

/** What the shell remembers from one time to the next. */
export const HOME_LIMITS = { settingsBytes: 64 * 1024 } as const;

/** Modules that are not named are enabled: so is one that came later than the file. */
const settingsSchema = z.object({ version: z.literal(1), disabled: z.array(z.string()) });

/** `potluck/seash` in the user's directory of configurations: `XDG_CONFIG_HOME`, else `~/.config`. */
export function homeOf(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CONFIG_HOME ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.config'), 'potluck', 'seash');
}

/** The folder in which a user's shells keep what they remember; for its user alone. */
export class Home {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Enables and disables what was enabled and disabled last. @throws CommandError FILE_BROKEN, FILE_TOO_LARGE */
  async restore(modules: Modules): Promise<void> {
    const disabled = await this.#disabled();
    for (const { name } of modules.enabled) if (disabled.includes(name)) modules.disable(name);
  }

  async remember(modules: Modules): Promise<void> {
    const enabled = new Set(modules.enabled);
    const disabled = modules.all.filter((module) => !enabled.has(module)).map(({ name }) => name);
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    await writeJson(this.#settings, { version: 1, disabled } satisfies z.infer<typeof settingsSchema>);
  }

  /** Where `autosave` keeps the state of an identity; the folder is there afterwards. */
  async stateOf(key: KeyId): Promise<string> {
    const folder = join(this.#path, 'autosave');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return join(folder, `${key}.state`);
  }

  get #settings(): string {
    return join(this.#path, 'settings.json');
  }

  async #disabled(): Promise<string[]> {
    let bytes: Uint8Array;
    try {
      bytes = await readLimited(this.#settings, HOME_LIMITS.settingsBytes);
    } catch (error) {
      if (error instanceof CommandError && error.code === 'FILE_MISSING') return [];
      throw error;
    }
    const settings = settingsSchema.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
    if (settings.success) return settings.data.disabled;
    throw new CommandError(
      'FILE_BROKEN',
      `expected the shell's settings in ${this.#settings}, got something else: mend it or remove it`,
    );
  }
}
