import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript, localCompletionSource } from '@codemirror/lang-javascript';
import { bracketMatching, indentOnInput, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { type Diagnostic, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { Annotation, EditorState, StateField } from '@codemirror/state';
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
import { make } from './dom.ts';
import { COLOURS, THEME } from './theme.ts';

export interface EditorInit {
  readonly host: HTMLElement;
  readonly label: string;
  readonly onChange: (text: string) => void;
  /** Ctrl+Enter. */
  readonly onRun: () => void;
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

/** Of a change that was made and kept in another page: two that keep each other's would never come to an end. */
const ELSEWHERE = Annotation.define<boolean>();

/** Said to who cannot see what stands below the editor. */
const HELP = 'Tab indents. To leave the editor, press Escape, then Tab.';

/** The editor in a part of the page whose styles are its own: the page's policy lets no script add any to it. */
export class Editor {
  readonly #view: EditorView;
  readonly #init: EditorInit;

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

  /** Marks what is wrong, and goes to the first of it. */
  mark(problems: readonly BundleProblem[]): void {
    const { doc } = this.#view.state;
    const diagnostics = problems
      .filter(({ line }) => line >= 1 && line <= doc.lines)
      .map(({ line, column, length, message }): Diagnostic => {
        const from = Math.min(doc.line(line).from + column, doc.line(line).to);
        return { from, to: Math.min(from + Math.max(1, length), doc.length), severity: 'error', message };
      });
    const [first] = diagnostics;
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics), {
      ...(first !== undefined && { selection: { anchor: first.from }, scrollIntoView: true }),
    });
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
        TYPE_OVER,
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap]),
        // Behind all others. Escape and then Tab leaves, as the library has it.
        keymap.of([indentWithTab]),
        ...[lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets()],
        ...[highlightActiveLine(), EditorView.lineWrapping, HOVER, SIGNATURE, THEME, syntaxHighlighting(COLOURS)],
        javascript({ typescript: true }),
        autocompletion({ override: [completeApi, localCompletionSource], icons: false }),
        EditorView.contentAttributes.of({ 'aria-label': label, 'aria-describedby': 'help' }),
        EditorView.updateListener.of(({ docChanged, state, transactions }) => {
          const isOurs = !transactions.some((transaction) => transaction.annotation(ELSEWHERE));
          if (docChanged && isOurs) onChange(state.doc.toString());
        }),
      ],
    });
  }
}
