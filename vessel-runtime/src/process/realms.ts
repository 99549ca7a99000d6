import { EVENT, NAMESPACE_LIMITS, OP } from '@potluck/repy-api';
import type IsolatedVM from 'isolated-vm';
import { CallFailure } from './failure.ts';
import { PRELUDE, type Sandbox } from './sandbox.ts';
import { PRELUDE_NAME } from './trace.ts';

type Handler = (...args: never[]) => number;

/** So that `await` works at the top of the code, and its end can be awaited. The code itself begins on line 1. */
const BEFORE = 'export default async () => {\n';
const AFTER = '\n};';
const PLACE = / \[[^[\]]*?:(\d+):(\d+)\]$/;

/** Operations for programs within the program: each has a context of its own in the same isolate. */
export function realms(sandbox: () => Sandbox): Record<number, Handler> {
  return {
    [OP.checkcode]: (code: string, name: string) => check(sandbox(), code, name),
    [OP.makerealm]: (code: string, name: string) => make(sandbox(), code, name),
    [OP.makeworld]: () => makeWorld(sandbox()),
  };
}

/** @throws CallFailure CodeUnsafeError */
function check({ isolate }: Sandbox, code: string, name: string): number {
  if (code.length > NAMESPACE_LIMITS.codeLength) throw unsafe('code that is not too long, got more', name);
  // Alone first: code that closes the function around it is no code.
  const alone = compiled(isolate, code, { filename: name });
  const [imported] = alone.dependencySpecifiers;
  alone.release();
  if (imported !== undefined) throw unsafe(`code without imports, got one of "${imported.slice(0, 100)}"`, name);
  within(isolate, code, name).release();
  return 1;
}

function within(isolate: IsolatedVM.Isolate, code: string, name: string): IsolatedVM.Module {
  return compiled(isolate, `${BEFORE}${code}${AFTER}`, { filename: name, lineOffset: -1 });
}

function compiled(isolate: IsolatedVM.Isolate, code: string, info: IsolatedVM.ScriptInfo): IsolatedVM.Module {
  try {
    return isolate.compileModuleSync(code, info);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const place = PLACE.exec(message);
    const where = place === null ? '' : `:${place[1]}:${place[2]}`;
    throw unsafe(`code that compiles, got ${message.replace(PLACE, '')}`, `${info.filename}${where}`);
  }
}

function unsafe(expected: string, place: string): CallFailure {
  return new CallFailure('CodeUnsafeError', `${place}: expected ${expected}`);
}

/** Makes a realm and tells the code inside of its port. Nothing of the inner program runs. */
function make(sandbox: Sandbox, code: string, name: string): number {
  const { isolate, dispatch } = sandbox;
  // Again: the code inside shares a heap with the program, so its word for that is worth nothing here.
  check(sandbox, code, name);
  const context = isolate.createContextSync();
  const module = within(isolate, code, name);
  module.instantiateSync(context, () => module);
  module.evaluateSync();
  const { namespace } = module;
  const body = namespace.getSync('default', { reference: true });
  furnish(context, dispatch, body.derefInto());
  // Held by nothing of the host from here on: what the program drops is freed.
  for (const held of [body, namespace, module, context]) held.release();
  return 1;
}

/** Makes a realm for code that the host runs itself, in `top`. */
function makeWorld(sandbox: Sandbox): number {
  sandbox.top = sandbox.isolate.createContextSync();
  furnish(sandbox.top, sandbox.dispatch);
  return 1;
}

/** Puts the code inside into a context, and tells the one that asked for it of its port. */
function furnish(
  context: IsolatedVM.Context,
  dispatch: Sandbox['dispatch'],
  body?: IsolatedVM.Dereference<unknown>,
): void {
  const port = context.evalClosureSync(`${PRELUDE}\nreturn prelude.realm($0);`, [body], {
    filename: PRELUDE_NAME,
    result: { reference: true },
  });
  dispatch(EVENT.realm, port.derefInto());
  port.release();
}
