import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript, localCompletionSource } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { type Diagnostic, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, StateField } from '@codemirror/state';
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
import { tags } from '@lezer/highlight';
import { callAt, completeApi, describe, entryAt, signatureLine } from './api.ts';
import type { BundleProblem } from './bundle.ts';

export interface EditorInit {
  readonly host: HTMLElement;
  readonly label: string;
  readonly onChange: (text: string) => void;
  /** Ctrl+Enter. */
  readonly onRun: () => void;
}

/** By the page's own colours, so that it is dark where the page is. */
const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--good)' },
  { tag: [tags.comment], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--bad)' },
  { tag: [tags.typeName, tags.className], color: 'var(--accent-deep)' },
]);

const THEME = EditorView.theme({
  '&': { backgroundColor: 'var(--sunken)', color: 'var(--ink)', borderRadius: '10px', fontSize: '0.9375rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': {
    fontFamily: 'var(--mono)',
    lineHeight: '1.6',
    minHeight: '16em',
    maxHeight: '60vh',
    overflow: 'auto',
  },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--soft)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--line) 40%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--line)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--ink)',
    border: '1px solid var(--strong-line)',
    borderRadius: '8px',
    maxWidth: 'min(560px, 90vw)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxWidth: '90vw' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.85' },
  // In the place of an image in a data URL, which the page's policy does not load.
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)' },
  '.doc': { padding: '8px 12px', font: '400 0.875rem/1.5 var(--sans)', maxHeight: '18em', overflow: 'auto' },
  '.doc p': { margin: '6px 0' },
  '.doc pre': { margin: '6px 0', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
  '.doc code': { fontFamily: 'var(--mono)', fontSize: '0.9em' },
  '.signature': { padding: '4px 10px' },
});

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

/** The editor in a part of the page whose styles are its own: the page's policy lets no script add any to it. */
export class Editor {
  readonly #view: EditorView;
  readonly #init: EditorInit;

  constructor(init: EditorInit) {
    this.#init = init;
    const root = init.host.attachShadow({ mode: 'open' });
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
        // Tab goes on to the next part of the page, as it does everywhere; Ctrl+[ and Ctrl+] indent.
        keymap.of([{ key: 'Mod-Enter', run }]),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap]),
        ...[lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets()],
        ...[highlightActiveLine(), EditorView.lineWrapping, HOVER, SIGNATURE, THEME, syntaxHighlighting(COLOURS)],
        javascript({ typescript: true }),
        autocompletion({ override: [completeApi, localCompletionSource], icons: false }),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) onChange(state.doc.toString());
        }),
      ],
    });
  }
}
