import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript, localCompletionSource } from '@codemirror/lang-javascript';
import { bracketMatching, indentOnInput, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { type Diagnostic, linter, lintKeymap, openLintPanel, setDiagnostics } from '@codemirror/lint';
import { Annotation, EditorState, Prec, StateField } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  hoverTooltip,
  keymap,
  lineNumbers,
  showTooltip,
  type Tooltip,
} from '@codemirror/view';
import { callAt, completeApi, describe, entryAt, signatureLine } from './api.ts';
import type { BundleProblem } from './bundle.ts';
import type { CheckAnswer } from './check.ts';
import { make } from './dom.ts';
import { COLOURS, THEME } from './theme.ts';

export interface EditorInit {
  readonly host: HTMLElement;
  readonly label: string;
  readonly onChange: (text: string) => void;
  /** Ctrl+Enter. */
  readonly onRun: () => void;
  /** What is found in a text while it is written; what it rejects with is told like a hint. */
  readonly check: (text: string) => Promise<CheckAnswer>;
  /** Called with all that is marked, whenever it is looked at anew, or with why nothing could be. */
  readonly onHints: (hints: readonly Hint[], broken?: string) => void;
}

/** Something that is marked. */
export interface Hint {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

const HOVER = hoverTooltip((view, pos) => {
  const word = view.state.wordAt(pos);
  const entry = word === null ? undefined : entryAt(view.state, word.from, word.to);
  if (word === null || entry === undefined) return null;
  return { pos: word.from, end: word.to, above: true, create: () => ({ dom: describe(entry) }) };
});

const SIGNATURE = StateField.define<Tooltip | null>({
  create: signatureIn,
  update: (value, { docChanged, selection, startState, state }) =>
    // The tree may be behind the text, and come later by itself.
    docChanged || selection || syntaxTree(startState) !== syntaxTree(state) ? signatureIn(state) : value,
  provide: (field) => showTooltip.from(field),
});

function signatureIn(state: EditorState): Tooltip | null {
  const { main } = state.selection;
  const call = main.empty ? callAt(state, main.head) : undefined;
  if (call === undefined) return null;
  return { pos: call.from, above: true, create: () => ({ dom: signatureLine(call.entry, call.argument) }) };
}

/**
 * What is typed over a selection. Left to itself, Chromium would give the new text the looks of the old in an attribute
 * that the page's policy refuses, with an error in the console for each; the editor would then take it away again.
 */
const TYPE_OVER = EditorView.domEventHandlers({
  beforeinput: ({ inputType, data, isComposing }, view) => {
    const { main, ranges } = view.state.selection;
    if (inputType !== 'insertText' || data === null || isComposing || main.empty || ranges.length > 1) return false;
    const { from, to } = main;
    const insert = () => view.state.update(view.state.replaceSelection(data), { userEvent: 'input.type' });
    const isTaken = view.state.facet(EditorView.inputHandler).some((take) => take(view, from, to, data, insert));
    if (!isTaken) view.dispatch(insert(), { scrollIntoView: true });
    return true;
  },
});

/** Tab leaves after each Escape, also after one that closed something: nobody can see what it would have been for. */
const LEAVE_MS = 2000;
const LEAVE = Prec.highest(
  EditorView.domEventHandlers({
    keydown: ({ key }, view) => {
      if (key === 'Escape') view.setTabFocusMode(LEAVE_MS);
      return false;
    },
  }),
);

/** Of a change that was made and kept in another page: two that keep each other's would never come to an end. */
const ELSEWHERE = Annotation.define<boolean>();

/** From the last key to the look at the types. */
const LINT_DELAY_MS = 300;

/** Said to who cannot see what stands below the editor. */
const HELP = 'Tab indents. To leave the editor, press Escape, then Tab.';

/** The editor in a part of the page whose styles are its own: the page's policy lets no script add any to it. */
export class Editor {
  readonly #view: EditorView;
  readonly #init: EditorInit;
  /** What the last run stumbled over, until the text changes. */
  #problems: readonly Diagnostic[] = [];
  #types: readonly Diagnostic[] = [];

