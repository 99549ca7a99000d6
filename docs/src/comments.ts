/** An error that a call may raise. */
export interface Raised {
  readonly name: string;
  /** When; empty where the name says it. */
  readonly when: string;
}

/** What a doc comment says. All texts are Markdown without line ends of their own. */
export interface Doc {
  readonly text: string;
  readonly returns: string;
  /** In the order in which they are found. */
  readonly throws: readonly Raised[];
  readonly charges: string;
  /** Programs. */
  readonly examples: readonly string[];
}

/** @param comment the text between the marks of a block comment, or undefined where there is none */
export function parseDoc(comment: string | undefined): Doc {
  const lines = (comment ?? '').replace(/^\*+/, '').split('\n');
  const [text = '', ...tags] = lines
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .split(/(?:^|\s)@(?=[a-z]+\b)/);
  const of = (name: string) => tags.filter((tag) => tag.startsWith(name)).map((tag) => tag.slice(name.length));
  return {
    text: joined(text),
    returns: joined(of('returns').join(' ')),
    throws: of('throws').map(raisedOf),
    charges: joined(of('charges').join(' ')),
    examples: of('example').map((code) => code.replace(/^\s*\n/, '').trim()),
  };
}

/** Lines of one paragraph become one line; paragraphs stay apart. */
function joined(text: string): string {
  const paragraphs = text.trim().split(/\n\s*\n/);
  return paragraphs.map((paragraph) => paragraph.replace(/\s+/g, ' ').trim()).join('\n\n');
}

function raisedOf(tag: string): Raised {
  const text = joined(tag);
  const [name = ''] = text.split(' ');
  return { name, when: text.slice(name.length).trim() };
}
