import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import api from './data/repy-api.json' with { type: 'json' };
import { make } from './dom.ts';

/** Something that a program may call, as its declaration has it; made of `repy-api/types` by `npm run docs`. */
interface Entry {
  readonly name: string;
  readonly kind: string;
  readonly signatures: readonly string[];
  readonly text: string;
  readonly returns: string;
  readonly throws: readonly string[];
  readonly charges: string;
  readonly example: string;
  readonly members?: readonly Entry[];
}

const ENTRIES: readonly Entry[] = api;
const BY_NAME = new Map(ENTRIES.map((entry) => [entry.name, entry]));
const VALUES = ENTRIES.filter(({ kind }) => kind !== 'interface' && kind !== 'type');
const TYPES: Readonly<Record<string, string>> = { const: 'constant', method: 'method', property: 'property' };

/** The names of the API, and behind a dot those of what stands before it. */
export function completeApi(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/[\w$]*/);
  const before = context.state.sliceDoc(Math.max(0, (word?.from ?? context.pos) - 200), word?.from ?? context.pos);
  const owner = /([\w$]+)\s*\??\.\s*$/.exec(before)?.[1];
  if (owner !== undefined) {
    return {
      from: word?.from ?? context.pos,
      options: membersOf(context.state, owner).map(completionOf),
      validFor: /^[\w$]*$/,
    };
  }
  if (word === null || (word.from === word.to && !context.explicit)) return null;
  const inside = syntaxTree(context.state).resolveInner(context.pos, -1).name;
  if (/String|Comment|RegExp/.test(inside)) return null;
  return { from: word.from, options: VALUES.map(completionOf), validFor: /^[\w$]*$/ };
}

function completionOf(entry: Entry): Completion {
  return {
    label: entry.name,
    type: TYPES[entry.kind] ?? entry.kind,
    detail: detailOf(entry),
    info: () => describe(entry),
  };
}

function detailOf({ signatures: [first = ''], name }: Entry): string {
  const text = first
    .replace(/\s+/g, ' ')
    .replace(/^(function|const|class) /, '')
    .replace(name, '');
  return text.length > 60 ? `${text.slice(0, 58)}…` : text;
}

/** Of a name that the API declares, or of one that was made by a call of the API. */
function membersOf(state: EditorState, name: string): readonly Entry[] {
  const known = BY_NAME.get(name);
  if (known?.members !== undefined && known.members.length > 0)
    return known.members.filter(({ kind }) => kind !== 'constructor');
  const escaped = name.replaceAll('$', '\\$');
  const made = new RegExp(`\\b${escaped}\\s*=\\s*(?:await\\s+)?(?:new\\s+)?([\\w$]+)\\s*\\(`).exec(
    state.doc.toString(),
  )?.[1];
  const type = made === undefined ? undefined : typeMadeBy(made);
  return type === undefined ? [] : [...(type.members ?? [])].filter(({ kind }) => kind !== 'constructor');
}

function typeMadeBy(name: string): Entry | undefined {
  const entry = BY_NAME.get(name);
  if (entry?.kind === 'class') return entry;
  const returned = /\):\s*(?:Promise<)?(\w+)/.exec(entry?.signatures[0] ?? '')?.[1];
  return returned === undefined ? undefined : BY_NAME.get(returned);
}

/** What the API knows of the name at a place. */
export function entryAt(state: EditorState, from: number, to: number): Entry | undefined {
  const name = state.sliceDoc(from, to);
  const owner = /([\w$]+)\s*\??\.\s*$/.exec(state.sliceDoc(Math.max(0, from - 200), from))?.[1];
  if (owner === undefined) return BY_NAME.get(name);
  return membersOf(state, owner).find((member) => member.name === name);
}

/** The call around a place, and which of its arguments it is in. */
export function callAt(state: EditorState, pos: number): { entry: Entry; argument: number; from: number } | undefined {
  for (let node = syntaxTree(state).resolveInner(pos, -1); node.parent !== null; node = node.parent) {
    if (node.name !== 'ArgList' || node.from >= pos || (node.to <= pos && state.sliceDoc(pos - 1, pos) === ')'))
      continue;
    const callee = node.prevSibling;
    if (callee === null) return undefined;
    const name = callee.lastChild ?? callee;
    const entry = entryAt(state, name.from, name.to);
    if (entry === undefined) return undefined;
    let argument = 0;
    for (let child = node.firstChild; child !== null && child.to <= pos; child = child.nextSibling) {
      if (child.name === ',') argument += 1;
    }
    return { entry, argument, from: node.from };
  }
  return undefined;
}

/** Its form, what it does, what it throws and costs. */
export function describe(entry: Entry): HTMLElement {
  const { signatures, text, returns, throws, charges, example } = entry;
  const parts: (Node | string)[] = [make('pre', { className: 'doc-form' }, make('code', {}, signatures.join('\n')))];
  for (const paragraph of text.split('\n\n').filter((one) => one !== ''))
    parts.push(make('p', {}, ...marked(paragraph)));
  if (returns !== '') parts.push(make('p', {}, make('strong', {}, 'Returns '), ...marked(returns)));
  if (throws.length > 0) parts.push(make('p', {}, make('strong', {}, 'Throws '), ...marked(throws.join('; '))));
  if (charges !== '') parts.push(make('p', {}, make('strong', {}, 'Charges '), ...marked(charges)));
  if (example !== '') parts.push(make('pre', {}, make('code', {}, example)));
  return make('div', { className: 'doc' }, ...parts);
}

/** One line for the call that is being written, with the argument that is due. */
export function signatureLine({ signatures: [first = ''] }: Entry, argument: number): HTMLElement {
  const line = first.replace(/\s+/g, ' ').replace(/^function /, '');
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  const params = open < 0 || close < open ? [] : line.slice(open + 1, close).split(/,\s*(?![^(<[{]*[)>\]}])/);
  const nodes = params.flatMap((param, index) => {
    const isDue = index === argument || (param.startsWith('...') && argument > index);
    return [index === 0 ? '' : ', ', isDue ? make('strong', {}, param) : param];
  });
  return make(
    'div',
    { className: 'doc signature' },
    make('code', {}, line.slice(0, open + 1), ...nodes, line.slice(close)),
  );
}

/** Words between backticks as code. */
function marked(text: string): (Node | string)[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : make('code', {}, part)));
}
