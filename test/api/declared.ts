import { type Declaration, type Doc, readDeclarations, type Subject } from '@potluck/docs';
import { readText } from '../structure/workspace.ts';

/** `repy.d.ts` as it is checked in. */
const subjects: readonly Subject[] = readDeclarations(readText('repy-api/repy.d.ts'));
export const declarations: readonly Declaration[] = subjects.flatMap((subject) => subject.declarations);

/** Something that a program can call, or a value that it finds. */
export interface Call {
  /** `sendmess`, `RepySocket.send` */
  readonly title: string;
  readonly name: string;
  readonly doc: Doc;
}

const isValue = ({ kind }: Declaration): boolean => kind === 'function' || kind === 'class' || kind === 'const';

/** Classes of errors differ by name and code only: they share the example of `RepyError`. */
export const errorClasses: readonly Declaration[] = declarations.filter(({ base }) => base === 'RepyError');

/** The names that a program finds in its world. */
export const values: readonly Declaration[] = declarations.filter(isValue);

/** Every call, also those of what calls return. */
export const calls: readonly Call[] = declarations.flatMap((declaration) => {
  const { name, doc, members } = declaration;
  const methods = members.filter(({ kind }) => kind === 'method');
  const own = errorClasses.includes(declaration) || !isValue(declaration) ? [] : [{ title: name, name, doc }];
  // An object of calls needs no example of itself.
  const heads = declaration.kind === 'const' && methods.length > 0 ? [] : own;
  return [
    ...heads,
    ...methods.map((method) => ({ title: `${name}.${method.name}`, name: method.name, doc: method.doc })),
  ];
});

export interface Example {
  readonly title: string;
  readonly source: string;
  /** The lines that it must have logged, undefined where it says nothing of them. */
  readonly logs: readonly string[] | undefined;
}

export const examples: readonly Example[] = calls.flatMap(({ title, doc }) =>
  doc.examples.map((source, index) => {
    const logs = [...source.matchAll(/\/\/ logs: (.*)$/gm)].map(([, text = '']) => text.trim());
    const number = doc.examples.length > 1 ? ` ${index + 1}` : '';
    return { title: `${title}${number}`, source, logs: logs.length > 0 ? logs : undefined };
  }),
);
