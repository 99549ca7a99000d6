import { ABSENT } from '@potluck/repy-api';
import type ts from 'typescript6';

/** What the site serves as one script. */
export interface Compiler {
  readonly ts: typeof ts;
  /** By their names: those of the language, and `repy.d.ts`. */
  readonly declarations: Readonly<Record<string, string>>;
}

/** Places in UTF-16 units of the program's own file. `error`: it cannot be run so. `warning`: it can, whatever is said. */
export interface CheckProblem {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** More would help nobody. */
const MOST_PROBLEMS = 100;
const CODE = /\.m?[jt]s$/i;
const TYPED = /\.m?ts$/i;
/** In front of the declarations, so that no program has such a name. */
const OWN = '/declarations/';
const TEXTS = "declare module '*.txt' {\n  const text: string;\n  export default text;\n}\n";
/** "Cannot find name", and the same with advice to install what no vessel has. */
const UNKNOWN_NAME: ReadonlySet<number> = new Set([2304, 2552]);
const NOT_INSTALLED: ReadonlySet<number> = new Set([2580, 2581, 2582, 2583, 2584, 2585, 2591, 2592, 2593, 2867, 2868]);
/** "Property is missing": where nobody has declared types, objects are made by and by. */
const MISSING_PROPERTY: ReadonlySet<number> = new Set([2327, 2739, 2740, 2741]);

/** The compiler, kept warm for one program after the other. */
export class TypeChecker {
  readonly #ts: typeof ts;
  readonly #texts = new Map<string, { readonly text: string; readonly version: number }>();
  readonly #service: ts.LanguageService;
  readonly #options: { readonly javascript: ts.CompilerOptions; readonly typescript: ts.CompilerOptions };
  #entry = '';
  #names = '';
  #versions = 0;

  constructor({ ts: compiler, declarations }: Compiler) {
    this.#ts = compiler;
    this.#options = optionsOf(compiler);
    for (const [name, text] of Object.entries({ ...declarations, 'texts.d.ts': TEXTS })) this.#put(OWN + name, text);
    this.#service = compiler.createLanguageService(this.#host());
  }

