import type { Doc } from './comments.ts';
import { type Declaration, type Member, readDeclarations, type Subject } from './declarations.ts';

const HEAD = `# The Repy API

<!-- Made of repy-api/repy.d.ts by \`npm run docs\`: change repy-api/types/*.d.ts. -->

Everything that a program in a vessel may call, beside the language itself. The same for editors and type checkers is
[\`repy-api/repy.d.ts\`](../repy-api/repy.d.ts). Which call of Seattle is which here says
[from-seattle.md](from-seattle.md).

In the examples \`198.51.100.7\` is another node, on which a program sends back each message that comes to port 54321 and
all that comes over a connection to port 63100. \`// logs:\` says what is in the log after it. Each example is a whole
program, which is compiled and run by the tests. Errors are listed in the order in which they are found.
`;

/** The class of all errors: the others differ from it by name and code only. */
const ERROR = 'RepyError';

/** @returns `docs/repy-api.md`, made of the text of `repy.d.ts`. */
export function makePage(types: string): string {
  const subjects = readDeclarations(types);
  return `${[HEAD, contentsOf(subjects), ...subjects.map(sectionOf)].join('\n')}`;
}

/** GitHub's own rule for the anchors of headings. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
const linkTo = (title: string): string => `[${title}](#${anchorOf(title)})`;

function contentsOf(subjects: readonly Subject[]): string {
  const linksTo = (found: readonly Declaration[]): string => found.map(({ name }) => linkTo(name)).join(', ');
  const rows = subjects.map(({ title, declarations }) => {
    const shown = declarations.filter(isShown).filter(({ base }) => base !== ERROR);
    const types = shown.filter(({ kind }) => kind === 'interface');
    const values = shown.filter((each) => !types.includes(each));
    return `| ${linkTo(title)} | ${linksTo(values)} | ${linksTo(types)} |`;
  });
  return ['| subject | calls and values | what they take and give |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** Options and the like are shown where they are used: in the signatures. */
const isShown = ({ kind, members, doc }: Declaration): boolean =>
  kind !== 'type' && (kind !== 'interface' || doc.text !== '' || members.some((member) => member.kind === 'method'));

function sectionOf({ title, intro, declarations }: Subject): string {
  const errors = declarations.filter(({ base }) => base === ERROR);
  const others = declarations.filter((each) => !errors.includes(each));
  const shown = others.filter(isShown).map(entryOf);
  return [`## ${title}\n`, `${intro}\n`, ...shown, ...(errors.length > 0 ? [errorTable(errors)] : [])].join('\n');
}

function entryOf({ name, kind, signatures, doc, members }: Declaration): string {
  const methods = members.filter((member) => member.kind === 'method');
  const isObject = kind === 'const' && members.length > 0;
  const signature =
    kind === 'function' || (kind === 'const' && !isObject) ? signatures.join('\n') : shapeOf(signatures, members, kind);
  const parts = methods.map((member) => partOf(name, kind, member));
  return [`### ${name}\n`, codeOf(signature), bodyOf(doc), ...parts].join('\n');
}

/** What it consists of, without the comments, which follow. */
function shapeOf(signatures: readonly string[], members: readonly Member[], kind: Declaration['kind']): string {
  const lines = members.map(({ signature, doc }) => {
    const short = doc.text !== '' && doc.examples.length === 0 ? `  /** ${doc.text} */\n` : '';
    return `${short}  ${signature.replaceAll('\n', '\n  ')};`;
  });
  const head = kind === 'const' ? (signatures[0] ?? '').split('{')[0]?.trim() : signatures[0];
  const body = lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n}`;
  return `${head} ${body}${kind === 'const' ? ';' : ''}`;
}

function partOf(owner: string, kind: Declaration['kind'], { name, signature, static: fixed, doc }: Member): string {
  const before = kind === 'const' || fixed ? owner : instanceOf(owner);
  return [`#### ${before}.${name}\n`, codeOf(signature.replace(/^static /, '')), bodyOf(doc)].join('\n');
}

/** `RepySocket` is `socket` to a reader, `URLSearchParams` is `urlSearchParams`. */
const instanceOf = (owner: string): string =>
  owner.replace(/^Repy/, '').replace(/^(?:[A-Z]+(?![a-z])|[A-Z])/, (capitals) => capitals.toLowerCase());

function bodyOf({ text, returns, throws, charges, examples }: Doc): string {
  const raised = throws.map(({ name, when }) => `  1. ${errorLink(name)}${when === '' ? '' : `: ${when}`}`);
  const facts = [
    ...(returns === '' ? [] : [`- Returns ${returns}`]),
    ...(charges === '' ? [] : [`- Charged: ${charges}`]),
    ...(raised.length === 0 ? [] : ['- Raises', ...raised]),
  ];
  return [text, facts.join('\n'), ...examples.map(codeOf)]
    .filter((part) => part !== '')
    .map((part) => `${part.trimEnd()}\n`)
    .join('\n');
}

/** Those of the language are not on the page. */
const errorLink = (name: string): string => (name === 'TypeError' ? `\`${name}\`` : `[\`${name}\`](#errors)`);

const codeOf = (code: string): string => `\`\`\`ts\n${code.replace(/^declare /gm, '')}\n\`\`\`\n`;

function errorTable(errors: readonly Declaration[]): string {
  const rows = errors.map(({ name, doc }) => {
    const [, text = '', code = ''] = /^(.*?)\s*Code (`\w+`)\.$/.exec(doc.text) ?? [];
    return `| \`${name}\` | ${code} | ${text} |`;
  });
  return ['| class | `code` | meaning |', '| --- | --- | --- |', ...rows, ''].join('\n');
}
