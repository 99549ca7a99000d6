import { PotluckError } from '@potluck/protocol';

/** `TYPES_BROKEN`: `repy.d.ts` does not parse, or holds what is no declaration. */
export type DocsCode = 'TYPES_BROKEN';

/** A page cannot be made of the code. */
export class DocsError extends PotluckError<DocsCode> {
  constructor(code: DocsCode, message: string) {
    super('internal', code, message);
  }
}
