import {
  type Class,
  type Comment,
  type Node,
  parseSync,
  type Statement,
  type TSInterfaceDeclaration,
} from 'oxc-parser';
import { type Doc, parseDoc } from './comments.ts';
import { DocsError } from './errors.ts';

export interface Member {
  readonly name: string;
  readonly kind: 'method' | 'property' | 'constructor';
  readonly static: boolean;
  readonly signature: string;
  readonly doc: Doc;
}

export interface Declaration {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'const' | 'interface' | 'type';
  /** One for each form of the call. */
  readonly signatures: readonly string[];
  readonly doc: Doc;
  readonly members: readonly Member[];
  /** The class that a class extends. */
  readonly base: string;
}

/** A region of the file. */
export interface Subject {
  readonly title: string;
  readonly intro: string;
  readonly declarations: readonly Declaration[];
}

/**
 * Reads a file of ambient declarations, as `repy.d.ts` is one.
 * @throws DocsError TYPES_BROKEN
 */
export function readDeclarations(text: string): Subject[] {
  const { program, comments, errors } = parseSync('repy.d.ts', text);
  const [problem] = errors;
  if (problem !== undefined) throw new DocsError('TYPES_BROKEN', `expected declarations, got ${problem.message}`);
  const source = new Source(text, comments);
  return source.regions().map(({ title, intro, start, end }) => ({
    title,
    intro,
    declarations: declarationsOf(
      program.body.filter((node) => node.start >= start && node.end <= end),
      source,
    ),
  }));
}

/** Overloads follow each other, and the first of them has the comment. */
function declarationsOf(nodes: readonly Statement[], source: Source): Declaration[] {
  const found = new Map<string, Declaration>();
  for (const node of nodes) {
    const made = declarationOf(node, source);
    const first = found.get(made.name);
    found.set(
      made.name,
      first === undefined ? made : { ...first, signatures: [...first.signatures, ...made.signatures] },
    );
  }
  return [...found.values()];
}

function declarationOf(node: Statement, source: Source): Declaration {
  const doc = source.docBefore(node);
  const plain = { doc, signatures: [source.textOf(node)], members: [], base: '' };
  if (node.type === 'TSDeclareFunction') return { ...plain, name: node.id?.name ?? '', kind: 'function' };
  if (node.type === 'TSTypeAliasDeclaration') return { ...plain, name: node.id.name, kind: 'type' };
  if (node.type === 'TSInterfaceDeclaration' || node.type === 'ClassDeclaration') return withBody(node, source);
  if (node.type === 'VariableDeclaration') {
    const [variable] = node.declarations;
    const type = variable?.id.typeAnnotation?.typeAnnotation;
    const name = variable?.id.type === 'Identifier' ? variable.id.name : '';
    const members = type?.type === 'TSTypeLiteral' ? membersOf(type.members, source) : [];
    return { ...plain, name, kind: 'const', members };
  }
  throw new DocsError(
    'TYPES_BROKEN',
    `expected a declaration, got ${node.type} in "${source.textOf(node).slice(0, 80)}"`,
  );
}

function withBody(node: Class | TSInterfaceDeclaration, source: Source): Declaration {
  const kind = node.type === 'TSInterfaceDeclaration' ? 'interface' : 'class';
  const base =
    node.type !== 'TSInterfaceDeclaration' && node.superClass?.type === 'Identifier' ? node.superClass.name : '';
  const head = source.between(node.start, node.body.start);
  return {
    name: node.id?.name ?? '',
    kind,
    base,
    signatures: [head],
    doc: source.docBefore(node),
    members: membersOf(node.body.body, source),
  };
}

type Part = Class['body']['body'][number] | TSInterfaceDeclaration['body']['body'][number];

function membersOf(parts: readonly Part[], source: Source): Member[] {
  return parts.flatMap((part) => {
    if (!('key' in part) || part.key.type !== 'Identifier') return [];
    const kind = kindOf(part.type, part.key.name);
    if (kind === 'constructor' && 'accessibility' in part && part.accessibility === 'private') return [];
    const signature = source.textOf(part).replace(/;$/, '');
    return [{ name: part.key.name, kind, static: part.static === true, signature, doc: source.docBefore(part) }];
  });
}

function kindOf(type: string, name: string): Member['kind'] {
  if (name === 'constructor') return 'constructor';
  return /Method/.test(type) ? 'method' : 'property';
}

/** The file's text, with the comments in it. */
class Source {
  readonly #text: string;
  readonly #comments: readonly Comment[];

  constructor(text: string, comments: readonly Comment[]) {
    this.#text = text;
    this.#comments = comments;
  }

  between(start: number, end: number): string {
    return this.#text.slice(start, end).trim();
  }

  textOf({ start, end }: Node): string {
    return this.between(start, end);
  }

  docBefore({ start }: Node): Doc {
    const comment = this.#comments.findLast((each) => each.type === 'Block' && each.end <= start);
    const near = comment !== undefined && this.between(comment.end, start) === '';
    return parseDoc(near ? comment.value : undefined);
  }

  /** From `// #region TITLE` to `// #endregion`; the lines of comment after the title are its introduction. */
  regions(): { title: string; intro: string; start: number; end: number }[] {
    return [...this.#text.matchAll(/^\/\/ #region (.*)\n((?:\/\/.*\n)*)([\s\S]*?)^\/\/ #endregion/gm)].map((match) => {
      const [whole, title = '', intro = ''] = match;
      const lines = intro.split('\n').map((line) => line.replace(/^\/\/ ?/, ''));
      return { title, intro: lines.join(' ').trim(), start: match.index, end: match.index + whole.length };
    });
  }
}
