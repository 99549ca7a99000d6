import { fileNameSchema, keyIdSchema, vesselNameSchema } from '@potluck/protocol';
import { type BundleProblem, Bundler } from './bundle.ts';
import { byId, confirmed, make, offerFile, onPress, say, sentenceOf } from './dom.ts';
import { PageError } from './errors.ts';
import { keyPanel } from './key-panel.ts';
import { Nodes } from './nodes.ts';
import { EXAMPLES, Programs } from './programs.ts';
import { Column, type Program, type Target } from './run-columns.ts';
import { argumentsIn } from './words.ts';

const page = byId('editor-page');
const programs = new Programs();
const bundler = new Bundler({ worker: page.dataset.worker ?? '', wasm: page.dataset.wasm ?? '' });
const chosen = byId<HTMLSelectElement>('program');
const trouble = byId('run-trouble');
let nodes: Nodes | undefined;
let columns: Column[] = [];
let isRunning = false;

/** Says what a task failed with. */
async function trying(task: () => void | Promise<void>): Promise<void> {
  say(trouble, '');
  try {
    await task();
  } catch (error) {
    say(trouble, sentenceOf(error));
  }
}

// The editor is the heaviest part: the page is there before it.
const { Editor } = await import('./editor.ts');
const editor = new Editor({
  host: byId('editor'),
  label: 'Program',
  onChange: (text) => void trying(() => programs.keep(chosen.value, text)),
  onRun: () => void run(),
});
byId('editor-wait').hidden = true;

function showPrograms(name: string): void {
  chosen.replaceChildren(...programs.names.map((one) => make('option', { value: one, textContent: one })));
  chosen.value = name;
  editor.open(programs.textOf(name));
  say(byId('problems'), '');
}

function add(name: string, text: string): void {
  const free = programs.freeName(name);
  programs.keep(free, text);
  showPrograms(free);
}

function targets(): Target[] {
  const picks = document.querySelectorAll<HTMLInputElement>('input[name="targets"]:checked');
  return [...picks].map(({ dataset, value }) => ({
    node: keyIdSchema.parse(dataset.node),
    vessel: vesselNameSchema.parse(dataset.vessel),
    label: dataset.label ?? value,
    href: `/vessels/${value}`,
  }));
}

/** @returns nothing when it has problems: they are shown then. */
async function bundled(): Promise<Program | undefined> {
  const name = chosen.value;
  const answer = await bundler.bundle(name, programs.files);
  if ('problems' in answer) {
    showProblems(name, answer.problems);
    return undefined;
  }
  const args = argumentsIn(byId<HTMLInputElement>('arguments').value);
  const file = fileNameSchema.parse(`${name.replace(/\.\w+$/, '')}.js`);
  return { name: file, bytes: new TextEncoder().encode(answer.source), args };
}

function showProblems(name: string, problems: readonly BundleProblem[]): void {
  const lines = problems.map(({ file, line, column, message }) =>
    line === 0 ? message : `${file}:${line}:${column + 1}: ${message}`,
  );
  say(byId('problems'), lines.join('\n'));
  editor.mark(problems.filter(({ file }) => file === name));
  editor.focus();
}

async function run(): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  await trying(async () => {
    const open = nodes;
    if (open === undefined)
      throw new PageError('NO_KEY', 'expected your key to be open, it is not: open its file first');
    const all = targets();
    if (all.length === 0) throw new PageError('BAD_NAME', 'expected at least one vessel to be chosen, got none');
    say(byId('problems'), '');
    editor.mark([]);
    const program = await bundled();
    if (program === undefined) return;
    for (const column of columns) column.leave();
    columns = all.map((target) => new Column(target, open));
    byId('columns').replaceChildren(...columns.map(({ element }) => element));
    byId('output').hidden = false;
    byId<HTMLButtonElement>('stop-all').disabled = false;
    for (const column of columns) void column.run(program);
  });
  isRunning = false;
}

onPress(byId('run'), run);
onPress(byId('stop-all'), async () => void (await Promise.all(columns.map(async (column) => await column.stop()))));
chosen.addEventListener('change', () => showPrograms(chosen.value));
byId('new').addEventListener('click', () => {
  void trying(() => {
    const { value } = byId<HTMLInputElement>('new-name');
    add(value.trim() === '' ? 'program.js' : value.trim(), '');
    byId<HTMLInputElement>('new-name').value = '';
    editor.focus();
  });
});
byId('save').addEventListener('click', () => offerFile(chosen.value, editor.text));
byId('delete').addEventListener('click', async () => {
  if (!(await confirmed(`Delete ${chosen.value} from this browser?`, 'Delete'))) return;
  programs.delete(chosen.value);
  const [first] = programs.names;
  if (first === undefined) add('program.js', '');
  else showPrograms(first);
});
byId<HTMLInputElement>('open').addEventListener('change', (event) => {
  const input = event.currentTarget as HTMLInputElement;
  void trying(async () => {
    for (const file of input.files ?? []) add(file.name, await file.text());
    input.value = '';
  });
});
const example = byId<HTMLSelectElement>('example');
example.append(...EXAMPLES.map(({ name }) => make('option', { value: name, textContent: name })));
example.addEventListener('change', () => {
  const one = EXAMPLES.find(({ name }) => name === example.value);
  example.value = '';
  if (one !== undefined) void trying(() => add(one.name, one.text));
});

showPrograms(programs.names[0] ?? '');
page.dataset.ready = 'yes';
await keyPanel((signer) => {
  for (const column of columns) column.leave();
  nodes?.close();
  nodes = signer === undefined ? undefined : new Nodes(signer);
});
