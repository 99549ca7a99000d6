import { NAMESPACE_LIMITS, OP } from '../ops.ts';
import { invoke, promised } from './bridge.ts';
import { needText } from './data.ts';
import { argumentError, errorOf } from './errors.ts';
import { isPlain } from './kinds.ts';
import { defineData, getOwnPropertyDescriptor, matches, ownKeys } from './primordials.ts';
import { makeRealm } from './worlds.ts';

const NAME = /^[A-Za-z0-9_.-]+$/;
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;
const RESERVED =
  /^(?:arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|globalThis|if|implements|import|in|Infinity|instanceof|interface|let|NaN|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield)$/;

function needName(value: unknown): string {
  const name = needText(value, 'a name');
  const most = NAMESPACE_LIMITS.nameLength;
  if (name.length > most || !matches(NAME, name)) {
    throw argumentError(`a name of 1 to ${most} letters, digits, ".", "_" and "-"`, name);
  }
  return name;
}

const unsafe = (message: string): Error => errorOf('ContextUnsafeError', message);

/** @returns a copy that no getter is part of. @throws ContextUnsafeError, RepyArgumentError */
function needContext(context: unknown): object {
  if (typeof context !== 'object' || context === null) throw argumentError('an object of names and values', context);
  if (!isPlain(context)) throw unsafe('expected a plain object of names and values, got one of a class');
  const names = {};
  const keys = ownKeys(context);
  const most = NAMESPACE_LIMITS.names;
  if (keys.length > most) throw unsafe(`expected at most ${most} names, got ${keys.length}`);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string | symbol;
    if (typeof key !== 'string') throw unsafe('expected names that are texts, got a symbol');
    if (!matches(IDENTIFIER, key)) throw unsafe(`expected names that code can say, got ${JSON.stringify(key)}`);
    if (matches(RESERVED, key)) throw unsafe(`expected names that code may have, got the reserved "${key}"`);
    defineData(names, key, needValue(context, key));
  }
  return names;
}

/** @throws ContextUnsafeError for a getter, and for what cannot go to another program */
function needValue(context: object, key: string): unknown {
  const descriptor = getOwnPropertyDescriptor(context, key);
  if (descriptor === undefined || descriptor.get !== undefined || descriptor.set !== undefined) {
    throw unsafe(`expected a value for the name "${key}", got a getter or a setter`);
  }
  const value = descriptor.value as unknown;
  if (typeof value === 'symbol') throw unsafe(`expected a value that can be passed on for "${key}", got a symbol`);
  return value;
}

/** Code that was checked, to be run in a world of its own as often as one likes. */
class VirtualNamespace {
  readonly #code: string;
  readonly #name: string;

  constructor(code: string, name: string) {
    this.#code = code;
    this.#name = name;
  }

  evaluate(context: unknown = {}): Promise<object> {
    return promised(() => {
      const names = needContext(context);
      const evaluate = makeRealm(this.#code, this.#name);
      try {
        return evaluate(names);
      } catch (error) {
        // Before anything of the inner program ran: a value cannot go across.
        throw unsafe(`expected names and values that can be passed on, got this: ${(error as Error).message}`);
      }
    });
  }
}

// Only what was checked is a namespace.
Reflect.deleteProperty(VirtualNamespace.prototype, 'constructor');

export function createvirtualnamespace(code: unknown, name: unknown = 'namespace'): VirtualNamespace {
  const text = needText(code, 'code');
  const most = NAMESPACE_LIMITS.codeLength;
  if (text.length > most) throw argumentError(`code of at most ${most} characters`, text.length);
  const checked = needName(name);
  invoke(OP.checkcode, text, checked);
  return new VirtualNamespace(text, checked);
}
