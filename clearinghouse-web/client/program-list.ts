import { byId, confirmed, make, offerFile, say, sentenceOf } from './dom.ts';
import type { Editor } from './editor.ts';
import type { Place } from './places.ts';
import { EXAMPLES, type Programs } from './programs.ts';

const chosen = byId<HTMLSelectElement>('program');
const trouble = byId('program-trouble');

/** Which of the kept programs is in the editor, and what can be done to them as files. */
export class ProgramList {
  readonly #programs: Programs;
  readonly #editor: Editor;
  /** Whether the text in the editor is more than what is kept of it. */
  #isUnkept = false;

  constructor(programs: Programs, editor: Editor) {
    this.#programs = programs;
    this.#editor = editor;
    this.#listen();
    this.show(programs.names[0] ?? '');
  }

  /** Of the program in the editor. */
  get name(): string {
    return chosen.value;
  }

  /** The text in the editor has changed. */
  keep(text: string): void {
    this.#isUnkept = !this.#try(() => this.#programs.keep(chosen.value, text));
  }

  show(name: string): void {
    this.#list(name);
    this.#editor.open(this.#programs.textOf(name));
    this.#isUnkept = false;
    say(byId('problems'), '');
  }

  /** Opens the program that a place is in, and goes there. */
  goTo({ file, line, column }: Place): void {
    if (file !== chosen.value && this.#programs.names.includes(file)) this.show(file);
    if (file === chosen.value) this.#editor.goTo(line, column);
  }

  #list(name: string): void {
    const { names } = this.#programs;
    chosen.replaceChildren(...names.map((one) => make('option', { value: one, textContent: one })));
    chosen.value = name;
  }

  #add(name: string, text: string): void {
    const free = this.#programs.freeName(name);
    const isKept = this.#try(() => this.#programs.keep(free, text));
    if (this.#programs.names.includes(free)) this.show(free);
    this.#isUnkept = !isKept;
  }

  /** Says what a task failed with. @returns whether it did not */
  #try(task: () => void): boolean {
    say(trouble, '');
    try {
      task();
      return true;
    } catch (error) {
      say(trouble, sentenceOf(error));
      return false;
    }
  }

  #listen(): void {
    chosen.addEventListener('change', () => this.show(chosen.value));
    byId('new').addEventListener('click', () => {
      const input = byId<HTMLInputElement>('new-name');
      this.#add(input.value.trim() === '' ? 'program.js' : input.value.trim(), '');
      input.value = '';
      this.#editor.focus();
    });
    byId('save').addEventListener('click', () => {
      offerFile(chosen.value, this.#editor.text);
      this.#isUnkept = false;
    });
    byId('delete').addEventListener('click', () => void this.#delete());
    byId<HTMLInputElement>('open').addEventListener('change', (event) => {
      void this.#openFiles(event.currentTarget as HTMLInputElement);
    });
    const example = byId<HTMLSelectElement>('example');
    example.append(...EXAMPLES.map(({ name }) => make('option', { value: name, textContent: name })));
    example.addEventListener('change', () => {
      const one = EXAMPLES.find(({ name }) => name === example.value);
      example.value = '';
      if (one !== undefined) this.#add(one.name, one.text);
    });
    this.#programs.onElsewhere(() => this.#changedElsewhere());
    addEventListener('beforeunload', (event) => {
      if (this.#isUnkept) event.preventDefault();
    });
  }

  async #openFiles(input: HTMLInputElement): Promise<void> {
    for (const file of input.files ?? []) this.#add(file.name, await file.text());
    input.value = '';
  }

  async #delete(): Promise<void> {
    if (!(await confirmed(`Delete ${chosen.value} from this browser?`, 'Delete'))) return;
    this.#programs.delete(chosen.value);
    const [first] = this.#programs.names;
    if (first === undefined) this.#add('program.js', '');
    else this.show(first);
  }

  /** Another page of this browser has kept something: what is open here follows, and can be undone. */
  #changedElsewhere(): void {
    const { names } = this.#programs;
    const { value: name } = chosen;
    if (!names.includes(name)) this.show(names[0] ?? '');
    else this.#list(name);
    this.#editor.replace(this.#programs.textOf(chosen.value));
  }
}
