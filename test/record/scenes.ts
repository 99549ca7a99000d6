/** What a newcomer types in the first ten minutes, and what is said about it. */
export interface Scene {
  readonly said: string;
  readonly typed: string;
  /** The answer to the question that the command asks. */
  readonly answer?: string;
}

export const SCENES: readonly Scene[] = [
  {
    said: 'Your keys are you: their public part is known to the clearinghouse since you registered.',
    typed: 'loadkeys ulla',
  },
  { said: "Get three vessels on other people's machines. They are the target of what follows.", typed: 'get 3' },
  { said: '`browse` finds all vessels that are yours or that you may use.', typed: 'browse' },
  { said: 'What do they do? Nothing yet.', typed: 'list' },
  { said: 'A mistyped word is no harm.', typed: 'lsit' },
  {
    said: 'Run a program on all of them: it is bundled, uploaded and started, everywhere at once. With `--follow` the lines of its logs come as they are written, until it has ended.',
    typed: 'on %all run --follow hello.js you',
  },
  { said: 'What did it say? The logs stay.', typed: 'show log' },
  {
    said: 'TypeScript runs as it is.',
    typed: 'on %1 run --follow count.ts',
  },
  { said: 'A mistake in a program is shown before anything is uploaded.', typed: 'run wrong.ts' },
  { said: 'Each command has its help, with an example.', typed: 'help run' },
  { said: 'A file can say what shall run; `diff` tells what is missing.', typed: 'diff work.yaml' },
  { said: '`apply` makes it so, and makes nothing else.', typed: 'apply --yes work.yaml' },
  { said: 'And all of it goes again.', typed: 'destroy --yes work.yaml' },
  { said: 'Give the others back. It asks, for there are several.', typed: 'release %all', answer: 'y' },
  { said: 'That was it.', typed: 'exit' },
];

/** What lies in the newcomer's folder. */
export const FILES: Readonly<Record<string, string>> = {
  'hello.js': "log('Hello,', callargs[0] ?? 'world', '\\n');\n",
  'count.ts': "for (const word of ['one', 'two', 'three']) log(word, '\\n');\n",
  'wrong.ts': "const many: number = 'three';\nlog(many, '\\n');\n",
  'worker.js': 'settimer(1e6, () => undefined);\n',
  'work.yaml': 'name: work\nprogram: worker.js\ncount: 2\nwhere: { type: random }\nrollout: { healthyAfter: 1ms }\n',
};
