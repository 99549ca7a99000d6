// #region Programs within programs
// A program may run another one within itself: the inner program has the language and the names that it is given, and
// nothing else; not the outer program's names, and no call of this API that was not given. What passes between the two
// is copied: values that are no objects, arrays, plain objects, `Map`, `Set`, `Date`, buffers and typed arrays, errors.
// Functions are called, and promises awaited, where they came from; a function is called without `this`. Of an instance of a class
// the methods pass, and nothing that it holds. Symbols, weak maps and regular expressions cannot pass:
// a RepyArgumentError says so. An array that a function fills in place is filled on its own side only.

/** Code that was checked, and can be evaluated again and again. */
interface RepyNamespace {
  /**
   * Runs the code in a world of its own, made now. `await` works at its top; to assign to a name that it was given
   * changes the name in its world only, and what it puts on `globalThis` is a name more. Its errors have its own name and
   * lines, and can be caught; an error in what it does later, when nobody awaits, ends the whole program.
   * @param context names and their values: a plain object, with names that JavaScript code can say, and no getters
   * @returns the names that were given with the values they have now, and the names that the code added
   * @throws ContextUnsafeError a symbol, a reserved word or no identifier as a name, more than 1000 names, a getter, an object of a class, a value that cannot pass
   * @throws RepyArgumentError not an object
   * @example
   * const namespace = createvirtualnamespace('count += 1; globalThis.twice = (x) => 2 * x;', 'inner.js');
   * const { count, twice } = await namespace.evaluate({ count: 1 });
   * log(count, typeof twice === 'function' && twice(21), '\n'); // logs: 2 42
   */
  evaluate(context?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
}

/**
 * Checks code that is to run within this program, of up to 1 MiB. It is one piece, without `import` and `export`, and
 * strict as every program is. Each world takes about 200 KB of the vessel's memory, and gives it back when nothing of it is used any more.
 * @param name what errors call the code: up to 120 letters, digits, `.`, `_` and `-`; `namespace` unless said
 * @throws CodeUnsafeError it does not compile, or imports or exports; the message has its line and column
 * @throws RepyArgumentError
 * @example
 * try {
 *   createvirtualnamespace('let a = ;', 'inner.js');
 * } catch (error) {
 *   if (!(error instanceof CodeUnsafeError)) throw error;
 *   log(error.message, '\n'); // logs: inner.js:1:9: expected code that compiles, got Unexpected token ';'
 * }
 */
declare function createvirtualnamespace(code: string, name?: string): RepyNamespace;
// #endregion
