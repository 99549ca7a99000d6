import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Declaration, type Member, readDeclarations } from './declarations.ts';

/** Programs of `examples/` that the editor of the portal offers to begin with, each of one file. */
const EXAMPLES = ['hello.js', 'pingserver.js', 'pingclient.js', 'multicast.js', 'tunnel.js', 'webserver.js'];

/** @returns what an editor shows of the Repy API, as JSON; `client/api.ts` of the portal reads it. */
export function makeEditorApi(types: string): string {
  const declarations = readDeclarations(types).flatMap((subject) => subject.declarations);
  return linesOf(
    declarations.map((declaration) => ({ ...factsOf(declaration), members: declaration.members.map(factsOf) })),
  );
}

/** @returns names and texts of programs, as JSON. */
export function makeExamples(root: string): string {
  return linesOf(EXAMPLES.map((name) => ({ name, text: readFileSync(join(root, 'examples', name), 'utf8') })));
}

function factsOf(from: Declaration | Member) {
  const { name, kind, doc } = from;
  const signatures = 'signatures' in from ? from.signatures : [from.signature];
  return {
    name,
    kind,
    signatures: signatures.map((signature) => signature.replace(/^(export )?declare /, '').replace(/;$/, '')),
    text: doc.text,
    returns: doc.returns,
    throws: doc.throws.map(({ name: error, when }) => `${error} ${when}`.trim()),
    charges: doc.charges,
    example: doc.examples[0] ?? '',
  };
}

/** One item a line, so that a change of one shows as one. */
function linesOf(items: readonly object[]): string {
  return `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`;
}
