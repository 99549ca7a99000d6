// #region Security layers
// A layer is a program that stands between the API and the programs above it: docs/security-layers.md. Its body runs
// before theirs; in it the names of calls mean what is below. `repy --layer FILE PROGRAM` runs a program under one, and a
// node's owner can put layers under every program of the node.

/**
 * Of an argument or a result: `string`, `number`, `integer`, `boolean`, `bytes` (a `Uint8Array`), `array`, `object`,
 * `function`, `null`, `nothing` or `any`; also `file`, `stream`, `listener`, `socket`, `messageserver`, `connectionserver`, `lock`,
 * `timer` and `namespace`, which are objects with the methods that the API's own have. `|` stands between alternatives,
 * `?` after one that may be left out, `...` after the last one when there may be more of it.
 */
type RepyType = string;

/** What is checked at each call of something that a layer has changed. */
interface RepyContract {
  /** Of each argument. A wrong one is the program's fault: a RepyArgumentError, and the layer is not called. */
  args?: readonly RepyType[];
  /**
   * Of the result, or of what a promise resolves with: a type, or the members of an object, of which no other passes; a
   * member is a method with its contract, or a value with its type, and one whose name ends in `?` may be missing. A wrong
   * one is the layer's fault: a LayerError.
   */
  returns?: RepyType | { readonly [member: string]: RepyContract | RepyType };
  /** Names of the errors that may come out, those of the API unless said; another one becomes a LayerError. */
  throws?: readonly string[];
}

/** How a layer changes calls, while its body runs to its first `await`. */
interface RepyLayer {
  /**
   * Has another function called instead. Other names of the same (`sendmess` and `sendmessage`, `openfile` and `open`)
   * are closed, unless this layer changes them too; `console`, `setTimeout` and their like follow `log` and `settimer`.
   * @param contract that of the API's own call unless said
   * @throws RepyArgumentError no name of a call, one that was changed before, or no contract
   * @example
   * if (typeof layer !== 'undefined') {
   *   // Below `openfile` is the API's; above it there is this one.
   *   layer.wrap('sleep', (seconds) => sleep(Number(seconds) / 2), { args: ['number'], returns: 'nothing' });
   * }
   */
  wrap(call: string, target: (...args: never[]) => unknown, contract?: RepyContract): void;
  /**
   * Has a call refused, with a ResourceForbiddenError that names the layer.
   * @throws RepyArgumentError
   * @example
   * if (typeof layer !== 'undefined') layer.forbid('randombytes');
   */
  forbid(call: string): void;
}

/**
 * What a layer has, and no other program: there it is undefined.
 * @example
 * log(typeof layer, '\n'); // logs: undefined
 */
declare const layer: RepyLayer;
// #endregion
