import { fileNameSchema, keyIdSchema, vesselNameSchema } from '@potluck/protocol';
import { type BundleProblem, Bundler } from './bundle.ts';
import { Checker } from './check.ts';
import { byId, confirmed, onPress, say, sentenceOf } from './dom.ts';
import type { Hint } from './editor.ts';
import { PageError } from './errors.ts';
import { keyPanel } from './key-panel.ts';
import { Logs } from './logs.ts';
import { Nodes } from './nodes.ts';
import { ProgramList } from './program-list.ts';
import { Programs } from './programs.ts';
import { Column, type Program, type Target } from './run-columns.ts';
import { argumentsIn } from './words.ts';

const page = byId('editor-page');
const programs = new Programs();
const bundler = new Bundler({ worker: page.dataset.worker ?? '', wasm: page.dataset.wasm ?? '' });
const checker = new Checker({ worker: page.dataset.checker ?? '', compiler: page.dataset.compiler ?? '' });
const logs = new Logs();
/** Only who holds vessels has it. */
const everyTarget = document.querySelector<HTMLInputElement>('#every-target');
let nodes: Nodes | undefined;
let isRunning = false;

// The editor is the heaviest part: the page is there before it.
const { Editor } = await import('./editor.ts');
const editor = new Editor({
  host: byId('editor'),
  label: 'Program',
  onChange: (text) => list.keep(text),
  onRun: () => void run(),
  check: async (text) => await checker.check(list.name, { ...programs.files, [list.name]: text }),
  onHints: showHints,
});
const list = new ProgramList(programs, editor);
byId('editor-wait').hidden = true;

function boxes(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>('input[name="targets"]')];
}

function targets(): Target[] {
  return boxes()
    .filter(({ checked }) => checked)
    .map(({ dataset, value }) => ({
      node: keyIdSchema.parse(dataset.node),
      vessel: vesselNameSchema.parse(dataset.vessel),
      label: dataset.label ?? value,
      href: `/vessels/${value}`,
    }));
}

/** @returns nothing when it has problems: they are shown then. */
async function bundled(): Promise<Program | undefined> {
  const { name } = list;
  const answer = await bundler.bundle(name, { ...programs.files, [name]: editor.text });
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

/** Says how many there are, and the first. */
function showHints(hints: readonly Hint[], broken?: string): void {
  const [first] = hints;
  const count = `${hints.length} ${hints.length === 1 ? 'hint' : 'hints'}`;
  const found = first === undefined ? 'No mistake seen.' : `${count}, in line ${first.line}: ${first.message}`;
  say(byId('hints'), broken === undefined ? found : `Types are not checked here: ${broken}`);
  byId('list-hints').hidden = hints.length === 0;
}

byId('list-hints').addEventListener('click', () => editor.listHints());

async function run(): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  const trouble = byId('run-trouble');
  say(trouble, '');
  try {
    await begin();
  } catch (error) {
    say(trouble, sentenceOf(error));
    trouble.scrollIntoView({ block: 'nearest' });
  }
  isRunning = false;
}

/** @throws PageError NO_KEY, BAD_NAME */
async function begin(): Promise<void> {
  const open = nodes;
  if (open === undefined) throw new PageError('NO_KEY', 'expected your key to be open, it is not: open its file first');
  const all = targets();
  if (all.length === 0) throw new PageError('BAD_NAME', 'expected at least one vessel to be chosen, got none');
  say(byId('problems'), '');
  const program = await bundled();
  if (program === undefined) return;
  const own = new Set(logs.columns.filter((column) => column.isRunning).map(({ target }) => target.href));
  const places = {
    isKnown: (file: string) => programs.names.includes(file),
    onPlace: list.goTo.bind(list),
  };
  const columns = all.map((target) => new Column(target, { nodes: open, places, onPhase: () => logs.update() }));
  logs.show(columns);
  byId<HTMLButtonElement>('stop-all').disabled = false;
  byId('output').scrollIntoView({ block: 'nearest' });
  // Asked once for all that this page did not start: it may be meant to go on.
  let answer: Promise<boolean> | undefined;
  const ask = async (): Promise<boolean> => {
    answer ??= confirmed('Other programs run on some of these vessels. Stop them, and run this one?', 'Stop and run');
    return await answer;
  };
  for (const column of columns) {
    const isOurs = own.has(column.target.href);
    void column.run(program, { isOurs, mayReplace: async () => isOurs || (await ask()) });
  }
}

onPress(byId('run'), run);
onPress(byId('stop-all'), async () => {
  await Promise.all(logs.columns.map(async (column) => await column.stop()));
});

function showEvery(): void {
  if (everyTarget === null) return;
  const count = boxes().filter(({ checked }) => checked).length;
  everyTarget.checked = count > 0 && count === boxes().length;
  everyTarget.indeterminate = count > 0 && count < boxes().length;
}
everyTarget?.addEventListener('change', () => {
  for (const box of boxes()) box.checked = everyTarget.checked;
});
byId('where').addEventListener('change', showEvery);
showEvery();

page.dataset.ready = 'yes';
await keyPanel((signer) => {
  logs.leave();
  nodes?.close();
  nodes = signer === undefined ? undefined : new Nodes(signer);
});