  /** @returns what is wrong in the program's own file, by place; none for files that are no code */
  check(entry: string, files: Readonly<Record<string, string>>): CheckProblem[] {
    if (!CODE.test(entry)) return [];
    this.#entry = `/${entry}`;
    this.#take(files);
    const syntax = this.#service.getSyntacticDiagnostics(this.#entry).map((one) => this.#problemOf(one, 'error'));
    const types = this.#service
      .getSemanticDiagnostics(this.#entry)
      .filter(({ messageText }) => TYPED.test(entry) || !isOfMissing(messageText))
      .map((one) => this.#problemOf(one, 'warning'));
    return [...syntax, ...types, ...this.#absent()].sort((a, b) => a.from - b.from).slice(0, MOST_PROBLEMS);
  }

  #take(files: Readonly<Record<string, string>>): void {
    const names = Object.keys(files).sort().join('\n');
    // The compiler remembers where imports lead, also when that was to nothing.
    if (names !== this.#names) this.#service.cleanupSemanticCache();
    this.#names = names;
    for (const path of [...this.#texts.keys()]) {
      if (!path.startsWith(OWN) && !Object.hasOwn(files, path.slice(1))) this.#texts.delete(path);
    }
    for (const [name, text] of Object.entries(files)) this.#put(`/${name}`, text);
  }

  #put(path: string, text: string): void {
    if (this.#texts.get(path)?.text === text) return;
    this.#versions += 1;
    this.#texts.set(path, { text, version: this.#versions });
  }

  #host(): ts.LanguageServiceHost {
    const texts = this.#texts;
    return {
      getScriptFileNames: () => [this.#entry, `${OWN}repy.d.ts`, `${OWN}texts.d.ts`],
      getScriptVersion: (path) => String(texts.get(path)?.version),
      getScriptSnapshot: (path) => {
        const known = texts.get(path);
        return known === undefined ? undefined : this.#ts.ScriptSnapshot.fromString(known.text);
      },
      getCompilationSettings: () => (TYPED.test(this.#entry) ? this.#options.typescript : this.#options.javascript),
      getDefaultLibFileName: () => `${OWN}lib.esnext.d.ts`,
      getCurrentDirectory: () => '/',
      useCaseSensitiveFileNames: () => true,
      fileExists: (path) => texts.has(path),
      readFile: (path) => texts.get(path)?.text,
      directoryExists: (path) => path === '/' || `${path}/` === OWN,
      getDirectories: () => [],
    };
  }

  #problemOf({ code, start = 0, length = 0, messageText }: ts.Diagnostic, severity: 'error' | 'warning'): CheckProblem {
    const name = this.#texts.get(this.#entry)?.text.slice(start, start + length) ?? '';
    let message = this.#ts.flattenDiagnosticMessageText(messageText, '\n');
    if (NOT_INSTALLED.has(code)) message = `Cannot find name '${name}'.`;
    if (NOT_INSTALLED.has(code) || UNKNOWN_NAME.has(code)) message = absentOf(name)?.message ?? message;
    return { from: start, to: start + length, severity, message };
  }

  /** Uses of what the language has, and a vessel has not. */
  #absent(): CheckProblem[] {
    const program = this.#service.getProgram();
    const file = program?.getSourceFile(this.#entry);
    if (program === undefined || file === undefined) return [];
    const checker = program.getTypeChecker();
    const found: CheckProblem[] = [];
    // Who asks whether it is there knows how to do without.
    const asked = new Set<string>();
    const visit = (node: ts.Node): void => {
      if (this.#ts.isTypeNode(node)) return;
      if (this.#ts.isTypeOfExpression(node)) asked.add(node.expression.getText(file).replace('globalThis.', ''));
      if (this.#ts.isIdentifier(node) && this.#isAbsent(node, checker)) {
        const message = absentOf(node.text)?.message ?? '';
        found.push({ from: node.getStart(file), to: node.getEnd(), severity: 'warning', message });
      }
      node.forEachChild(visit);
    };
    visit(file);
    return found.filter(({ from, to }) => !asked.has(file.text.slice(from, to)));
  }

  #isAbsent(node: ts.Identifier, checker: ts.TypeChecker): boolean {
    const absent = absentOf(node.text);
    if (absent === undefined) return false;
    const { parent } = node;
    const isCalled = this.#ts.isCallExpression(parent) || this.#ts.isNewExpression(parent);
    if (absent.use === 'call' && !(isCalled && parent.expression === node)) return false;
    const declared = checker.getSymbolAtLocation(node)?.declarations ?? [];
    return declared.length > 0 && declared.every((one) => one.getSourceFile().fileName.startsWith(`${OWN}lib.`));
  }
}

function absentOf(name: string) {
  return Object.hasOwn(ABSENT, name) ? ABSENT[name] : undefined;
}

function isOfMissing(message: string | ts.DiagnosticMessageChain): boolean {
  if (typeof message === 'string') return false;
  return MISSING_PROPERTY.has(message.code) || (message.next ?? []).some(isOfMissing);
}

/** TypeScript as strictly as `repy check` does; of JavaScript only what is most likely a mistake. */
function optionsOf({ ScriptTarget, ModuleKind, ModuleResolutionKind, ModuleDetectionKind }: typeof ts) {
  const world: ts.CompilerOptions = {
    lib: ['lib.esnext.d.ts'],
    types: [],
    target: ScriptTarget.ESNext,
    module: ModuleKind.ESNext,
    moduleResolution: ModuleResolutionKind.Bundler,
    moduleDetection: ModuleDetectionKind.Force,
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    allowJs: true,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
  };
  const gentle = { checkJs: true, noImplicitAny: false, noImplicitThis: false, strictNullChecks: false };
  return { typescript: world, javascript: { ...world, ...gentle, useUnknownInCatchVariables: false } };
}