  constructor(init: EditorInit) {
    this.#init = init;
    const root = init.host.attachShadow({ mode: 'open' });
    root.append(make('p', { id: 'help', hidden: true, textContent: HELP }));
    this.#view = new EditorView({ state: this.#stateOf(''), parent: root, root });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Another program: what was done to the one before cannot be undone in it. */
  open(text: string): void {
    this.#problems = [];
    this.#view.setState(this.#stateOf(text));
  }

  focus(): void {
    this.#view.focus();
  }

  /** The same program, changed by somebody else, which can be undone. */
  replace(text: string): void {
    const { doc } = this.#view.state;
    if (doc.toString() === text) return;
    this.#view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, annotations: ELSEWHERE.of(true) });
  }

  /** @param line from 1, as is the column; the nearest that there is */
  goTo(line: number, column: number): void {
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.max(1, Math.min(line, doc.lines)));
    const anchor = Math.min(from + Math.max(0, column - 1), to);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.#view.focus();
  }

  /** Marks what keeps the program from running, and goes to the first of it. */
  mark(problems: readonly BundleProblem[]): void {
    const { doc } = this.#view.state;
    this.#problems = problems
      .filter(({ line }) => line >= 1 && line <= doc.lines)
      .map(({ line, column, length, message }): Diagnostic => {
        const from = Math.min(doc.line(line).from + column, doc.line(line).to);
        return { from, to: Math.min(from + Math.max(1, length), doc.length), severity: 'error', message };
      });
    const [first] = this.#problems;
    this.#view.dispatch(setDiagnostics(this.#view.state, this.#marks()), {
      ...(first !== undefined && { selection: { anchor: first.from }, scrollIntoView: true }),
    });
  }

  /** Opens the list of what is marked, and goes there; Escape leads back. */
  listHints(): void {
    openLintPanel(this.#view);
  }

  /** Of what a run stumbled over, and the types say as well, once. */
  #marks(): Diagnostic[] {
    const { doc } = this.#view.state;
    const lines = new Set(this.#problems.map(({ from }) => doc.lineAt(from).number));
    const types = this.#types.filter(
      ({ from, severity }) => severity !== 'error' || !lines.has(doc.lineAt(from).number),
    );
    const marks = [...this.#problems, ...types];
    this.#init.onHints(marks.map(({ from, message }) => ({ line: doc.lineAt(from).number, message })));
    return marks;
  }

  async #lint({ doc }: EditorState): Promise<Diagnostic[]> {
    const answer = await this.#init.check(doc.toString());
    if (doc !== this.#view.state.doc) return []; // Looked at again soon.
    this.#types = 'broken' in answer ? [] : [...answer.problems];
    const marks = this.#marks();
    if ('broken' in answer) this.#init.onHints([], answer.broken);
    return marks;
  }

  #stateOf(doc: string): EditorState {
    const { label, onChange, onRun } = this.#init;
    const run = (): boolean => {
      onRun();
      return true;
    };
    return EditorState.create({
      doc,
      extensions: [
        keymap.of([{ key: 'Mod-Enter', run }]),
        ...[LEAVE, TYPE_OVER],
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap]),
        // Behind all others; LEAVE is the way out.
        keymap.of([indentWithTab]),
        ...[lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets()],
        ...[highlightActiveLine(), EditorView.lineWrapping, HOVER, SIGNATURE, THEME, syntaxHighlighting(COLOURS)],
        javascript({ typescript: true }),
        linter(async ({ state }) => await this.#lint(state), { delay: LINT_DELAY_MS }),
        autocompletion({ override: [completeApi, localCompletionSource], icons: false }),
        EditorView.contentAttributes.of({ 'aria-label': label, 'aria-describedby': 'help' }),
        EditorView.updateListener.of(({ docChanged, state, transactions }) => {
          const isOurs = !transactions.some((transaction) => transaction.annotation(ELSEWHERE));
          if (docChanged) this.#problems = [];
          if (docChanged && isOurs) onChange(state.doc.toString());
        }),
      ],
    });
  }
}
